# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen flash`: an image onto a board, or into a simulator that stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from mcugen.base.errors import ConfigError, FlashError
from mcugen.cli.building import last_or_build
from mcugen.cli.config import load_config
from mcugen.cli.options import BUILDING, TARGET, Options, RunnerOption
from mcugen.cli.runner import check_flash_options, flashed_text
from mcugen.cli.settings import resolve_with
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow.building import check_model
from mcugen.flow.connection import running_session
from mcugen.flow.flashing import check_target, command_of, find_target, flash_and_ask
from mcugen.flow.settings import Settings


@subcommand(*BUILDING, *TARGET)
def flash(
    options: Options,
    terminal: Terminal,
    *,
    runner: RunnerOption = False,
    pty: Annotated[
        bool,
        typer.Option(
            "--pty",
            help="With --simulate: the console is a tty, for any program that opens a serial port.",
        ),
    ] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="End the simulator that --simulate left running.")
    ] = False,
    all_folders: Annotated[
        bool, typer.Option("--all", help="With --stop: those started in other folders, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the command that would flash; run nothing.")
    ] = False,
) -> None:
    """Put the last build, or MODEL, on a board.

    --simulate starts it on QEMU and leaves it running until --stop, or until nobody has used it for
    10 minutes (MCUGEN_SIMULATOR_IDLE_MINUTES; 0: for good).
    """
    if all_folders and not stop:
        raise ConfigError("--all goes with --stop", hint="mcugen flash --stop --all")
    if stop:
        terminal.answer(*stop_simulator(all_folders=all_folders))
    elif runner:
        from mcugen.cli import runner as generic

        terminal.answer(*generic.flash(options, terminal, pty=pty, dry_run=dry_run))
    else:
        terminal.answer(*flash_build(options, terminal, pty=pty, dry_run=dry_run))


def flash_build(
    options: Options, terminal: Terminal, *, pty: bool = False, dry_run: bool = False
) -> tuple[str, dict[str, Any]]:
    """Put a build on a board, or start it on QEMU and leave it running; text and document."""
    # A board that is not there is found out before anything is built for it.
    early = _flash_settings(options)
    if early is not None:
        check_flash_options(early, pty=pty, dry_run=dry_run)
        if options.model is not None:
            check_model(early)
        check_target(early, flash=True, console=False)
    settings, built = last_or_build(options, terminal)
    check_flash_options(settings, pty=pty, dry_run=dry_run)
    document: dict[str, Any] = {
        "schema": "mcugen.flash/1",
        "board": built.board.id,
        "model": built.artifact.name,
        "firmware": {"id": built.image.firmware_id},
        "simulated": settings.simulate,
        "project": str(built.image.project.root),
    }
    if dry_run:
        return command_of(settings, built.image, document)
    if settings.simulate:
        from mcugen.project.upload import upload

        assert built.board.qemu is not None
        terminal.stage(f"start QEMU ({built.board.qemu.machine})")
        upload(built.image.project, built.board, simulate=True, pty=pty)
        session = running_session(built)
        if session is None:
            raise FlashError("QEMU was started but does not run the last build")
        document |= {"port": session.url, "probe": None, "pid": session.pid, "tty": session.tty}
        kind = "the tty " if session.tty else ""
        text = (
            f"{built.artifact.name} runs on QEMU's {built.board.qemu.machine}; "
            f"its console is {kind}{session.url}\n"
            "mcugen verify --simulate and mcugen bench --simulate use it; "
            "mcugen flash --stop ends it"
        )
        return text, document
    target = find_target(settings)
    document |= flash_and_ask(settings, built.image, target, terminal)
    return flashed_text(built.artifact.name, built.board, document), document


def _flash_settings(options: Options) -> Settings | None:
    """Return the settings `flash` will act with, or None if they depend on a build to be made."""
    from mcugen.project import last_build

    config = load_config(Path.cwd())
    if options.model is None and options.board is None and last_build.has_last_build(config.root):
        last = last_build.load_last_build(config.root)
        return resolve_with(replace(options, model=last.model, board=last.board_id), config)
    if options.model is None and options.board is None and config.model is None:
        return None
    return resolve_with(options, config)


def stop_simulator(*, all_folders: bool = False) -> tuple[str, dict[str, Any]]:
    """End the simulators that were left running for projects of this folder, or all of them."""
    from mcugen.cli.cleaning import running_elsewhere
    from mcugen.device import qemu
    from mcugen.project import last_build

    config = load_config(Path.cwd())
    folder = last_build.out_dir(config.root)
    projects = {path.parent for path in folder.glob(f"*/{qemu.SESSION_NAME}")}
    board = None
    if last_build.has_last_build(config.root):
        last = last_build.load_last_build(config.root)
        projects.add(last.image.project.root)
        board = last.board_id
    stopped = sum(qemu.stop_session(qemu.session_path(root)) for root in sorted(projects))
    stopped += qemu.stop_under(folder)
    if all_folders:
        stopped += qemu.stop_all()
    text = "the simulator was stopped" if stopped else "no simulator was running"
    if stopped > 1 and all_folders:
        text = f"{stopped} simulators were stopped"
    others, told = running_elsewhere()
    return "\n".join([text, *told]), {
        "schema": "mcugen.flash/1",
        "board": board,
        "stopped": bool(stopped),
        "simulators_elsewhere": others,
    }
