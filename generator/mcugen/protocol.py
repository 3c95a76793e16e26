# SPDX-License-Identifier: BSD-3-Clause
"""The serial protocol of docs/protocol.md, host side.

Three layers, none of which opens anything: framing (COBS + CRC-32), `StreamDemultiplexer` (bytes
in any chunks to text lines and frames, through noise), and `Client` (commands with a deadline
each, over a `Console`). What a reply means is parsed into frozen dataclasses.
"""

from __future__ import annotations

import json
import re
import struct
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol, TextIO, TypeVar

from mcugen.errors import DeviceError, DeviceTimeoutError, ProtocolError

PROTOCOL_VERSION = 1
MAX_BODY_BYTES = 512
WRITE_CHUNK_BYTES = 500  # a WRITE_INPUT body is 6 bytes longer and must stay within MAX_BODY_BYTES
READ_CHUNK_BYTES = 500  # a reply's body starts with one status byte
# type, seq, body, CRC-32, and COBS' overhead of one byte per 254 rounded up, plus one.
MAX_ENCODED_BYTES = 2 + MAX_BODY_BYTES + 4 + 3 + 1

REPLY_FLAG = 0x80
BAD_FRAME_TYPE = 0xFF


class FrameType(IntEnum):
    """Requests of the binary mode. A reply carries the same number with bit 7 set."""

    PING = 0x01
    WRITE_INPUT = 0x02
    EXECUTE = 0x03
    READ_OUTPUT = 0x04
    READ_INPUT = 0x05
    WRITE_MODEL = 0x10
    LOAD_MODEL = 0x11
    RELOAD_MODEL = 0x12


class Status(IntEnum):
    """First byte of every reply's body."""

    OK = 0
    BAD_FRAME = 1
    UNKNOWN_TYPE = 2
    BAD_ARGUMENT = 3
    NOT_READY = 4
    EXECUTE_FAILED = 5
    LOAD_FAILED = 6


STATUS_WORDS = {
    Status.BAD_FRAME: "bad frame",
    Status.UNKNOWN_TYPE: "unknown request",
    Status.BAD_ARGUMENT: "bad argument",
    Status.NOT_READY: "not ready",
    Status.EXECUTE_FAILED: "execute failed",
    Status.LOAD_FAILED: "load failed",
}


# ---------------------------------------------------------------------------- framing


@dataclass(frozen=True)
class Frame:
    """One frame, decoded and checked. type: as sent, with REPLY_FLAG on a reply."""

    type: int
    seq: int
    body: bytes


def encode_frame(frame: Frame) -> bytes:
    """Return the frame's bytes on the wire, delimiters included.

    Raises ProtocolError if the body is longer than MAX_BODY_BYTES.
    """
    from cobs import cobs

    if len(frame.body) > MAX_BODY_BYTES:
        raise ProtocolError(
            f"a frame's body holds at most {MAX_BODY_BYTES} B; this one has {len(frame.body)} B"
        )
    payload = bytes((frame.type, frame.seq)) + frame.body
    payload += struct.pack("<I", zlib.crc32(payload))
    return b"\0" + cobs.encode(payload) + b"\0"


def decode_frame(encoded: bytes) -> Frame:
    """Return the frame held by the bytes between two zero bytes.

    Raises ProtocolError naming what is wrong: COBS, length or CRC.
    """
    from cobs import cobs

    try:
        payload = cobs.decode(encoded)
    except cobs.DecodeError as error:
        raise ProtocolError(f"frame is not COBS ({error})") from None
    if len(payload) < 6:
        raise ProtocolError(f"frame has {len(payload)} B; the shortest has 6")
    if len(payload) > 2 + MAX_BODY_BYTES + 4:
        raise ProtocolError(f"frame has {len(payload)} B; the longest has {MAX_BODY_BYTES + 6}")
    (expected,) = struct.unpack("<I", payload[-4:])
    actual = zlib.crc32(payload[:-4])
    if expected != actual:
        raise ProtocolError(f"frame CRC is 0x{actual:08x}, the frame says 0x{expected:08x}")
    return Frame(payload[0], payload[1], payload[2:-4])


# ---------------------------------------------------------------------------- demultiplexing


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


# ---------------------------------------------------------------------------- text replies


@dataclass(frozen=True)
class TextReply:
    """The lines that answer one text command, without the closing `m-ready`."""

    lines: tuple[str, ...]

    @property
    def errors(self) -> tuple[str, ...]:
        """The texts of `e-[…]` lines."""
        return tuple(m[1] for line in self.lines if (m := re.fullmatch(r"e-\[(.*)\]", line)))

    @property
    def logs(self) -> tuple[str, ...]:
        """The texts of the runtime's log lines, `m-log-[…]`."""
        return tuple(m[1] for line in self.lines if (m := re.fullmatch(r"m-log-\[(.*)\]", line)))

    def value(self, prefix: str) -> str:
        """Return what follows `prefix` in the first line that starts with it.

        Raises ProtocolError if there is none.
        """
        for line in self.lines:
            if line.startswith(prefix):
                return line[len(prefix) :]
        raise ProtocolError(
            f"no line '{prefix}…' in the device's answer: {' | '.join(self.lines) or 'nothing'}"
        )


