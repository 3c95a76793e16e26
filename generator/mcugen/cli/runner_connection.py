# SPDX-License-Identifier: BSD-3-Clause
"""A connection to a board that runs the runner."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import DeviceError, DeviceTimeoutError, McugenError
from mcugen.cli import runner as runner_image
from mcugen.flow import building, flashing
from mcugen.flow.settings import Settings

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec
    from mcugen.cli.terminal import Terminal
    from mcugen.device.runner import Runner
    from mcugen.project.build import BuiltImage


@contextlib.contextmanager
def connected_runner(settings: Settings, transcript: Path, terminal: Terminal) -> Iterator[Runner]:
    """Connect to the board's runner; a simulated one is started, and stays, if it does not run."""
    from mcugen.device.console import SerialConsole
    from mcugen.device.protocol.client import Client
    from mcugen.device.protocol.transcript import Transcript
    from mcugen.device.runner import Runner, SharedArena

    board = settings.board
    arena = None
    if settings.simulate:
        image, session = _session(settings, terminal)
        port = session.url
        if session.ram is not None:
            arena = SharedArena.of(board, image.elf, session.ram)
    else:
        target = flashing.find_target(settings)
        port = flashing.console_of(settings, target).name
    record = Transcript(transcript)
    try:
        with contextlib.ExitStack() as stack:
            stack.callback(record.close)
            if not settings.simulate:
                stack.enter_context(flashing.held(settings, target))
            terminal.stage(f"connect to {port}")
            console = SerialConsole(port, board.console.baud)
            stack.callback(console.close)
            runner = Runner(Client(console, record, settings.deadlines), arena)
            _require_runner(runner, board, port)
            yield runner
    except McugenError as error:
        if error.log_path is None and transcript.exists():
            error.log_path = transcript
        raise


def _session(settings: Settings, terminal: Terminal) -> tuple[BuiltImage, Any]:
    from mcugen.base import cache
    from mcugen.device import qemu

    building.check_compiler()
    image = runner_image.build_runner(settings, terminal)
    session = qemu.running_session(qemu.session_path(image.project.root))
    if session is None or session.elf_sha256 != cache.file_sha256(image.elf):
        session = runner_image.start(settings.board, image, terminal)
    return image, session


def _require_runner(runner: Runner, board: BoardSpec, port: str) -> None:
    hint = f"Put the runner on it: mcugen flash --runner --board {board.id}"
    try:
        info = runner.client.connect()
    except DeviceTimeoutError as error:
        if error.hint is None:
            error.hint = hint
        raise
    if info.runner is None:
        raise DeviceError(f"{port} runs {info.model}, not a runner", hint=hint)
    if info.board != board.id:
        raise DeviceError(f"{port} is a {info.board}, not a {board.id}", hint="See --board.")
