# SPDX-License-Identifier: BSD-3-Clause
"""Put an image on a real board, and see that it runs there."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcugen.base.errors import (
    DeviceError,
    DeviceTimeoutError,
    DisconnectedError,
    FlashError,
)
from mcugen.device.console import PortRefusedError, SerialConsole, port_holders, whose
from mcugen.device.console_port import Attached, ConsolePort
from mcugen.device.find import UsbDevice, find_devices
from mcugen.device.protocol.client import Client, Deadlines
from mcugen.device.protocol.transcript import Transcript
from mcugen.device.route import Route
from mcugen.device.target import HOW_TO_START

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec
    from mcugen.device.protocol.info import DeviceInfo
    from mcugen.project.build import BuiltImage
    from mcugen.project.upload import UploadCommand

TOUCH_BAUD = 1200
LOADER_WITHIN_S = 10.0
#: A port goes and comes when what is behind it restarts.
PORT_WITHIN_S = 8.0


@dataclass(frozen=True)
class BoardFlasher:
    """Flashes through PlatformIO's upload target, by one route."""

    board: BoardSpec
    route: Route

    def flash(self, image: BuiltImage) -> None:
        """Raises FlashError, ToolMissingError."""
        from mcugen.project.upload import upload

        route, place = self.route, self.route.place
        if route.touch is not None:
            place = self._touched(route.touch)
        try:
            upload(
                image.project,
                self.board,
                simulate=False,
                way=route.way,
                serial=route.serial,
                place=place,
            )
        except FlashError as error:
            if (node := route.node or place) is not None:
                _add_node(error, node)
            raise

    def command(self, image: BuiltImage) -> UploadCommand:
        """Return what `flash` would run. Touches no device."""
        from mcugen.project.upload import upload

        route = self.route
        # Which port the boot loader will have is only known when it is there.
        place = route.touch.port if route.touch is not None else route.place
        return upload(
            image.project,
            self.board,
            simulate=False,
            way=route.way,
            serial=route.serial,
            place=place,
            dry_run=True,
        )

    def _touched(self, touch: UsbDevice) -> str:
        """Return the port of the boot loader that a touch at 1200 baud has started."""
        assert touch.port is not None
        how = self.board.upload.bossac if self.board.upload else None
        assert how is not None

        def loaders() -> list[UsbDevice]:
            found = find_devices([self.board])
            return [d for d in found if (d.vid, d.pid) in how.usb_ids and d.port is not None]

        others = loaders()  # of other boards
        try:
            SerialConsole(touch.port, TOUCH_BAUD).close()
        except PortRefusedError as error:
            raise FlashError(
                f"the boot loader of {self.board.id} cannot be started: {error.message}",
                hint=error.hint,
            ) from None
        except DisconnectedError:
            pass  # it may vanish before it is closed: that is what is asked for
        deadline = time.monotonic() + LOADER_WITHIN_S
        while time.monotonic() < deadline:
            there = [device for device in loaders() if device not in others]
            own = [d for d in there if touch.serial is not None and d.has_serial(touch.serial)]
            if len(own or there) == 1:
                return str((own or there)[0].port)
            time.sleep(0.1)
        raise FlashError(
            f"{touch.port} was opened at {TOUCH_BAUD} baud, but no boot loader of {self.board.id} "
            f"came within {LOADER_WITHIN_S:.0f} s",
            hint=f"Start it by hand: {HOW_TO_START['bossac']}",
        )


def _add_node(error: FlashError, node: str) -> None:
    """Say who holds a USB device or a port, or whose it is, where that is what went wrong."""
    if "another program uses" in error.message and (holders := port_holders(node)):
        error.message += f"\n{node} is held by {', '.join(holders)}"
    if "no permission" in error.message and os.path.exists(node):
        error.message += f"\n{node}: {whose(node)}"


def opened_after_flashing(port: ConsolePort, baud: int, attached: Attached) -> SerialConsole:
    """Open the console of a board that has just been flashed: its port may still be gone.

    Raises FlashError: it does not come back, or may not be opened.
    """
    try:
        return port.open(baud, attached, PORT_WITHIN_S)
    except DisconnectedError as error:
        raise FlashError(
            f"the image was written, but its console cannot be asked: {error.message}",
            hint=error.hint,
        ) from None


def asked_for_its_id(
    port: ConsolePort, baud: int, deadlines: Deadlines, transcript: Transcript, attached: Attached
) -> tuple[DeviceInfo, str]:
    """Return what a board that has just been flashed says of itself, and its port's name.

    The board may restart when the port is opened. Raises FlashError: it does not come back, or says
    nothing.
    """
    console = opened_after_flashing(port, baud, attached)
    try:
        return Client(console, transcript, deadlines).connect(), console.name
    except (DeviceError, DeviceTimeoutError) as error:
        name = console.name
        raise FlashError(
            f"the image was written, but nothing that runs it answers at {name}: {error.message}",
            hint=f"Is {name} the console of the board that was flashed? If so, press its reset "
            "button, and flash again if it stays silent.",
        ) from None
    finally:
        console.close()


def check_flashed(info: DeviceInfo, firmware_id: str, port: str, route: Route) -> None:
    """Raises FlashError unless a board runs what was just written."""
    if info.firmware_id == firmware_id:
        return
    raise FlashError(
        f"firmware {firmware_id} was written{route.describe()}, but the device at {port} runs "
        f"{info.firmware_id} ({info.model} for {info.board})",
        hint=f"{os.path.basename(port)} is another board's console, or the board did not restart: "
        "see 'mcugen devices', press its reset button, and flash again.",
    )
