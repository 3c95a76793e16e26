# SPDX-License-Identifier: BSD-3-Clause
"""Put an image on a board, or start it in QEMU, by the project's own upload target."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from mcugen.base.errors import FlashError, McugenError
from mcugen.base.files import writing_to
from mcugen.base.locks import locked
from mcugen.base.toolchain import COMPILER, QEMU, find_tool, find_uploader
from mcugen.boards.load import simulator_hint
from mcugen.boards.spec import BoardSpec
from mcugen.project.manifest import FirmwareProject
from mcugen.project.platformio import run_pio, telling_lines
from mcugen.project.upload_errors import explain as explain_output

UPLOAD_TIMEOUT_S = 180.0


@dataclass(frozen=True)
class UploadCommand:
    """What puts the image on the board, and the call of PlatformIO that runs it."""

    command: tuple[str, ...]
    environment: dict[str, str]
    platformio: tuple[str, ...]


def upload(
    project: FirmwareProject,
    board: BoardSpec,
    *,
    simulate: bool,
    way: str = "openocd",
    serial: str | None = None,
    place: str | None = None,
    dry_run: bool = False,
    pty: bool = False,
) -> UploadCommand:
    """Put the built image on the board, or start it on the board's QEMU machine.

    QEMU runs on in the background; `.mcugen-qemu.json` in the project says where its console is.

    Args:
        serial: of the probe or the boot loader.
        place: port of the boot loader, or the folder of its volume.
        dry_run: only find out what would be run.
        pty: QEMU's console is a tty.

    Raises ToolMissingError, FlashError (with the tool's last lines).
    """
    find_tool(COMPILER)
    simulate = simulate or board.simulated_only
    if simulate and board.qemu is None:
        raise FlashError(f"{board.id} has no QEMU machine", hint=simulator_hint(board))
    if simulate:
        find_tool(QEMU)
    else:
        find_uploader(way)
    environment = {"MCUGEN_UPLOAD_PROTOCOL": "qemu" if simulate else way}
    if serial is not None:
        environment["MCUGEN_PROBE_SERIAL"] = serial
    if place is not None:
        environment["MCUGEN_UPLOAD_PORT"] = place
    if pty:
        environment["MCUGEN_SIMULATOR_PTY"] = "1"
    log_path = project.root / ".pio" / "mcugen-upload.log"
    with writing_to(project.root):
        log_path.parent.mkdir(exist_ok=True)
    # What is there has been built: PlatformIO need not look through all sources again.
    arguments = ["run", "-d", str(project.root), "-e", project.env_name]
    arguments += ["-t", "nobuild", "-t", "upload"]

    def explain(lines: Sequence[str], why: str) -> McugenError:
        text = "\n".join(telling_lines(lines))
        if simulate:
            return FlashError(f"QEMU could not be started ({why}):\n{text}")
        meaning = explain_output(lines)
        what = f"{board.name} could not be flashed ({why})"
        hint = "Without a board: --simulate." if board.qemu is not None else None
        if meaning is not None:
            advice = meaning[1] if hint is None else f"{meaning[1]} {hint}"
            return FlashError(f"{what}: {meaning[0]}\n{text}", hint=advice)
        if why.startswith("no end"):
            hint = "Unplug the board, plug it in again and flash again."
        return FlashError(f"{what}:\n{text}", hint=hint)

    more = {"MCUGEN_UPLOAD_DRY_RUN": "1"} if dry_run else {}
    with locked(project.root / ".pio" / "mcugen.lock"):
        run_pio(arguments, log_path, UPLOAD_TIMEOUT_S, explain, environment=environment | more)
        words = _command_in(log_path.read_text(encoding="utf-8"))
    return UploadCommand(words, environment, ("pio", *arguments))


def _command_in(log: str) -> tuple[str, ...]:
    """Return the command that the builder printed; the log's own first line begins alike."""
    lines = [line[2:] for line in log.splitlines()[1:] if line.startswith("$ ")]
    return tuple(shlex.split(lines[-1])) if lines else ()


def as_text(command: UploadCommand) -> str:
    """Return the command as one types it."""
    return shlex.join(command.command)
