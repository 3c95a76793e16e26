# SPDX-License-Identifier: BSD-3-Clause
"""The device that is meant, the way onto it, and an image put there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcugen.base.errors import ConfigError, FlashError, McugenError
from mcugen.flow.settings import Settings

if TYPE_CHECKING:
    from mcugen.device.find import UsbDevice
    from mcugen.device.route import Route
    from mcugen.device.target import Target
    from mcugen.flow.terminal import Terminal
    from mcugen.project.build import BuiltImage


def check_target(settings: Settings, *, flash: bool = False) -> None:
    """Find out now that there is no board, or no simulator, to run anything on.

    Args:
        flash: a real board is going to be flashed, so its probe must be known.
    """
    if settings.simulate:
        from mcugen.base.toolchain import QEMU, find_tool

        find_tool(QEMU)
        return
    target = find_target(settings)
    if flash:
        find_route(settings, target)


def find_target(settings: Settings) -> Target:
    """Return the one attached device that is meant. Raises FlashError."""
    from mcugen.device.target import choose_target

    return choose_target(settings.board, _attached(settings), settings.device, settings.port)


def find_route(settings: Settings, target: Target) -> Route:
    """Return the way onto the board. Raises FlashError, ToolMissingError, ConfigError."""
    from mcugen.device.route import choose_route

    return choose_route(settings.board, _attached(settings), target, settings.way)


def _attached(settings: Settings) -> tuple[UsbDevice, ...]:
    from mcugen.boards.load import list_boards
    from mcugen.device import find

    boards = list_boards()
    # A board file of the user's own is not among them.
    return find.find_devices(boards if settings.board in boards else (*boards, settings.board))


def can_flash(settings: Settings, target: Target) -> bool:
    """Whether it is known how to get an image onto a device."""
    try:
        find_route(settings, target)
    except FlashError:
        return False
    return True


def flash_board(settings: Settings, image: BuiltImage, target: Target, terminal: Terminal) -> Route:
    """Put an image on a real board, through no other probe than its own, and return how.

    Raises FlashError, ToolMissingError; DisconnectedError where another mcugen, or a rig, holds it.
    """
    from mcugen.device.flash import BoardFlasher
    from mcugen.device.probe_lock import probe_lock

    route = find_route(settings, target)
    # A device without any number is locked by what it is: one of its kind at a time.
    through = route.serial or route.place or target.port or settings.board.id
    terminal.stage(f"flash {settings.board.name}{route.describe()}")
    with probe_lock(through):
        BoardFlasher(settings.board, route).flash(image)
    return route


def flash_and_ask(
    settings: Settings, image: BuiltImage, target: Target, terminal: Terminal
) -> dict[str, Any]:
    """Put an image on a real board and read the id of what it runs then; for the document.

    Raises FlashError: it runs something else, or does not say.
    """
    from mcugen.device.flash import asked_for_its_id, check_flashed
    from mcugen.device.protocol.transcript import Transcript
    from mcugen.project.last_build import out_dir

    route = flash_board(settings, image, target, terminal)
    found = {
        "port": target.port,
        "probe": target.probe_serial,
        "way": route.way,
        "pid": None,
        "tty": None,
    }
    if target.port is None:
        terminal.warning(
            "the firmware was not asked for its id: no serial port of the board is known "
            "(--port PORT)"
        )
        return found | {"confirmed": False}
    terminal.stage(f"ask the firmware for its id at {target.port}")
    path = out_dir(settings.root) / "transcripts" / f"flash-{settings.board.id}.txt"
    transcript = Transcript(path)
    try:
        info = asked_for_its_id(
            target.port, settings.board.console.baud, settings.deadlines, transcript
        )
        check_flashed(info, image.firmware_id, target.port, route)
    except McugenError as error:
        error.log_path = path
        raise
    finally:
        transcript.close()
    return found | {"confirmed": True}


def command_of(
    settings: Settings, image: BuiltImage, document: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return what flashing would run, as text and in the document; nothing is flashed."""
    from mcugen.device.flash import BoardFlasher
    from mcugen.project.upload import as_text

    if settings.simulate:
        raise ConfigError("--dry-run shows how a real board is flashed; --simulate flashes none")
    target = find_target(settings)
    route = find_route(settings, target)
    command = BoardFlasher(settings.board, route).command(image)
    text = as_text(command)
    if route.touch is not None:
        text = (
            f"# opens {route.touch.port} at 1200 baud; then, with the boot loader's port:\n{text}"
        )
    return text, document | {
        "port": target.port,
        "probe": target.probe_serial,
        "way": route.way,
        "dry_run": True,
        "command": list(command.command),
        "environment": command.environment,
        "platformio": list(command.platformio),
    }
