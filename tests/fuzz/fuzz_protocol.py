# SPDX-License-Identifier: BSD-3-Clause
"""Fuzz target: what a device may send, through the host's parsers. Only McugenError may come out.

    python tests/fuzz/fuzz_protocol.py [libFuzzer options] CORPUS...     # needs atheris
    python tests/fuzz/fuzz_protocol.py --mutations N --seed S CORPUS...  # needs nothing

The first byte of an input says how the rest is cut into chunks. A client that is fed the same bytes
in whatever chunks must see the same events.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import struct
import sys
import time
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent


def events_of(data: bytes, chunk: int) -> list[object]:
    from mcugen.device.protocol import stream

    demultiplexer = stream.StreamDemultiplexer()
    events: list[object] = []
    for start in range(0, len(data), chunk):
        events += demultiplexer.feed(data[start : start + chunk])
        assert isinstance(demultiplexer.partial(), str)
    return events


def parse_reply(lines: list[str]) -> None:
    """Everything that is ever read out of text."""
    from mcugen.base.errors import McugenError
    from mcugen.device.protocol import faults, info, text

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


class Replies:
    """A console that says these bytes, once, then nothing; and the clock, which it moves."""

    name = "fuzz"

    def __init__(self, data: bytes, chunk: int) -> None:
        self._chunks = [data[i : i + chunk] for i in range(0, len(data), chunk)]
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def write(self, data: bytes) -> None:
        pass

    def read(self, timeout_s: float) -> bytes:
        if self._chunks:
            return self._chunks.pop(0)
        self._now += timeout_s
        return b""

    def close(self) -> None:
        pass


def one_input(data: bytes) -> None:
    """Raises what is a finding."""
    from mcugen.base.errors import McugenError
    from mcugen.device.protocol import client, frames, stream
    from mcugen.device.protocol.transcript import Transcript

    if not data:
        return
    mode, data = data[0], data[1:]
    chunk = mode % 61 + 1
    events = events_of(data, chunk)
    assert events == events_of(data, len(data) + 1), "events depend on the chunks"
    client.time = time  # type: ignore[attr-defined]
    transcript = Transcript()
    lines = []
    for event in events:
        transcript.received(event)
        if isinstance(event, stream.TextLine):
            assert "\n" not in event.text and "\0" not in event.text
            lines.append(event.text)
    parse_reply(lines)
    try:
        parse_raw = frames.decode_frame(data)
        assert frames.decode_frame(frames.encode_frame(parse_raw)[1:-1]) == parse_raw
    except McugenError:
        pass
    if mode >= 0xC0:
        console = Replies(data, chunk)
        client.time = console  # type: ignore[assignment, attr-defined]
        tested = client.Client(console, Transcript(), retries=1)
        for step in (tested.info, tested.execute, lambda: tested.read_output(0, 10)):
            with contextlib.suppress(McugenError):
                step()


def seeds() -> dict[str, bytes]:
    """A device's side of a session, whole and in parts."""
    from cobs import cobs

    def frame(kind: int, body: bytes, seq: int = 1) -> bytes:
        payload = bytes((kind, seq)) + body
        return b"\0" + cobs.encode(payload + struct.pack("<I", zlib.crc32(payload))) + b"\0"

    transcript = HERE.parents[1] / "docs" / "protocol_transcript.txt"
    parts = {
        f"line_{number}": line.encode("latin-1") + b"\r\n"
        for number, line in enumerate(transcript.read_text("utf-8").splitlines())
        if line
    }
    parts["frames"] = b"".join(
        (
            frame(0x81, b"\0hello"),
            frame(0x82, b"\0"),
            frame(0x83, b"\0" + bytes(8)),
            frame(0x84, b"\0" + bytes(range(10))),
            frame(0xFF, b"\1bad CRC", 0),
        )
    )
    parts["fault"] = (
        b"e-[Fault: UsageFault]\r\nm-fault-pc-0x00000100\r\nm-fault-lr-0x00000200\r\n"
        b"m-fault-cfsr-0x01000000\r\nm-fault-address-0x20000000\r\n"
        b"m-fault-cause-[unaligned access]\r\n"
    )
    parts["infer"] = (
        b"m-warmup-start-1\r\nm-warmup-done\r\nm-infer-start-2\r\nm-lap-us-10\r\nm-lap-us-20\r\n"
        b"m-infer-done\r\nm-results-[0.100,0.900]\r\nm-ready\r\n"
    )
    parts["info"] = (
        b'm-mcugen-info-{"protocol":1,"firmware_id":"0","board":"b","model":"m","pte_sha256":"0",'
        b'"pte_bytes":1,"method":"forward","clock_hz":1,"clock_source":"pll","counter":"dwt",'
        b'"counter_hz":1,"empty_ticks":1,"state":"error","error":"x","memory":{"planned":[1,2]},'
        b'"inputs":[[1,16]],"outputs":[[1,16]],"reset":"pin"}\r\nm-ready\r\n'
    )
    modes = (0, 7, 0xC5)
    return {
        f"{name}_{mode}": bytes((mode,)) + data for name, data in parts.items() for mode in modes
    }


def mutate(data: bytes, others: list[bytes], generator: random.Random) -> bytes:
    """A small random change."""
    value = bytearray(data)
    for _ in range(generator.randint(1, 4)):
        at = generator.randrange(len(value) + 1)
        kind = generator.randrange(6)
        if kind == 0 and value:
            value[at % len(value)] ^= 1 << generator.randrange(8)
        elif kind == 1 and value:
            value[at % len(value)] = generator.choice(
                b"\0\n\r%[]{},\xff-0e" + generator.randbytes(4)
            )
        elif kind == 2:
            del value[at : at + generator.randint(1, 8)]
        elif kind == 3:
            value[at:at] = generator.randbytes(generator.randint(1, 4))
        elif kind == 4:
            value[at:at] = value[at : at + generator.randint(1, 40)]
        else:
            other = generator.choice(others)
            start = generator.randrange(len(other) + 1)
            value[at:at] = other[start : start + generator.randint(1, 200)]
    return bytes(value[:4096])


def read_corpus(paths: list[str]) -> list[bytes]:
    files = [
        file for path in map(Path, paths) for file in (path.glob("*") if path.is_dir() else [path])
    ]
    return [file.read_bytes() for file in sorted(files)]


def main() -> None:
    if "--mutations" not in sys.argv:
        import atheris

        with atheris.instrument_imports(include=["mcugen.device.protocol", "cobs"]):
            import mcugen.device.protocol.client  # noqa: F401
        atheris.Setup(sys.argv, one_input)
        atheris.Fuzz()
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutations", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("corpus", nargs="*")
    arguments = parser.parse_args()
    corpus = [*read_corpus(arguments.corpus), *seeds().values()]
    generator = random.Random(arguments.seed)
    for data in corpus:
        one_input(data)
    for _ in range(arguments.mutations):
        data = mutate(generator.choice(corpus), corpus, generator)
        try:
            one_input(data)
        except BaseException:
            print(f"input: {data!r}", file=sys.stderr)
            raise
    print(f"{len(corpus)} files and {arguments.mutations} mutations: nothing found")


if __name__ == "__main__":
    main()
