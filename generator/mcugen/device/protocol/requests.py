# SPDX-License-Identifier: BSD-3-Clause
"""What a host sends, in any chunks, to commands and frames: for who listens to both sides."""

from __future__ import annotations

from dataclasses import dataclass

from mcugen.base.errors import ProtocolError
from mcugen.device.protocol.frames import MAX_ENCODED_BYTES, Frame, decode_frame
from mcugen.device.protocol.stream import BadFrame

#: A device drops a frame that does not go on for that long (docs/protocol.md).
FRAME_TIMEOUT_S = 0.5
_MAX_COMMAND_BYTES = 1 << 12


@dataclass(frozen=True)
class Command:
    """A text command without its closing `%`."""

    text: str


class RequestDemultiplexer:
    """Splits what a host sends as the device does: `%` ends a command, zero bytes hold a frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._in_frame = False
        self._last_s = 0.0

    def feed(self, data: bytes, now_s: float) -> list[Command | Frame | BadFrame]:
        """Return what is complete with these bytes.

        Args:
            now_s: when they came, by a clock that does not go back.
        """
        events: list[Command | Frame | BadFrame] = []
        if self._in_frame and now_s - self._last_s > FRAME_TIMEOUT_S:
            if self._buffer:
                events.append(BadFrame("it did not go on for 500 ms", bytes(self._buffer)))
            self._in_frame = False
            self._buffer.clear()
        self._last_s = now_s
        for byte in data:
            if byte == 0:
                events += self._on_zero()
            elif self._in_frame:
                self._buffer.append(byte)
                if len(self._buffer) > MAX_ENCODED_BYTES:
                    events.append(BadFrame("longer than any frame", bytes(self._buffer)))
                    self._in_frame = False
                    self._buffer.clear()
            elif byte == ord("%"):
                events.append(Command(self._buffer.decode("utf-8", "backslashreplace")))
                self._buffer.clear()
            elif byte not in b"\r\n":
                self._buffer.append(byte)
                if len(self._buffer) > _MAX_COMMAND_BYTES:
                    self._buffer.clear()  # no command is as long
        return events

    def _on_zero(self) -> list[Command | Frame | BadFrame]:
        held = bytes(self._buffer)
        self._buffer.clear()
        if not self._in_frame:
            self._in_frame = True  # a half-typed command is dropped
            return []
        if not held:
            return []  # two zero bytes in a row: still in front of a frame
        self._in_frame = False
        try:
            return [decode_frame(held)]
        except ProtocolError as error:
            return [BadFrame(error.message, held)]
