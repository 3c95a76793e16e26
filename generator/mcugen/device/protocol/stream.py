# SPDX-License-Identifier: BSD-3-Clause
"""Bytes in any chunks to text lines and frames, through noise."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mcugen.base.errors import ProtocolError
from mcugen.device.protocol.frames import MAX_ENCODED_BYTES, Frame, decode_frame


@dataclass(frozen=True)
class TextLine:
    """A line of text without its end, unprintable noise in front of it removed."""

    text: str


@dataclass(frozen=True)
class BadFrame:
    """Bytes between two zero bytes that are no valid frame."""

    reason: str
    raw: bytes


Event = TextLine | Frame | BadFrame
_PRINTABLE = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D}


def _clean_line(raw: bytes) -> str:
    raw = raw.rstrip(b"\r\n").replace(b"\r", b"")
    try:
        text = raw.decode("utf-8")
        if text.isprintable():
            return text
    except UnicodeDecodeError:
        pass
    # Line noise or the half of a frame went before it: the line starts after the last of that.
    return re.sub(rb"(?s)^.*[^\x20-\x7e]", b"", raw).decode("ascii")


class StreamDemultiplexer:
    """Splits what a device sends into text lines and frames, whatever the chunks.

    The rule of docs/protocol.md is a zero byte in front of and behind each frame and none in text.
    A zero byte made by noise would turn that inside out, so frame state is left also when what
    was collected reads as a line of text (a reply's second byte is its type, which is 0x81 or
    more, so a frame never does), or is longer than any frame; and the zero byte that ends a bad
    frame may be the one that starts the next.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._in_frame = False

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that are complete with these bytes."""
        events: list[Event] = []
        for byte in data:
            if byte == 0:
                events.extend(self._on_zero())
                continue
            self._buffer.append(byte)
            if self._in_frame:
                if byte == 0x0A and len(self._buffer) > 1 and self._reads_as_text():
                    self._in_frame = False
                    for line in bytes(self._buffer).splitlines():
                        events.extend(self._line(line))
                    self._buffer.clear()
                elif len(self._buffer) > MAX_ENCODED_BYTES:
                    events.append(BadFrame("longer than any frame", bytes(self._buffer)))
                    self._in_frame = False
                    self._buffer.clear()
            elif byte == 0x0A:
                events.extend(self._line(bytes(self._buffer)))
                self._buffer.clear()
            elif len(self._buffer) > 1 << 16:
                self._buffer.clear()  # noise without an end
        return events

    def partial(self) -> str:
        """Return what has come of an unfinished line, for messages."""
        return "" if self._in_frame else _clean_line(bytes(self._buffer))

    def _reads_as_text(self) -> bool:
        return all(byte in _PRINTABLE for byte in self._buffer)

    @staticmethod
    def _line(raw: bytes) -> list[Event]:
        text = _clean_line(raw)
        return [TextLine(text)] if text else []

    def _on_zero(self) -> list[Event]:
        held = bytes(self._buffer)
        self._buffer.clear()
        if not self._in_frame:
            self._in_frame = True
            return self._line(held)
        if not held:
            return []  # two zero bytes in a row: still in front of a frame
        try:
            frame = decode_frame(held)
        except ProtocolError as error:
            return [BadFrame(error.message, held)]  # this zero byte may start the next frame
        self._in_frame = False
        return [frame]
