# SPDX-License-Identifier: BSD-3-Clause
"""Fuzz targets: what a device may send.

`protocol` gets bytes of the wire: demultiplexer, frames, lines, transcript. The first byte says how
the rest is cut into chunks; whatever the chunks, the events must be the same. `replies` gets lines
of text: everything that is ever read out of them. `client` gets a script of what a device answers
to each request of the host's client, in frames that are whole unless the script damages them.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from cobs import cobs
from fuzz_host import Target

from mcugen.base.errors import McugenError
from mcugen.device.protocol import client, faults, frames, info, stream, text
from mcugen.device.protocol.transcript import Transcript

HERE = Path(__file__).resolve().parent


def frame_bytes(kind: int, body: bytes, seq: int, *, flip: int = 0) -> bytes:
    """A frame on the wire; `flip` damages its CRC."""
    payload = bytes((kind, seq)) + body
    crc = zlib.crc32(payload) ^ flip
    return b"\0" + cobs.encode(payload + struct.pack("<I", crc)) + b"\0"


# --- protocol ----------------------------------------------------------------------------------


def events_of(data: bytes, chunk: int) -> list[object]:
    demultiplexer = stream.StreamDemultiplexer()
    events: list[object] = []
    for start in range(0, len(data), chunk):
        events += demultiplexer.feed(data[start : start + chunk])
    assert isinstance(demultiplexer.partial(), str)
    return events


def one_stream(data: bytes) -> None:
    if not data:
        return
    # Every byte is some lines of Python: what takes a second look at them is done now and then.
    thorough, chunk, data = data[0] % 4 == 0, data[0] // 4 + 1, data[1:]
    events = events_of(data, chunk)
    if thorough:
        assert events == events_of(data, len(data) + 1), "events depend on the chunks"
    transcript = Transcript()
    for event in events:
        transcript.received(event)
        if isinstance(event, stream.TextLine):
            assert "\n" not in event.text and "\0" not in event.text
    assert all(map(str.isprintable, transcript.last_lines()))
    if thorough:
        parse_reply([event.text for event in events if isinstance(event, stream.TextLine)])
    try:
        frame = frames.decode_frame(data)
    except McugenError:
        return
    assert frames.decode_frame(frames.encode_frame(frame)[1:-1]) == frame


def stream_seeds() -> dict[str, bytes]:
    """A device's side of a session, whole and in parts."""
    parts = {name: lines.encode() + b"\r\n" for name, lines in reply_texts().items()}
    parts["frames"] = b"".join(
        (
            frame_bytes(0x81, b"\0hello", 1),
            frame_bytes(0x82, b"\0", 1),
            frame_bytes(0x83, b"\0" + bytes(8), 1),
            frame_bytes(0x84, b"\0" + bytes(range(10)), 1),
            frame_bytes(0xFF, b"\1bad CRC", 0),
        )
    )
    return {
        f"{name}_{mode}": bytes((mode,)) + data for name, data in parts.items() for mode in (0, 29)
    }


# --- replies -----------------------------------------------------------------------------------


def parse_reply(lines: list[str]) -> None:
    reply = text.TextReply(tuple(lines))
    _ = reply.errors, reply.logs
    for parse in (
        lambda: info.parse_info(reply.value("m-mcugen-info-")),
        lambda: text.parse_infer(reply),
        lambda: text.parse_results(reply),
        lambda: str(faults.parse_fault(lines)),
    ):
        try:
            parse()
        except McugenError as error:
            assert str(error) and "\n" not in error.message


def one_reply(data: bytes) -> None:
    # As the demultiplexer hands lines over: printable, without their end.
    content = data.decode("utf-8", "replace")
    parse_reply([line for line in content.split("\n") if line.isprintable()])


@cache
def reply_texts() -> dict[str, str]:
    transcript = HERE.parents[1] / "docs" / "protocol_transcript.txt"
    texts = {
        f"line_{number}": line
        for number, line in enumerate(transcript.read_text("utf-8").splitlines())
        if line
    }
    texts["fault"] = (
        "e-[Fault: UsageFault]\nm-fault-pc-0x00000100\nm-fault-lr-0x00000200\n"
        "m-fault-cfsr-0x01000000\nm-fault-address-0x20000000\n"
        "m-fault-cause-[unaligned access]"
    )
    texts["infer"] = (
        "m-warmup-start-1\nm-warmup-done\nm-infer-start-2\nm-lap-us-10\nm-lap-us-20\n"
        "m-infer-done\nm-results-[0.100,0.900]\nm-ready"
    )
    texts["info"] = (
        'm-mcugen-info-{"protocol":1,"firmware_id":"0","board":"b","model":"m","pte_sha256":"0",'
        '"pte_bytes":1,"method":"forward","clock_hz":1,"clock_source":"pll","counter":"dwt",'
        '"counter_hz":1,"empty_ticks":1,"state":"error","error":"x","memory":{"planned":[1,2]},'
        '"inputs":[[1,16]],"outputs":[[1,16]],"runner":9,"pte_crc32":1,"io_offset":0,"reset":"pin"}'
    )
    return texts


# --- client ------------------------------------------------------------------------------------


