# SPDX-License-Identifier: BSD-3-Clause
"""Listen to a device, and to a program that talks to it through us."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from mcugen.device.protocol.requests import RequestDemultiplexer
from mcugen.device.protocol.stream import StreamDemultiplexer
from mcugen.device.protocol.wording import Said

if TYPE_CHECKING:
    from mcugen.device.console import SerialConsole
    from mcugen.device.proxy_tty import ProxyTty

_LOOK_EVERY_S = 0.2
#: Where a port has no file descriptor to wait for (`rfc2217://`).
_POLL_EVERY_S = 0.01


@dataclass(frozen=True)
class Heard:
    """Bytes of one side, or what they say."""

    at_s: float  #: since listening began
    from_device: bool
    what: bytes | Said


@dataclass
class Monitor:
    """One device, and who talks to it: another program at `tty`, or lines that are typed.

    raw: hand on the bytes as they come instead of what they say.
    """

    console: SerialConsole
    hear: Callable[[Heard], None]
    tty: ProxyTty | None = None
    typed: IO[str] | None = None
    raw: bool = False

    def __post_init__(self) -> None:
        self._start_s = time.monotonic()
        self._device = StreamDemultiplexer()
        self._host = RequestDemultiplexer()
        self._line = ""

    def listen(self, seconds: float | None = None) -> None:
        """Listen until `seconds` have passed, or for good.

        Raises DisconnectedError when the device goes away.
        """
        end_s = None if seconds is None else time.monotonic() + seconds
        while True:
            left_s = _LOOK_EVERY_S if end_s is None else end_s - time.monotonic()
            if left_s <= 0:
                return
            self._once(min(left_s, _LOOK_EVERY_S))

    def send(self, data: bytes) -> None:
        """Send bytes to the device, and hear them as the host's."""
        self._heard(data, from_device=False)
        self.console.write(data)

    def _once(self, wait_s: float) -> None:
        port = self.console.fd
        readable = [] if port is None else [port]
        if self.tty is not None:
            readable.append(self.tty.fd)
        if self.typed is not None:
            readable.append(self.typed.fileno())
        writable = [self.tty.fd] if self.tty is not None and self.tty.has_pending else []
        ready, free, _ = select.select(
            readable, writable, [], _POLL_EVERY_S if port is None else wait_s
        )
        if self.tty is not None:
            if free:
                self.tty.flush()
            if self.tty.fd in ready and (data := self.tty.read()):
                self.send(data)
        if self.typed is not None and self.typed.fileno() in ready:
            self._type(self.typed)
        if (port is None or port in ready) and (data := self.console.read(0)):
            self._heard(data, from_device=True)
            if self.tty is not None:
                self.tty.write(data)

    def _type(self, stream: IO[str]) -> None:
        data = os.read(stream.fileno(), 4096)
        if not data:
            self.typed = None  # its end: listening goes on
            data = b"\n" if self._line else b""
        *lines, self._line = (self._line + data.decode("utf-8", "replace")).split("\n")
        for line in lines:
            if command := line.strip():
                self.send(command.encode() + (b"" if command.endswith("%") else b"%"))

    def _heard(self, data: bytes, *, from_device: bool) -> None:
        now_s = time.monotonic()
        at_s = now_s - self._start_s
        if self.raw:
            self.hear(Heard(at_s, from_device, data))
            return
        said = self._device.feed(data) if from_device else self._host.feed(data, now_s)
        for each in said:
            self.hear(Heard(at_s, from_device, each))
