# SPDX-License-Identifier: BSD-3-Clause
"""QEMU machines: start, find again, end.

The platform's session script does it (firmware/platform/builder/qemu_session.py), so that a project
can do without mcugen. A machine of one's own ends with this process, however that ends. One in the
background stays for later commands, which find it by the state file in its project, and ends when
nobody has used it for a while; the script lists all of this user's.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mcugen.base.errors import (
    DeviceError,
    DeviceTimeoutError,
    FlashError,
    McugenError,
    ToolMissingError,
)
from mcugen.device.console import SerialConsole

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec


@dataclass(frozen=True)
class QemuMachine:
    """A QEMU process that runs an ELF."""

    board: BoardSpec
    elf: Path
    state_path: Path
    extra: tuple[str, ...] = ()  #: arguments of QEMU's besides the board's
    shared_arena: bool = False  #: let `Session.ram` be the memory of a runner's models
    pty: bool = False  #: the console is a tty, not a TCP port
    background: bool = False  #: go on when this process ends, until nobody uses it

    def start(self) -> str:
        """Start the machine and return the URL of its console, or its tty's path.

        Raises ToolMissingError, DeviceError.
        """
        from mcugen.boards.load import simulator_hint

        qemu = self.board.qemu
        if qemu is None:
            raise FlashError(
                f"{self.board.id} has no QEMU machine", hint=simulator_hint(self.board)
            )
        arguments = [
            "start",
            f"--elf={self.elf}",
            f"--machine={qemu.machine}",
            f"--serial-index={qemu.serial_index}",
            f"--state={self.state_path}",
        ]
        if qemu.cpu is not None:
            arguments.append(f"--cpu={qemu.cpu}")
        if qemu.min_version is not None:
            arguments.append(f"--min-version={qemu.min_version}")
        arguments += [f"--extra={extra}" for extra in (*qemu.extra_args, *self.extra)]
        if self.shared_arena and qemu.arena_ram_mib is not None:
            arguments.append(f"--shared-ram-mib={qemu.arena_ram_mib}")
        if self.pty:
            arguments.append("--pty")
        if not self.background:
            arguments.append(f"--owner={os.getpid()}")
        run_session_script(arguments)
        try:
            state = json.loads(self.state_path.read_text(encoding="utf-8"))
            return str(state["url"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DeviceError(f"QEMU's session left no usable state: {error}") from None

    def stop(self) -> bool:
        """Stop the machine; return whether it ran."""
        return stop_session(self.state_path)


def stop_session(state_path: Path) -> bool:
    """Stop the machine of a state file; return whether it ran."""
    return state_path.exists() and _stop(state_path)


def _stop(state_path: Path) -> bool:
    return run_session_script(["stop", f"--state={state_path}"]).strip() == "stopped"


def background_states() -> tuple[Path, ...]:
    """Return the state files, some of which may be gone, of this user's background machines."""
    found = json.loads(run_session_script(["list"]))
    return tuple(Path(each["state"]) for each in found if each["owner"] is None)


def stop_under(folder: Path) -> int:
    """Stop the background machines of projects in a folder; return how many ran.

    Also of projects that were removed while their machine ran.
    """
    root = folder.resolve()
    inside = [state for state in background_states() if state.resolve().is_relative_to(root)]
    return sum(_stop(state) for state in inside)


def stop_all() -> int:
    """Stop all of this user's background machines; return how many ran."""
    return int(run_session_script(["stop", "--all"]).split()[-1])


#: Where a project's background machine keeps its state; firmware/platform uses the same name.
SESSION_NAME = ".mcugen-qemu.json"


def session_path(project_root: Path) -> Path:
    """Return where the machine that PlatformIO's upload target started keeps its state."""
    return project_root / SESSION_NAME


@dataclass(frozen=True)
class Session:
    """A QEMU machine that runs in the background."""

    url: str
    pid: int
    elf_sha256: str
    ram: Path | None = None  #: the file that is the memory of a runner's models
    tty: str | None = None  #: the console's path where it is a tty; `url` is the same


def running_session(state_path: Path) -> Session | None:
    """Return the session of a state file, or None if there is none that runs."""
    if not state_path.exists():
        return None
    try:
        state = json.loads(run_session_script(["status", f"--state={state_path}"]))
        ram = Path(state["ram"]) if "ram" in state else None
        return Session(
            str(state["url"]), int(state["pid"]), str(state["elf_sha256"]), ram, state.get("tty")
        )
    except (McugenError, ValueError, KeyError, TypeError):
        return None


def run_session_script(arguments: list[str], *, timeout_s: float = 60.0) -> str:
    """Run the platform's QEMU session script and return what it prints.

    It runs in a session of its own: a Ctrl-C meant for mcugen must not cut it in half and leave a
    QEMU that nobody knows of.

    Raises ToolMissingError, DeviceError, DeviceTimeoutError.
    """
    from mcugen.base.resources import firmware_dir

    script = firmware_dir() / "platform" / "builder" / "qemu_session.py"
    with subprocess.Popen(
        [sys.executable, str(script), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise DeviceTimeoutError(f"QEMU did not start within {timeout_s:.0f} s") from None
        except KeyboardInterrupt:
            process.communicate(timeout=timeout_s)
            raise
    if process.returncode != 0:
        text = err.strip().removeprefix("error: ") or f"status {process.returncode}"
        if "is not on PATH" in text:
            message, _, install = text.partition(". Install it: ")
            raise ToolMissingError(message, hint=install or None)
        raise DeviceError(f"the simulator did not start: {text}")
    return out


@contextlib.contextmanager
def simulated_console(board: BoardSpec, elf: Path) -> Iterator[SerialConsole]:
    """A QEMU machine of one's own for as long as the block runs, stopped however it ends."""
    with tempfile.TemporaryDirectory(prefix="mcugen-qemu-") as folder:
        machine = QemuMachine(board, elf, Path(folder) / "session.json")
        try:
            console = SerialConsole(machine.start(), board.console.baud)
            try:
                yield console
            finally:
                console.close()
        finally:
            machine.stop()
