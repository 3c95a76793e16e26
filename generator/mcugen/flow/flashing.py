# SPDX-License-Identifier: BSD-3-Clause
"""The device that is meant, the way onto it, and an image put there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import FlashError, McugenError
from mcugen.flow.settings import Settings

if TYPE_CHECKING:
    from mcugen.device.console_port import ConsolePort
    from mcugen.device.find import UsbDevice
    from mcugen.device.route import Route
    from mcugen.device.target import Target
    from mcugen.flow.terminal import Terminal
    from mcugen.project.build import BuiltImage


def check_target(settings: Settings, *, flash: bool = False, console: bool = True) -> None:
    """Find out now that there is no board, or no simulator, to run anything on.

    Args:
        flash: a real board is going to be flashed, so its probe must be known.
        console: it is going to be talked to, so its port must be.
    """
    if settings.simulate:
        from mcugen.base.toolchain import QEMU, find_tool

        find_tool(QEMU)
        return
    target = find_target(settings)
    if console:
        console_of(settings, target)
    if flash:
        find_route(settings, target)


def find_target(settings: Settings) -> Target:
    """Return the one attached device that is meant. Raises FlashError."""
    from mcugen.device.target import choose_target

    return choose_target(settings.board, attached(settings), settings.device, settings.port)


def console_of(settings: Settings, target: Target) -> ConsolePort:
    """Return the port of a device's console. Raises FlashError if none is known."""
    from mcugen.device.console_port import ConsolePort
    from mcugen.device.target import list_devices

    devices = attached(settings)
    if target.port is None:
        probe = f"the probe {target.probe_serial}" if target.probe_serial else "what is attached"
        raise FlashError(
            f"{probe} of {settings.board.id} has no serial port, and no other is known to be the "
            f"board's console\n{list_devices(devices)}",
            hint="Name it with --port PORT.",
        )
    return ConsolePort.of(target.port, devices)


def find_route(settings: Settings, target: Target) -> Route:
    """Return the way onto the board. Raises FlashError, ToolMissingError, ConfigError."""
    from mcugen.device.route import choose_route

    return choose_route(settings.board, attached(settings), target, settings.way)


def attached(settings: Settings) -> tuple[UsbDevice, ...]:
    """Return the ports, probes and boot loaders of this machine."""
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


@contextlib.contextmanager
def held(settings: Settings, target: Target) -> Iterator[None]:
    """Keep other programs from a real board, by its probe and its ports, for as long as it takes.

    Raises DisconnectedError where another mcugen, or a rig, holds it.
    """
    from mcugen.device.probe_lock import probe_lock

    names = [target.probe_serial, target.port]
    with contextlib.suppress(McugenError):  # it may be there to be talked to only
        route = find_route(settings, target)
        touch = (route.touch.serial, route.touch.port) if route.touch else ()
        names += [route.serial, route.place, *touch]
    # A device without any number is locked by what it is: one of its kind at a time.
    with probe_lock(*names, None if any(names) else settings.board.id):
        yield


def flash_board(settings: Settings, image: BuiltImage, target: Target, terminal: Terminal) -> Route:
    """Put an image on a real board, which is held, through no other probe than its own; return how.

    Raises FlashError, ToolMissingError.
    """
    from mcugen.device.flash import BoardFlasher

    route = find_route(settings, target)
    terminal.stage(f"flash {settings.board.name}{route.describe()}")
    BoardFlasher(settings.board, route).flash(image)
    return route


def flash_and_ask(
    settings: Settings, image: BuiltImage, target: Target, terminal: Terminal
) -> dict[str, Any]:
    """Put an image on a real board and read the id of what it runs then; for the document.

    Raises FlashError: it runs something else, or does not say.
    """
    with held(settings, target):
        return _flash_and_ask(settings, image, target, terminal)


def _flash_and_ask(
    settings: Settings, image: BuiltImage, target: Target, terminal: Terminal
) -> dict[str, Any]:
    from mcugen.device.flash import asked_for_its_id, check_flashed
    from mcugen.device.protocol.transcript import Transcript
    from mcugen.project.last_build import out_dir

    # What it is now is how it is known again.
    port = console_of(settings, target) if target.port is not None else None
    route = flash_board(settings, image, target, terminal)
    found = {
        "port": target.port,
        "probe": target.probe_serial,
        "way": route.way,
        "pid": None,
        "tty": None,
    }
    if port is None:
        terminal.warning(
            "the firmware was not asked for its id: no serial port of the board is known "
            "(--port PORT)"
        )
        return found | {"confirmed": False}
    terminal.stage(f"ask the firmware for its id at {port.name}")
    path = out_dir(settings.root) / "transcripts" / f"flash-{settings.board.id}.txt"
    transcript = Transcript(path)
    try:
        baud = settings.board.console.baud
        info, name = asked_for_its_id(
            port, baud, settings.deadlines, transcript, lambda: attached(settings)
        )
        check_flashed(info, image.firmware_id, name, route)
    except McugenError as error:
        error.log_path = path
        raise
    finally:
        transcript.close()
    return found | {"port": name, "confirmed": True}


def command_of(
    settings: Settings, image: BuiltImage, document: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return what flashing would run, as text and in the document; nothing is flashed."""
    from mcugen.device.flash import BoardFlasher
    from mcugen.project.upload import as_text

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
