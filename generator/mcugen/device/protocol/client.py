# SPDX-License-Identifier: BSD-3-Clause
"""Commands with a deadline each, over a `Console`."""

from __future__ import annotations

import struct
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mcugen.base.errors import DeviceError, DeviceTimeoutError, ProtocolError
from mcugen.device.protocol.faults import parse_fault
from mcugen.device.protocol.frames import (
    BAD_FRAME_TYPE,
    READ_CHUNK_BYTES,
    REPLY_FLAG,
    STATUS_WORDS,
    WRITE_CHUNK_BYTES,
    Frame,
    FrameType,
    Status,
    encode_frame,
)
from mcugen.device.protocol.info import DeviceInfo, parse_info
from mcugen.device.protocol.stream import BadFrame, Event, StreamDemultiplexer, TextLine
from mcugen.device.protocol.text import TextReply
from mcugen.device.protocol.transcript import Transcript


class Console(Protocol):
    """A byte stream to and from a device. Implemented in device/console.py."""

    @property
    def name(self) -> str:
        """What it is called in messages: a port or a URL."""

    def write(self, data: bytes) -> None:
        """Send all of it. Raises DeviceError."""

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting up to `timeout_s` for the first byte; b"" if nothing has.

        Raises DeviceError if the other end is gone.
        """

    def close(self) -> None:
        """Give the port back."""


#: What an answer says instead of the command's own when bytes of the command were lost on the way.
RECEIVE_OVERRUN = "Receive overrun"


@dataclass(frozen=True)
class Deadlines:
    """How long each kind of wait may take, in seconds."""

    connect_s: float = 15.0
    command_s: float = 10.0
    execute_s: float = 120.0


class RefusedError(DeviceError):
    """The device answered a frame with a status other than OK."""

    def __init__(self, message: str, *, status: int, log_path: Path | None = None) -> None:
        super().__init__(message, log_path=log_path)
        self.status = status


class _DamagedReply(Exception):
    """A reply came, or the device said that a request came, damaged."""

    def __init__(self, reason: str, *, executed: bool) -> None:
        super().__init__(reason)
        self.executed = executed


def _accepted(text: str, reply: TextReply) -> TextReply:
    """Return the reply to a command. Raises DeviceError if it is an error."""
    if reply.errors:
        raise DeviceError(f"the device refused '{text}%': {reply.errors[0]}")
    return reply


@dataclass
class Client:
    """Sends commands to one device. Every wait has a deadline.

    Frames whose effect is the same when done twice (PING, WRITE_INPUT, READ_*) are sent again when
    a CRC shows that the request or the reply was damaged, at most `retries` times. EXECUTE is sent
    again only when the device says that it never understood it: a model may keep state.
    """

    console: Console
    transcript: Transcript = field(default_factory=Transcript)
    deadlines: Deadlines = field(default_factory=Deadlines)
    retries: int = 3

    def __post_init__(self) -> None:
        self._demux = StreamDemultiplexer()
        self._events: deque[Event] = deque()
        self._seq = 0

    # -- text mode

    def command(self, text: str, *, timeout_s: float | None = None) -> TextReply:
        """Send `text` (without the closing `%`) and return the answer up to `m-ready`.

        An answer with `e-[…]` is returned like any other: look at `.errors`.
        Raises DeviceTimeoutError, DeviceError on a fault report.
        """
        self.transcript.sent_text(text + "%")
        self.console.write(text.encode("utf-8") + b"%")
        deadline = time.monotonic() + (timeout_s or self.deadlines.command_s)
        lines: list[str] = []
        while True:
            event = self._next_event(deadline, f"the answer to '{text}%'")
            if isinstance(event, TextLine):
                if event.text == "m-ready":
                    return TextReply(tuple(lines))
                lines.append(event.text)

    def checked_command(self, text: str, *, timeout_s: float | None = None) -> TextReply:
        """Like `command`, but an `e-[…]` answer raises DeviceError."""
        return _accepted(text, self.command(text, timeout_s=timeout_s))

    def info(self) -> DeviceInfo:
        """Return what the device says about itself.

        A damaged line is asked for again, and where bytes of the question were lost.
        """
        for attempt in range(self.retries + 1):
            reply = self.command("mcugen info")
            try:
                lost = next((e for e in reply.errors if e.startswith(RECEIVE_OVERRUN)), None)
                if lost is not None:
                    raise ProtocolError(f"the device lost part of 'mcugen info%': {lost}")
                return parse_info(_accepted("mcugen info", reply).value("m-mcugen-info-"))
            except ProtocolError as error:
                if attempt == self.retries:
                    error.log_path = self.transcript.path
                    raise
                self.transcript.note(f"again: {error.message}")
        raise AssertionError("unreachable")

    # -- connecting

    def connect(self) -> DeviceInfo:
        """Return the device's description once it answers.

        A boot banner may be on its way, lost, or cut; the device may be in the middle of a command
        that an earlier host left unfinished. An echo with a number of ours cannot be confused with
        any of that, so everything before it is dropped.
        Raises DeviceTimeoutError when nothing answers within `deadlines.connect_s`.
        """
        deadline = time.monotonic() + self.deadlines.connect_s
        attempt = 0
        while True:
            attempt += 1
            # Ends a command left half-typed; a frame left half-sent is dropped by the device
            # after 500 ms of silence, which the wait below is longer than.
            self.transcript.sent_text("%")
            self.console.write(b"%")
            nonce = struct.pack("<I", zlib.crc32(struct.pack("<Qd", attempt, time.monotonic())))
            self._send(FrameType.PING, nonce)
            wait = min(deadline, time.monotonic() + 1.0)
            if self._await_echo(nonce, wait):
                return self.info()
            if time.monotonic() >= deadline:
                raise self._timeout("an answer to the first command", self.deadlines.connect_s)

    def _await_echo(self, nonce: bytes, deadline: float) -> bool:
        while True:
            try:
                event = self._next_event(deadline, "an echo")
            except DeviceTimeoutError:
                return False
            if isinstance(event, Frame) and event.body == bytes((Status.OK,)) + nonce:
                return True

    # -- frame mode

    def ping(self, body: bytes = b"") -> bytes:
        """Return the body as the device echoes it."""
        return self._request(FrameType.PING, body, repeatable=True)

    def write_input(self, index: int, data: bytes) -> None:
        """Fill the staging buffer of input `index`."""
        for offset in range(0, len(data), WRITE_CHUNK_BYTES):
            chunk = data[offset : offset + WRITE_CHUNK_BYTES]
            self._request(
                FrameType.WRITE_INPUT, struct.pack("<HI", index, offset) + chunk, repeatable=True
            )

    def write_model(self, pte: bytes, *, advance: Callable[[int], None] | None = None) -> None:
        """Send a `.pte` to a runner. Its former model is gone from the first byte on.

        Args:
            advance: called with the number of bytes that have arrived.
        """
        for offset in range(0, len(pte), WRITE_CHUNK_BYTES):
            chunk = pte[offset : offset + WRITE_CHUNK_BYTES]
            self._request(FrameType.WRITE_MODEL, struct.pack("<I", offset) + chunk, repeatable=True)
            if advance is not None:
                advance(offset + len(chunk))

    def unload_model(self) -> None:
        """Let a runner forget its model."""
        self._request(FrameType.WRITE_MODEL, struct.pack("<I", 0), repeatable=True)

    def load_model(self, size_bytes: int, crc32: int, method: str = "") -> None:
        """Load a method of the `.pte` that was sent: "" is "forward" or the first one."""
        self._request(
            FrameType.LOAD_MODEL,
            struct.pack("<II", size_bytes, crc32) + method.encode(),
            repeatable=True,
            timeout_s=self.deadlines.execute_s,
        )

    def reload_model(self) -> None:
        """Load the model again: what it keeps between inferences is as at the start.

        Known to runners, and to images whose model keeps state.
        """
        self._request(
            FrameType.RELOAD_MODEL, b"", repeatable=True, timeout_s=self.deadlines.execute_s
        )

    def execute(self) -> int:
        """Run one inference and return its raw ticks, the empty interval included."""
        body = self._request(
            FrameType.EXECUTE, b"", repeatable=False, timeout_s=self.deadlines.execute_s
        )
        if len(body) != 8:
            raise ProtocolError(f"EXECUTE answered with {len(body)} B instead of 8")
        return int(struct.unpack("<Q", body)[0])

    def execute_steps(self, first: int = 0) -> tuple[int, tuple[int, ...]]:
        """Run one inference, the counter read behind each instruction of the program.

        Returns raw ticks of all of it, reading the counter included, and of each instruction in
        the order of execution: from `first` on, as many as a reply holds.
        Raises RefusedError.
        """
        body = self._request(
            FrameType.EXECUTE,
            struct.pack("<H", first),
            repeatable=False,
            timeout_s=self.deadlines.execute_s,
        )
        if len(body) < 8 or len(body) % 4 != 0:
            raise ProtocolError(f"EXECUTE answered with {len(body)} B instead of 8 and 4 each")
        total, *steps = struct.unpack(f"<Q{len(body) // 4 - 2}I", body)
        return total, tuple(steps)

    def read_output(self, index: int, size_bytes: int) -> bytes:
        """Return output `index`."""
        return self._read(FrameType.READ_OUTPUT, index, size_bytes)

    def read_input(self, index: int, size_bytes: int) -> bytes:
        """Return the staging buffer of input `index`."""
        return self._read(FrameType.READ_INPUT, index, size_bytes)

    def _read(self, kind: FrameType, index: int, size_bytes: int) -> bytes:
        data = b""
        while len(data) < size_bytes:
            want = min(READ_CHUNK_BYTES, size_bytes - len(data))
            got = self._request(kind, struct.pack("<HIH", index, len(data), want), repeatable=True)
            if len(got) != want:
                raise ProtocolError(f"{kind.name} answered with {len(got)} B instead of {want}")
            data += got
        return data

    def _send(self, kind: FrameType, body: bytes) -> int:
        self._seq = (self._seq + 1) & 0xFF
        frame = Frame(kind, self._seq, body)
        self.transcript.sent_frame(frame)
        self.console.write(encode_frame(frame))
        return self._seq

    def _request(
        self, kind: FrameType, body: bytes, *, repeatable: bool, timeout_s: float | None = None
    ) -> bytes:
        limit_s = timeout_s or self.deadlines.command_s
        for attempt in range(self.retries + 1):
            seq = self._send(kind, body)
            try:
                return self._await_reply(
                    kind, seq, time.monotonic() + limit_s, patient=not repeatable
                )
            except _DamagedReply as damage:
                again = repeatable or not damage.executed
                if not again or attempt == self.retries:
                    raise ProtocolError(
                        f"{kind.name}: {damage}"
                        + (f"; gave up after {attempt + 1} tries" if again else ""),
                        hint="Check the cable and the console's speed; try again.",
                        log_path=self.transcript.path,
                    ) from None
                self.transcript.note(f"again: {damage}")
        raise AssertionError("unreachable")

    def _await_reply(self, kind: FrameType, seq: int, deadline: float, *, patient: bool) -> bytes:
        """Return the payload of the reply to `seq`.

        A damaged frame may be that reply, or noise in front of it: the reply is waited for a
        little longer, or, by the patient, until the deadline.
        """
        logs: list[str] = []
        damage: str | None = None
        while True:
            try:
                event = self._next_event(deadline, f"the answer to {kind.name}")
            except DeviceTimeoutError:
                if damage is None:
                    raise
                raise _DamagedReply(damage, executed=True) from None
            if isinstance(event, TextLine):
                if event.text.startswith("m-log-"):
                    logs.append(event.text)
                elif event.text.startswith("e-[Frame timeout"):
                    raise _DamagedReply("the device saw only part of the request", executed=False)
                continue
            if isinstance(event, BadFrame):
                damage = f"damaged reply ({event.reason})"
                if not patient:
                    deadline = min(deadline, time.monotonic() + 0.3)
                continue
            if event.type == BAD_FRAME_TYPE:
                text = event.body[1:].decode("utf-8", "replace")
                raise _DamagedReply(
                    f"the device got a damaged request ({text})".replace(" ()", ""), executed=False
                )
            if event.type != kind | REPLY_FLAG or event.seq != seq:
                self.transcript.note("a late reply, ignored")
                continue
            if not event.body:
                raise ProtocolError(f"{kind.name} was answered without a status")
            if event.body[0] != Status.OK:
                raise self._refusal(kind, event.body, logs)
            return event.body[1:]

    def _refusal(self, kind: FrameType, body: bytes, logs: list[str]) -> RefusedError:
        status = body[0]
        words = STATUS_WORDS[Status(status)] if status in list(Status) else f"status {status}"
        text = body[1:].decode("utf-8", "replace")
        message = f"{kind.name}: {words}" + (f": {text}" if text else "")
        return RefusedError(
            "\n".join([message, *(f"  {line}" for line in logs)]),
            status=status,
            log_path=self.transcript.path,
        )

    # -- events

    def _next_event(self, deadline: float, what: str) -> Event:
        started = time.monotonic()
        while not self._events:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._timeout(what, deadline - started)
            self._receive(left)
        event = self._events.popleft()
        if isinstance(event, TextLine) and event.text.startswith("e-[Fault:"):
            raise self._fault(event.text)
        return event

    def _receive(self, timeout_s: float) -> None:
        for event in self._demux.feed(self.console.read(timeout_s)):
            self.transcript.received(event)
            self._events.append(event)

    def _fault(self, first_line: str) -> DeviceError:
        """Collect the rest of the report: it ends when the device has been silent for 0.3 s."""
        lines = [first_line]
        limit = time.monotonic() + 3.0
        quiet = time.monotonic() + 0.3
        while time.monotonic() < min(limit, quiet):
            if not self._events:
                self._receive(0.05)
                continue
            event = self._events.popleft()
            if isinstance(event, TextLine):
                lines.append(event.text)
                quiet = time.monotonic() + 0.3
        fault = parse_fault(lines)
        return DeviceError(
            str(fault),
            hint="Look the address up with arm-none-eabi-addr2line; reset the board to go on.",
            log_path=self.transcript.path,
        )

    def _timeout(self, what: str, seconds: float) -> DeviceTimeoutError:
        lines = [*self.transcript.last_lines()]
        if partial := self._demux.partial():
            lines.append(partial)
        heard = "\n".join(["the last lines received:", *(f"  {line}" for line in lines[-5:])])
        return DeviceTimeoutError(
            f"{self.console.name}: no sign of {what} within {max(seconds, 0):.3g} s; "
            + (heard if lines else "nothing was received"),
            log_path=self.transcript.path,
        )
