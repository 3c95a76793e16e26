# SPDX-License-Identifier: BSD-3-Clause
"""The way that an image takes onto a board: through its probe, or through a boot loader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcugen.base.errors import FlashError, McugenError
from mcugen.base.toolchain import UPLOADERS, find_uploader, which
from mcugen.boards.load import check_way
from mcugen.boards.upload import PROBE_WAYS
from mcugen.device.find import UsbDevice
from mcugen.device.target import HOW_TO_START, Target, list_devices, require_probe
from mcugen.device.volumes import volumes

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec


@dataclass(frozen=True)
class Route:
    """What an upload is told.

    serial: of the probe or the boot loader; None only where there is no other. place: port of the
    boot loader, or the folder of its volume. touch: a port that becomes a boot loader's when it is
    opened at 1200 baud. node: of the USB device, for messages.
    """

    way: str
    serial: str | None = None
    place: str | None = None
    touch: UsbDevice | None = None
    node: str | None = None

    def describe(self) -> str:
        """Return it in words, behind "flash BOARD"."""
        through = self.serial or self.place or (self.touch.port if self.touch else None)
        if self.way in PROBE_WAYS and self.serial:
            return f" through probe {self.serial} ({self.way})"
        return f" by {self.way}" + (f", {through}" if through else "")


def choose_route(
    board: BoardSpec, devices: tuple[UsbDevice, ...], target: Target, way: str | None
) -> Route:
    """Return the way onto the board.

    Args:
        way: `--with`; None: the first of the board's ways for which something is attached and
            whose program is installed.

    Raises ConfigError: not a way onto this board. FlashError: nothing is there to go through, or
    several things. ToolMissingError.
    """
    ways = board.upload.ways if board.upload is not None else ()
    if way is not None:
        check_way(board, way)
        route = _route(board, devices, target, way)
        find_uploader(way)
        return route
    routes: list[Route] = []
    refusals: list[McugenError] = []
    for each in ways:
        # The ROM on a UART does not show itself: only who knows that it runs asks for it.
        if each == "stm32flash" and len(ways) > 1:
            continue
        try:
            routes.append(_route(board, devices, target, each))
        except FlashError as error:
            refusals.append(error)
    if not routes:
        raise refusals[0]
    usable = [route for route in routes if _is_installed(route.way)]
    route = (usable or routes)[0]
    find_uploader(route.way)
    return route


def _is_installed(way: str) -> bool:
    return way not in UPLOADERS or which(UPLOADERS[way]) is not None


def _route(board: BoardSpec, devices: tuple[UsbDevice, ...], target: Target, way: str) -> Route:
    if way in PROBE_WAYS:
        require_probe(board, devices, target)
        own = next((d for d in devices if d.is_probe and d.serial == target.probe_serial), None)
        return Route(way, serial=target.probe_serial, node=own.node if own else None)
    if way == "uf2":
        return Route(way, place=_volume(board, devices, target))
    if way == "stm32flash":
        if target.port is None:
            raise FlashError(
                f"{board.id} has no serial port to reach its ROM by",
                hint="Name it with --port PORT, and start the board with BOOT0 at 1.",
            )
        return Route(way, place=target.port)
    loader = _loader(board, devices, target, way)
    if way == "dfu":
        return Route(way, serial=loader.serial, node=loader.node)
    if board.id in loader.touch_for:
        return Route(way, touch=loader)
    return Route(way, place=loader.port)


def _volume(board: BoardSpec, devices: tuple[UsbDevice, ...], target: Target) -> str:
    assert board.upload is not None and board.upload.uf2 is not None
    board_id = board.upload.uf2.board_id
    found = [folder for folder, _ in volumes(board_id)]
    if target.volume is not None:
        named = [folder for folder in found if folder.rstrip("/") == target.volume.rstrip("/")]
        if named:
            return named[0]
        raise FlashError(
            f"{target.volume} is not the volume of a {board_id} (its INFO_UF2.TXT would say so)",
            hint=f"To get one: {HOW_TO_START['uf2']}",
        )
    if len(found) == 1:
        return found[0]
    if found:
        raise FlashError(
            f"{len(found)} volumes may be a {board.name} ({board.id}):\n"
            + "\n".join(f"  {folder}" for folder in found),
            hint="Choose one with --device FOLDER.",
        )
    others = "".join(f"\n  {folder}: {name}" for folder, name in volumes())
    raise FlashError(
        f"no volume of a {board_id} is mounted, to flash {board.id} by UF2"
        + (f"; others:{others}" if others else ""),
        hint=f"To get one: {HOW_TO_START['uf2']}",
    )


def _loader(
    board: BoardSpec, devices: tuple[UsbDevice, ...], target: Target, way: str
) -> UsbDevice:
    """Return the boot loader, or the port that becomes one."""
    assert board.upload is not None
    how = board.upload.bossac if way == "bossac" else board.upload.dfu
    assert how is not None
    found = [
        device
        for device in devices
        if (device.vid, device.pid) in how.usb_ids
        or (way == "bossac" and board.id in device.touch_for)
    ]
    if target.loader is not None:
        found = [device for device in found if device == target.loader]
    if len(found) == 1:
        return found[0]
    if found:
        raise FlashError(
            f"{len(found)} boot loaders may be a {board.name} ({board.id}):\n"
            + "\n".join(f"  {device.describe()}" for device in found),
            hint="Choose one with --device SERIAL|PORT.",
        )
    raise FlashError(
        f"no boot loader of {board.id} is attached, to flash it by {way}\n{list_devices(devices)}",
        hint=f"To start it: {HOW_TO_START[way]}",
    )