@dataclass(frozen=True)
class PoolUse:
    """How much of a memory pool is in use, as the device reports it."""

    used_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class DeviceInfo:
    """The answer to `mcugen info%`."""

    protocol: int
    firmware_id: str
    board: str
    model: str
    pte_sha256: str
    pte_bytes: int
    method: str
    clock_hz: int
    clock_source: str
    counter: str
    counter_hz: int
    empty_ticks: int
    state: str
    error: str | None
    memory: dict[str, PoolUse]
    inputs: tuple[tuple[int, int], ...]
    outputs: tuple[tuple[int, int], ...]
    reset: str | None = None
    #: Of a runner: the most bytes a `.pte` may have, the CRC-32 of the one that is loaded, and
    #: where in the arena its staged inputs lie.
    runner: int | None = None
    pte_crc32: int | None = None
    io_offset: int | None = None


_INFO_INTS = ("protocol", "pte_bytes", "clock_hz", "counter_hz", "empty_ticks")
_INFO_TEXTS = (
    "firmware_id",
    "board",
    "model",
    "pte_sha256",
    "method",
    "clock_source",
    "counter",
    "state",
)


def parse_info(text: str) -> DeviceInfo:
    """Return the device's description from the JSON of `m-mcugen-info-{…}`.

    Unknown keys are ignored, so that newer firmware stays readable.
    Raises ProtocolError if it is not JSON, of another protocol version, or a key is missing.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ProtocolError(f"mcugen info% did not answer with JSON: {error}") from None
    if not isinstance(document, dict):
        raise ProtocolError("mcugen info% did not answer with a JSON object")
    version = document.get("protocol")
    if version != PROTOCOL_VERSION:
        raise ProtocolError(
            f"the device speaks protocol {version}; this mcugen speaks {PROTOCOL_VERSION}",
            hint="Build and flash the firmware with this version of mcugen.",
        )
    values: dict[str, Any] = {}
    try:
        for key in _INFO_INTS:
            values[key] = _typed(document[key], int)
        for key in _INFO_TEXTS:
            values[key] = _typed(document[key], str)
        error_text = document.get("error")
        values["error"] = None if error_text is None else _typed(error_text, str)
        reset = document.get("reset")
        values["reset"] = None if reset is None else _typed(reset, str)
        for key in ("runner", "pte_crc32", "io_offset"):
            number = document.get(key)
            values[key] = None if number is None else _typed(number, int)
        values["memory"] = {
            str(name): PoolUse(_typed(pair[0], int), _typed(pair[1], int))
            for name, pair in document["memory"].items()
        }
        for key in ("inputs", "outputs"):
            values[key] = tuple(
                (_typed(code, int), _typed(size, int)) for code, size in document[key]
            )
    except (KeyError, IndexError, AttributeError, TypeError, ValueError) as error:
        what = f"key {error}" if isinstance(error, KeyError) else str(error)
        raise ProtocolError(f"mcugen info% answered without a usable {what}") from None
    return DeviceInfo(**values)


_T = TypeVar("_T")


def _typed(value: object, kind: type[_T]) -> _T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{kind.__name__} (got {value!r})")
    return value


@dataclass(frozen=True)
class InferReply:
    """The answer to `infer N W%`: µs between the two laps, and the results as probabilities."""

    warmups: int
    runs: int
    elapsed_us: int
    results: tuple[float, ...]


def parse_infer(reply: TextReply) -> InferReply:
    """Return what the runner's `infer` command measured. Raises ProtocolError."""
    laps = [line for line in reply.lines if line.startswith("m-lap-us-")]
    try:
        if len(laps) != 2 or "m-infer-done" not in reply.lines:
            raise ValueError(f"{len(laps)} laps")
        first, last = (int(line.removeprefix("m-lap-us-")) for line in laps)
        return InferReply(
            warmups=int(reply.value("m-warmup-start-")),
            runs=int(reply.value("m-infer-start-")),
            elapsed_us=(last - first) % (1 << 32),
            results=parse_results(reply),
        )
    except ValueError as error:
        raise ProtocolError(
            f"infer% answered in an unknown way ({error}): {' | '.join(reply.lines)}"
        ) from None


def parse_results(reply: TextReply) -> tuple[float, ...]:
    """Return the numbers of `m-results-[…]`. Raises ProtocolError."""
    text = reply.value("m-results-")
    try:
        if text[:1] != "[" or text[-1:] != "]":
            raise ValueError("no brackets")
        return tuple(float(number) for number in text[1:-1].split(",")) if text != "[]" else ()
    except ValueError as error:
        raise ProtocolError(f"m-results-{text} is not a list of numbers ({error})") from None


