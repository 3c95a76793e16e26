# SPDX-License-Identifier: BSD-3-Clause
"""A record of all that went over a link."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import TextIO

from mcugen.device.protocol.frames import BAD_FRAME_TYPE, REPLY_FLAG, Frame, FrameType
from mcugen.device.protocol.stream import Event, TextLine


class Transcript:
    """Everything that crosses the wire, as text a person can read.

    `>` what the host sent, `<` what the device sent, each with the seconds since opening.
    Text is shown as it is; a frame as its fields with the body in hex.
    """

    def __init__(self, path: Path | None = None, *, append: bool = False) -> None:
        """Begin a record, in a file if one is named; append: to what it holds."""
        self.path = path
        self._start = time.monotonic()
        self._file: TextIO | None = None
        self._last: deque[str] = deque(maxlen=8)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a" if append else "w", encoding="utf-8", newline="\n")

    def note(self, text: str) -> None:
        """Add a remark of the host's."""
        self._write("#", text)

    def sent_text(self, text: str) -> None:
        """Record a text command."""
        self._write(">", text)

    def sent_frame(self, frame: Frame) -> None:
        """Record a request frame."""
        self._write(">", _frame_text(frame))

    def received(self, event: Event) -> None:
        """Record what came from the device."""
        if isinstance(event, TextLine):
            self._last.append(event.text)
            self._write("<", event.text)
        elif isinstance(event, Frame):
            text = _frame_text(event)
            self._last.append(text if len(text) <= 100 else text[:97] + "…")
            self._write("<", text)
        else:
            self._last.append(f"[bad frame: {event.reason}]")
            self._write("<", f"[bad frame: {event.reason}] {event.raw.hex()}")

    def last_lines(self) -> tuple[str, ...]:
        """Return the last lines received."""
        return tuple(self._last)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, mark: str, text: str) -> None:
        if self._file is not None:
            self._file.write(f"{time.monotonic() - self._start:10.6f} {mark} {text}\n")
            self._file.flush()


def _frame_text(frame: Frame) -> str:
    kind = frame.type & ~REPLY_FLAG
    name = FrameType(kind).name if kind in FrameType.__members__.values() else f"0x{kind:02x}"
    if frame.type == BAD_FRAME_TYPE:
        name = "BAD_FRAME"
    elif frame.type & REPLY_FLAG:
        name += " reply"
    return f"[frame {name} seq {frame.seq}] {frame.body.hex()}"
