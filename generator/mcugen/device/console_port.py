# SPDX-License-Identifier: BSD-3-Clause
"""The port of a console, whatever the system calls it by now.

A port's name is not the port: what is behind it may be gone for a moment, because it was flashed
or its cable was pulled, and come back by another name; what has its name then may be another board.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from mcugen.base.errors import DisconnectedError
from mcugen.device.console import SerialConsole
from mcugen.device.find import UsbDevice

Attached = Callable[[], tuple[UsbDevice, ...]]


@dataclass(frozen=True)
class ConsolePort:
    """A port as it was named, and what had that name; usb: None where that is not known."""

    name: str
    usb: UsbDevice | None = None

    @classmethod
    def of(cls, name: str, devices: tuple[UsbDevice, ...]) -> ConsolePort:
        """Return what has that name now."""
        return cls(name, next((d for d in devices if d.usb_id and _is(d.port, name)), None))

    def current(self, devices: tuple[UsbDevice, ...]) -> str | None:
        """Return its name now, None while it is gone or not to be told from others."""
        if self.usb is None:
            return self.name
        found = [d.port for d in devices if d.port is not None and self.usb.is_same_port(d)]
        if any(_is(port, self.name) for port in found):
            return self.name
        return found[0] if len(found) == 1 else None

    def open(self, baud: int, attached: Attached, within_s: float = 0.0) -> SerialConsole:
        """Open it, once it is there.

        Raises DisconnectedError: it did not come back in time, is taken, or may not be opened.
        """
        deadline = time.monotonic() + within_s
        while True:
            name = self.current(attached())
            try:
                if name is None:
                    raise self._gone(within_s)
                return SerialConsole(name, baud)
            except DisconnectedError:
                # A port that has just come is root's for a moment, then ModemManager's for some.
                if time.monotonic() >= deadline:
                    raise
            time.sleep(0.1)

    def _gone(self, within_s: float) -> DisconnectedError:
        assert self.usb is not None
        what = f"USB {self.usb.usb_id}"
        if self.usb.serial is not None:
            what += f", serial {self.usb.serial}"
        within = f" within {within_s:.0f} s" if within_s else ""
        return DisconnectedError(
            f"{self.name} ({what}) is gone, and did not come back{within}",
            hint="Check the cable; 'mcugen devices' lists what is attached.",
        )


def _is(port: str | None, name: str) -> bool:
    return port is not None and os.path.realpath(port) == os.path.realpath(name)
