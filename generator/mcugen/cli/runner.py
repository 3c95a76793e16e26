# SPDX-License-Identifier: BSD-3-Clause
"""The generic image on a board or in a simulator: what `build --runner` and `flash --runner` do."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import (
    ConfigError,
    DeviceError,
)
from mcugen.cli.options import Options
from mcugen.cli.settings import resolve
from mcugen.flow import building, flashing
from mcugen.flow.settings import Settings
from mcugen.project import last_build

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec
    from mcugen.cli.terminal import Terminal
    from mcugen.project.build import BuiltImage


def build_runner(settings: Settings, terminal: Terminal) -> BuiltImage:
    """Generate and compile the board's runner, or find that nothing has changed."""
    from mcugen.project.build import build_project
    from mcugen.project.place import project_lock
    from mcugen.project.runner import write_runner_project

    board = settings.board
    root = settings.output or last_build.out_dir(settings.root) / f"runner-{board.id}"
    compiling = f"compile the runner for {board.name} ({board.cpu})"
    with project_lock(root):
        image = build_project(
            write_runner_project(board, root),
            board,
            progress=lambda _, done, total: terminal.step(compiling, done, total),
            verbose=terminal.verbose,
        )
    terminal.end_bar()
    return image


def build(options: Options, terminal: Terminal) -> tuple[str, dict[str, Any]]:
    """Make a runner; text and document."""
    from mcugen.flow.paths import show_path
    from mcugen.program import operator_table

    settings = _settings(options)
    building.check_compiler()
    image = build_runner(settings, terminal)
    document = _document(settings.board, image)
    text = (
        f"runner for {settings.board.name} ({settings.board.id}): {len(operator_table.names())} "
        f"operators, engine {image.engine_bytes:,} B, {document['arena_bytes']:,} B for models\n"
        f"{show_path(image.elf)}\n"
        f"mcugen flash --runner --board {settings.board.id} starts it, "
        f"mcugen push MODEL --board {settings.board.id} gives it a model"
    )
    return text, document


def flash(
    options: Options, terminal: Terminal, *, pty: bool = False, dry_run: bool = False
) -> tuple[str, dict[str, Any]]:
    """Put a runner on a board, or start it on QEMU and leave it running; text and document.

    pty: QEMU's console is a tty. dry_run: show the command that would flash, and no more.
    """
    settings = _settings(options)
    check_flash_options(settings, pty=pty, dry_run=dry_run)
    board = settings.board
    flashing.check_target(settings, flash=True, console=False)
    building.check_compiler()
    image = build_runner(settings, terminal)
    document = _document(board, image) | {"simulated": settings.simulate}
    hint = f"mcugen push MODEL --board {board.id}"
    if dry_run:
        return flashing.command_of(settings, image, document)
    if settings.simulate:
        session = start(board, image, terminal, pty=pty)
        document |= {"port": session.url, "probe": None, "pid": session.pid, "tty": session.tty}
        assert board.qemu is not None
        how = " --simulate" if not board.simulated_only else ""
        return (
            f"the runner runs on QEMU's {board.qemu.machine}; its console is {session.url}\n"
            f"{hint}{how} gives it a model; mcugen flash --stop ends it",
            document,
        )
    target = flashing.find_target(settings)
    document |= flashing.flash_and_ask(settings, image, target, terminal)
    return f"{flashed_text('the runner', board, document)}\n{hint} gives it a model", document


def flashed_text(what: str, board: BoardSpec, document: dict[str, Any]) -> str:
    """Return what became of an image: that it runs is only said of one that was asked."""
    if not document["confirmed"]:
        return f"{what} was written to {board.name}; nobody has asked whether it runs"
    return f"{what} runs on {board.name}; its console is {document['port']}"


def _settings(options: Options) -> Settings:
    if options.model is not None:
        raise ConfigError(
            f"--runner is an image without a model, and '{options.model}' is one",
            hint="Leave MODEL out; give it to 'mcugen push' afterwards.",
        )
    if options.optimize is not None:
        raise ConfigError("--runner is an image for any model: --optimize does not go with it")
    settings = resolve(options)
    # A folder in mcugen.toml is for the model's project.
    return dataclasses.replace(
        settings, output=options.output.absolute() if options.output is not None else None
    )


def _document(board: BoardSpec, image: BuiltImage) -> dict[str, Any]:
    from mcugen.flow.report import documents
    from mcugen.program import operator_table
    from mcugen.project.runner import arena_bytes

    return {
        "schema": "mcugen.runner/1",
        "board": documents.board_section(board),
        "firmware": {
            "id": image.firmware_id,
            "engine_bytes": image.engine_bytes,
            "static_ram_bytes": image.static_ram_bytes,
            "toolchain": image.toolchain,
            "flags": image.flags,
            "elf": str(image.elf),
        },
        "arena_bytes": arena_bytes(image.elf),
        "operators": list(operator_table.names()),
        "project": str(image.project.root),
        "log": str(image.log_path),
    }


def check_flash_options(settings: Settings, *, pty: bool, dry_run: bool) -> None:
    """Refuse --pty for a real board and --dry-run for a simulated one. Raises ConfigError."""
    if dry_run and settings.simulate:
        raise ConfigError("--dry-run shows how a real board is flashed; --simulate flashes none")
    if pty and not settings.simulate:
        raise ConfigError(
            f"--pty is the console of a simulated board, and {settings.board.id} is not simulated",
            hint="Add --simulate; a real board has a serial port: mcugen devices",
        )


def start(board: BoardSpec, image: BuiltImage, terminal: Terminal, *, pty: bool = False) -> Any:
    """Start the runner on QEMU, detached, in place of one that runs there already."""
    from mcugen.device import qemu

    assert board.qemu is not None
    terminal.stage(f"start QEMU ({board.qemu.machine})")
    path = qemu.session_path(image.project.root)
    qemu.QemuMachine(board, image.elf, path, shared_arena=True, background=True, pty=pty).start()
    session = qemu.running_session(path)
    if session is None:
        raise DeviceError("QEMU was started but does not run the runner")
    return session