# ---------------------------------------------------------------------------- faults


@dataclass(frozen=True)
class FaultReport:
    """What the firmware's fault handler printed before it stopped."""

    kind: str
    pc: int | None = None
    lr: int | None = None
    cfsr: int | None = None
    address: int | None = None
    causes: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"{self.kind} on the device"]
        if self.pc:  # 0: the stack frame was lost
            parts.append(f"pc 0x{self.pc:08x}")
        if self.lr:
            parts.append(f"lr 0x{self.lr:08x}")
        if self.cfsr:
            parts.append(f"CFSR 0x{self.cfsr:08x}")
        if self.address is not None:
            parts.append(f"at address 0x{self.address:08x}")
        causes = self.causes or decode_cfsr(self.cfsr or 0)
        if causes:
            parts.append(" and ".join(causes))
        return ", ".join(parts)


# Armv7-M Architecture Reference Manual (DDI 0403), B3.2.15: Configurable Fault Status Register;
# STKOF is Armv8-M's.
_CFSR_BITS = {
    0: "instruction fetch from a forbidden address",
    1: "data access to a forbidden address",
    3: "memory fault on leaving an exception",
    4: "memory fault on entering an exception",
    5: "memory fault while saving floating-point state",
    8: "instruction fetch bus error",
    9: "precise data bus error",
    10: "imprecise data bus error",
    11: "bus error on leaving an exception",
    12: "bus error on entering an exception",
    13: "bus error while saving floating-point state",
    16: "undefined instruction",
    17: "invalid execution state",
    18: "invalid exception return",
    19: "no coprocessor",
    20: "stack overflow",
    24: "unaligned access",
    25: "division by zero",
}


def decode_cfsr(cfsr: int) -> tuple[str, ...]:
    """Return one phrase per set bit of a Configurable Fault Status Register."""
    return tuple(text for bit, text in _CFSR_BITS.items() if cfsr >> bit & 1)


def is_fault_line(line: str) -> bool:
    """Return whether the line belongs to a fault report."""
    return line.startswith(("e-[Fault:", "m-fault-"))


def parse_fault(lines: Iterable[str]) -> FaultReport | None:
    """Return the fault report among these lines, or None."""
    kind: str | None = None
    registers: dict[str, int] = {}
    causes: list[str] = []
    for line in lines:
        if match := re.fullmatch(r"e-\[Fault: *(.*)\]", line):
            kind = match[1]
        elif match := re.fullmatch(r"m-fault-(pc|lr|cfsr|address)-0x([0-9a-fA-F]{1,8})", line):
            registers[match[1]] = int(match[2], 16)
        elif match := re.fullmatch(r"m-fault-cause-\[(.*)\]", line):
            causes.append(match[1])
    if kind is None:
        return None
    return FaultReport(
        kind,
        registers.get("pc"),
        registers.get("lr"),
        registers.get("cfsr"),
        registers.get("address"),
        tuple(causes),
    )


# ---------------------------------------------------------------------------- transcript


class Transcript:
    """Everything that crosses the wire, as text a person can read.

    `>` what the host sent, `<` what the device sent, each with the seconds since opening.
    Text is shown as it is; a frame as its fields with the body in hex.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._start = time.monotonic()
        self._file: TextIO | None = None
        self._last: deque[str] = deque(maxlen=8)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8", newline="\n")

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


# ---------------------------------------------------------------------------- client


class Console(Protocol):
    """A byte stream to and from a device. Implemented in device.py."""

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


@dataclass(frozen=True)
class Deadlines:
    """How long each kind of wait may take, in seconds."""

    connect_s: float = 15.0
    command_s: float = 10.0
    execute_s: float = 120.0


class _DamagedReply(Exception):
    """A reply came, or the device said that a request came, damaged."""

    def __init__(self, reason: str, *, executed: bool) -> None:
        super().__init__(reason)
        self.executed = executed


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
        reply = self.command(text, timeout_s=timeout_s)
        if reply.errors:
            raise DeviceError(f"the device refused '{text}%': {reply.errors[0]}")
        return reply

    def info(self) -> DeviceInfo:
        """Return what the device says about itself. A damaged line is asked for again."""
        for attempt in range(self.retries + 1):
            reply = self.checked_command("mcugen info")
            try:
                return parse_info(reply.value("m-mcugen-info-"))
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

    def _refusal(self, kind: FrameType, body: bytes, logs: list[str]) -> DeviceError:
        status = body[0]
        words = STATUS_WORDS[Status(status)] if status in list(Status) else f"status {status}"
        text = body[1:].decode("utf-8", "replace")
        message = f"{kind.name}: {words}" + (f": {text}" if text else "")
        return DeviceError(
            "\n".join([message, *(f"  {line}" for line in logs)]), log_path=self.transcript.path
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