class Device:
    """A console whose other end answers as a script says; and the clock, which it moves."""

    name = "fuzz"

    def __init__(self, script: bytes) -> None:
        self._script = script
        self._at = 0
        self._answer = b""
        self._now = 0.0

    def _take(self, count: int) -> bytes:
        taken = self._script[self._at : self._at + count]
        self._at += count
        return taken

    def monotonic(self) -> float:
        return self._now

    def write(self, data: bytes) -> None:
        try:
            request = frames.decode_frame(data[1:-1])
        except McugenError:
            request = frames.Frame(frames.FrameType.PING, 0, b"")  # a text command
        for _ in range(8):
            step = self._take(2)
            if not step or step[0] % 8 == 7:
                return
            self._answer += self._reply(request, step[0], self._take(step[-1]))

    def _reply(self, request: frames.Frame, step: int, body: bytes) -> bytes:
        kind, seq = request.type | frames.REPLY_FLAG, request.seq
        match step % 8:
            case 0:
                return frame_bytes(kind, b"\0" + body, seq)
            case 1:  # an echo, as long as what was asked for
                return frame_bytes(kind, b"\0" + request.body[: step >> 3 or None], seq)
            case 2:
                return frame_bytes(kind, body, seq ^ step >> 7, flip=step >> 3 & 15)
            case 3:
                return frame_bytes(frames.BAD_FRAME_TYPE, body, 0)
            case 4:
                return body + b"\r\n"
            case 5:
                texts = list(reply_texts().values())
                return texts[(step >> 3) - 1].encode() + b"\r\n"
            case _:
                return b"m-ready\r\n" if step >> 3 else body

    def read(self, timeout_s: float) -> bytes:
        answer, self._answer = self._answer[:64], self._answer[64:]
        if not answer:
            self._now += timeout_s
        return answer

    def close(self) -> None:
        pass


def one_session(data: bytes) -> None:
    if not data:
        return
    device = Device(data[1:])
    # Every wait is by this clock: nothing sleeps.
    client.time = device  # type: ignore[assignment, attr-defined]
    # Two tries to connect: more of the same.
    deadlines = client.Deadlines(connect_s=1.5)
    tested = client.Client(device, Transcript(), deadlines, retries=1)
    steps: tuple[Callable[[], object], ...] = (
        tested.connect,
        tested.info,
        tested.execute,
        lambda: tested.read_output(0, 10),
        lambda: tested.read_input(1, 501),
        lambda: tested.write_input(0, bytes(501)),
        lambda: tested.write_model(bytes(501)),
        lambda: tested.load_model(501, 0, "forward"),
        tested.reload_model,
        lambda: tested.ping(b"m\0g"),
        lambda: tested.checked_command("infer 1 0"),
    )
    for number in range(2):
        with contextlib.suppress(McugenError):
            steps[(data[0] + number) % len(steps)]()


def session_seeds() -> dict[str, bytes]:
    def script(*steps: tuple[int, bytes]) -> bytes:
        return b"".join(bytes((step, len(body))) + body for step, body in steps)

    stop = (7, b"")
    ok = (0, b"")
    echo = (1, b"")
    parts = {
        "connect": script(stop, echo, stop, (5, b""), (14, b""), stop),
        "execute": script((0, bytes(8)), stop, (0, bytes(10)), stop, ok, stop),
        "refused": script(
            (2, b"\5op failed"), stop, (4, b"m-log-[E op.cpp:1 no]"), (2, b"\3"), stop
        ),
        "damaged": script((10, b""), stop, ok, stop, (3, b"\1bad CRC"), stop, ok, stop),
        "late": script((0x82, b"\0"), ok, stop, (0x82, b"\0"), stop, ok, stop),
        "fault": script((4, b"e-[Fault: HardFault]"), (4, b"m-fault-pc-0x100"), stop),
        "timeout": script((4, b"e-[Frame timeout]"), stop, ok, stop, (4, b"m-lo"), stop),
        "text": script((4, b"e-[no]"), (14, b""), stop, (4, b"m-x"), (14, b""), stop),
    }
    return {f"{name}_{i}": bytes((i,)) + part for name, part in parts.items() for i in range(11)}


_TOKENS = (
    *(b"m-ready\r\n", b"m-mcugen-info-", b"e-[", b"e-[Fault: ", b"m-fault-pc-0x", b"m-log-["),
    *(b"m-lap-us-", b"m-results-[", b"m-infer-done", b"m-fault-cause-[", b"e-[Frame timeout"),
    *(b'"', b'":', b"{}", b"[]", b"[[", b'{"', b"null", b"true", b"-1", b"1e999", b"NaN", b"0.5"),
    *(b"Infinity", b"99999999999999999999", b"\\ud800", b"\\u0000", b"\0", b"\r\n", b"]]", b"'"),
    *(b'"memory":', b'"inputs":', b'"error":', b'"protocol":1', b"\xc2\x85", b"\xe2\x80\xa8"),
)

TARGETS = {
    "protocol": Target(one_stream, stream_seeds, _TOKENS),
    "replies": Target(
        one_reply, lambda: {name: lines.encode() for name, lines in reply_texts().items()}, _TOKENS
    ),
    "client": Target(one_session, session_seeds, _TOKENS, grows=False),
}
