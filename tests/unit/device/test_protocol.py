# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from serial_peer import Peer, default_info, running

from mcugen.base.errors import DeviceError, DeviceTimeoutError, ProtocolError
from mcugen.device.console import SerialConsole
from mcugen.device.protocol.client import Client, Deadlines
from mcugen.device.protocol.faults import parse_fault
from mcugen.device.protocol.frames import (
    PROTOCOL_VERSION,
    Frame,
    Status,
    decode_frame,
    encode_frame,
)
from mcugen.device.protocol.info import parse_info
from mcugen.device.protocol.stream import BadFrame, StreamDemultiplexer, TextLine
from mcugen.device.protocol.text import TextReply, parse_infer, parse_results
from mcugen.device.protocol.transcript import Transcript

DOCS = Path(__file__).resolve().parents[3] / "docs"
#: Only the wait that a test is about may be short: a busy machine takes its time for the others.
SHORT_EXECUTE = Deadlines(execute_s=0.5)


@contextlib.contextmanager
def connected(
    peer: Peer, *, path: Path | None = None, deadlines: Deadlines | None = None
) -> Iterator[Client]:
    with running(peer):
        console = SerialConsole(peer.url, 115_200)
        try:
            yield Client(console, Transcript(path), deadlines or Deadlines())
        finally:
            console.close()


# -- framing


def test_frame_survives_encoding_with_zeros_in_it():
    frame = Frame(0x02, 7, bytes(range(256)) * 2)

    encoded = encode_frame(frame)

    assert encoded[0] == encoded[-1] == 0 and 0 not in encoded[1:-1]
    assert decode_frame(encoded[1:-1]) == frame


def test_frame_has_the_documented_bytes():
    """Against CRC-32/ISO-HDLC and COBS written out from their definitions."""
    assert encode_frame(Frame(0x01, 1, b"a\0b")) == _by_hand(b"\x01\x01a\0b")


def _by_hand(payload: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in payload:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    data = payload + (crc ^ 0xFFFFFFFF).to_bytes(4, "little")
    out = b""
    for block in data.split(b"\0"):
        assert len(block) < 254
        out += bytes((len(block) + 1,)) + block
    return b"\0" + out + b"\0"


def test_body_longer_than_the_protocol_allows_is_refused():
    with pytest.raises(ProtocolError, match="at most 512 B; this one has 513 B"):
        encode_frame(Frame(1, 0, bytes(513)))


@pytest.mark.parametrize("bit", range(0, 64, 5))
def test_flipped_bit_is_noticed(bit):
    encoded = bytearray(encode_frame(Frame(0x84, 3, b"abcdef"))[1:-1])
    encoded[bit // 8 % len(encoded)] ^= 1 << bit % 8

    with pytest.raises(ProtocolError):
        decode_frame(bytes(encoded))


# -- demultiplexing


def stream() -> tuple[bytes, list[object]]:
    frames = [Frame(0x81, n, bytes((n, 0, 10, 13, 255)) * 9) for n in range(3)]
    data = (
        b"m-init-done\r\nm-ready\r\n"
        + encode_frame(frames[0])
        + encode_frame(frames[1])
        + b"m-results-[0.500,0.500]\r\n"
        + b"\0"  # a second delimiter in a row changes nothing
        + encode_frame(frames[2])
        + b"m-ready\r\n"
    )
    events: list[object] = [
        TextLine("m-init-done"),
        TextLine("m-ready"),
        frames[0],
        frames[1],
        TextLine("m-results-[0.500,0.500]"),
        frames[2],
        TextLine("m-ready"),
    ]
    return data, events


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_text_and_frames_come_apart_in_any_chunks(size):
    data, expected = stream()
    demux = StreamDemultiplexer()

    events = [e for i in range(0, len(data), size) for e in demux.feed(data[i : i + size])]

    assert events == expected


def test_noise_before_a_line_is_dropped_from_it():
    events = StreamDemultiplexer().feed(b"\xf3\x80\x01m-ready\r\n")

    assert events == [TextLine("m-ready")]


def test_stray_zero_byte_does_not_swallow_the_text_after_it():
    events = StreamDemultiplexer().feed(b"\0m-ready\r\nm-name-dut-[x]\r\n")

    assert events == [TextLine("m-ready"), TextLine("m-name-dut-[x]")]


def test_frame_after_a_stray_zero_byte_is_still_read():
    frame = Frame(0x83, 9, b"12345678")

    events = StreamDemultiplexer().feed(b"noise\0\x93\x17" + encode_frame(frame) + b"m-ready\r\n")

    assert frame in events
    assert events[-1] == TextLine("m-ready")


def test_text_after_a_cut_frame_is_still_read():
    encoded = encode_frame(Frame(0x83, 9, bytes(range(1, 60))))

    events = StreamDemultiplexer().feed(encoded[:30] + b"\0m-ready\r\n")

    assert isinstance(events[0], BadFrame)
    assert events[1:] == [TextLine("m-ready")]


def test_no_noise_breaks_it_for_good():
    """After any noise, at most one frame is lost, and text is read again at once after a line."""
    seeded = random.Random(20)
    frame = Frame(0x84, 200, bytes(range(200)))
    for _ in range(300):
        demux = StreamDemultiplexer()
        demux.feed(seeded.randbytes(seeded.randrange(1, 700)))

        later = demux.feed(b"\r\n" + 2 * encode_frame(frame) + b"\r\nm-ready\r\n")

        assert frame in later
        assert later[-1] == TextLine("m-ready")


# -- replies


def test_info_is_parsed_into_a_dataclass():
    info = parse_info(json.dumps(default_info() | {"reset": "power", "new_key": 1}))

    assert info.firmware_id == "0123456789abcdef"
    assert info.memory["stack"].used_bytes == 900
    assert info.inputs == ((1, 16),)
    assert info.reset == "power"


@pytest.mark.parametrize(
    "change, words",
    [
        ({"protocol": 2}, "speaks protocol 2; this mcugen speaks 1"),
        ({"clock_hz": "fast"}, "int"),
        ({"memory": {"planned": [1]}}, "without a usable"),
        ({"inputs": [[1]]}, "without a usable"),
    ],
)
def test_unusable_info_says_what_is_wrong(change, words):
    with pytest.raises(ProtocolError, match=words):
        parse_info(json.dumps(default_info() | change))


def test_missing_info_key_is_named():
    document = default_info()
    del document["counter_hz"]

    with pytest.raises(ProtocolError, match="counter_hz"):
        parse_info(json.dumps(document))


def test_infer_reply_is_the_time_between_the_laps():
    reply = TextReply(
        (
            "m-warmup-start-10",
            "m-warmup-done",
            "m-infer-start-100",
            "m-lap-us-1000",
            "m-lap-us-51000",
            "m-infer-done",
            "m-results-[0.125,0.875]",
        )
    )

    parsed = parse_infer(reply)

    assert (parsed.warmups, parsed.runs, parsed.elapsed_us) == (10, 100, 50_000)
    assert parsed.results == (0.125, 0.875)


def test_results_that_are_no_numbers_are_refused():
    with pytest.raises(ProtocolError, match="not a list of numbers"):
        parse_results(TextReply(("m-results-[0.1,x]",)))


def test_fault_report_is_put_in_words():
    fault = parse_fault(
        [
            "e-[Fault: UsageFault]",
            "m-fault-pc-0x08001234",
            "m-fault-lr-0x0800ffff",
            "m-fault-cfsr-0x01000000",
            "m-fault-address-0x20000001",
        ]
    )

    assert str(fault) == (
        "UsageFault on the device, pc 0x08001234, lr 0x0800ffff, CFSR 0x01000000, "
        "at address 0x20000001, unaligned access"
    )


# -- the document's sample session

TRANSCRIPT = (DOCS / "protocol_transcript.txt").read_text(encoding="utf-8")


def sample_replies() -> dict[str, TextReply]:
    """Command → its reply. Every reply must end in m-ready."""
    replies: dict[str, TextReply] = {}
    command, lines = "", []
    for line in TRANSCRIPT.splitlines():
        if line.startswith("> "):
            command, lines = line.removeprefix("> ").removesuffix("%"), []
        elif line == "< m-ready":
            replies[command] = TextReply(tuple(lines))
            command, lines = "", []
        elif line.startswith("< "):
            lines.append(line.removeprefix("< "))
    assert not lines, f"no m-ready after {lines}"
    return replies


def test_text_of_the_sample_session_is_understood():
    replies = sample_replies()

    info = parse_info(replies["mcugen info"].value("m-mcugen-info-"))
    infer = parse_infer(replies["infer 2 1"])

    assert info.protocol == PROTOCOL_VERSION
    assert info.memory.keys() == {"planned", "method", "temp", "io", "stack"}
    assert (infer.runs, infer.warmups) == (2, 1)
    assert infer.elapsed_us > 0
    assert sum(infer.results) == pytest.approx(1, abs=0.01)
    assert parse_results(replies["results"]) == infer.results
    assert replies["infer 0"].errors == ("Inference iterations must be >0",)
    (error,) = replies["infer"].errors  # of a runner that was sent no model
    assert error.startswith("Not ready: Program::load: 0x23")
    assert info.runner is not None and info.pte_crc32 == 0 and info.state == "empty"


def sample_frames() -> list[tuple[Frame, Frame]]:
    """(request, reply) in order; requests that were damaged on purpose are BadFrame."""
    sides: dict[str, list] = {">": [], "<": []}
    for side, text in re.findall(r"^frame([<>]) ([0-9a-f ]+)$", TRANSCRIPT, re.MULTILINE):
        (event,) = StreamDemultiplexer().feed(bytes.fromhex(text))
        sides[side].append(event)
    return list(zip(sides[">"], sides["<"], strict=True))


def test_frames_of_the_sample_session_are_understood():
    pairs = sample_frames()

    assert {request.type for request, _ in pairs if isinstance(request, Frame)} >= {
        1,
        2,
        3,
        4,
        5,
        0x10,
        0x11,
    }
    for request, reply in pairs:
        if isinstance(request, BadFrame):
            assert (reply.type, reply.seq, reply.body[0]) == (0xFF, 0, Status.BAD_FRAME)
        else:
            assert (reply.type, reply.seq) == (request.type | 0x80, request.seq)
    assert any(reply.body[0] == Status.BAD_ARGUMENT for _, reply in pairs)


def test_requests_of_the_sample_session_are_what_we_would_send():
    text = re.findall(r"^frame> ([0-9a-f ]+)$", TRANSCRIPT, re.MULTILINE)

    for line, (request, _) in zip(text, sample_frames(), strict=True):
        if isinstance(request, Frame):
            assert encode_frame(request) == bytes.fromhex(line)


# -- a live peer


def test_connect_gets_past_a_banner_that_comes_late():
    with connected(Peer(banner_delay_s=0.4)) as client:
        assert client.connect().board == "qemu-m4"
        assert client.command("name").lines == ("m-name-dut-[tests]",)


def test_connect_needs_no_banner():
    with connected(Peer(banner=b"")) as client:
        assert client.connect().model == "double"


def test_connect_gets_past_noise_and_half_a_banner():
    with connected(Peer(banner=b"\xff\x00\x12-init-do\0ne\r\nm-rea")) as client:
        assert client.connect().model == "double"


def test_replies_in_single_bytes_are_put_together():
    with connected(Peer(chunk_bytes=1)) as client:
        client.connect()
        assert client.ping(b"hello\0there") == b"hello\0there"


def test_inference_through_frames():
    with connected(Peer()) as client:
        client.connect()
        client.write_input(0, bytes(range(16)))
        ticks = client.execute()
        output = client.read_output(0, 16)

    assert ticks == 1003
    assert output == bytes(range(0, 32, 2))


@pytest.mark.parametrize("kind", [0x02, 0x04])
def test_damaged_reply_is_asked_for_again(kind):
    def mangle(request, before, reply):
        return reply[:-3] + b"\x55\0" if request == kind and before < 2 else reply

    with connected(Peer(mangle=mangle)) as client:
        client.connect()
        client.write_input(0, bytes(range(16)))
        client.execute()

        assert client.read_output(0, 16) == bytes(range(0, 32, 2))


def test_damage_that_goes_on_ends_after_a_bounded_number_of_tries():
    peer = Peer(mangle=lambda request, before, reply: reply[:-3] + b"\x55\0")
    with connected(peer) as client, pytest.raises(ProtocolError, match="gave up after 4 tries"):
        client.write_input(0, b"1")

    assert peer.requests.count(0x02) == 4


def test_info_is_asked_for_again_where_the_device_lost_bytes_of_it():
    with connected(Peer(overruns=3)) as client:
        assert client.connect().board == default_info()["board"]


def test_a_device_that_goes_on_losing_bytes_is_given_up():
    with (
        connected(Peer(overruns=4)) as client,
        pytest.raises(ProtocolError, match="lost part of 'mcugen info%': Receive overrun: 3 bytes"),
    ):
        client.info()


def test_execute_is_not_repeated_when_its_reply_is_damaged():
    """It did run: running it again would be a second inference that nobody asked for."""
    peer = Peer(mangle=lambda k, n, reply: reply[:-3] + b"\x55\0" if k == 3 else reply)
    with connected(peer, deadlines=SHORT_EXECUTE) as client:
        client.connect()
        with pytest.raises(ProtocolError, match="EXECUTE: damaged reply"):
            client.execute()

    assert peer.executions == 1


def test_noise_in_front_of_the_reply_to_execute_does_no_harm():
    peer = Peer(mangle=lambda k, n, reply: b"\0\x41\xff\0" + reply if k == 3 else reply)
    with connected(peer) as client:
        client.connect()

        assert client.execute() == 1003


def test_late_reply_to_an_earlier_request_is_not_taken_for_this_one():
    kept: list[bytes] = []

    def mangle(kind, before, reply):
        kept.append(reply)
        return kept[-2] + reply if kind == 4 and before == 1 else reply

    with connected(Peer(mangle=mangle)) as client:
        client.connect()
        first = client.read_input(0, 16)
        client.write_input(0, bytes(range(16)))
        client.execute()
        client.read_output(0, 8)

        assert client.read_output(0, 16) == bytes(range(0, 32, 2))
        assert first == bytes(16)


def test_refusal_carries_the_devices_words():
    with connected(Peer()) as client:
        client.connect()
        with pytest.raises(DeviceError, match="WRITE_INPUT: bad argument: input 0 has 16 bytes"):
            client.write_input(0, bytes(17))


def test_silence_ends_in_a_timeout_with_the_last_lines_and_the_transcript(tmp_path):
    path = tmp_path / "session.transcript.txt"
    with connected(Peer(mute_after=2), path=path, deadlines=SHORT_EXECUTE) as client:
        client.connect()
        client.write_input(0, b"\1")
        with pytest.raises(DeviceTimeoutError, match="no sign of the answer to EXECUTE") as caught:
            client.execute()

    assert caught.value.exit_code == 9
    assert "m-ready" in caught.value.message
    assert caught.value.log_path == path
    assert "[frame EXECUTE seq" in path.read_text(encoding="utf-8")


def test_device_that_never_answers_is_a_timeout(tmp_path):
    deadlines = Deadlines(connect_s=1.2, command_s=0.2, execute_s=0.2)
    with (
        connected(Peer(banner=b"", mute_after=0), deadlines=deadlines) as client,
        pytest.raises(DeviceTimeoutError, match="first command"),
    ):
        client.connect()


def test_fault_report_in_place_of_an_answer_is_an_error_with_its_address():
    report = (
        b"e-[Fault: BusFault]\r\nm-fault-pc-0x00000aaa\r\nm-fault-lr-0x00000bbb\r\n"
        b"m-fault-cfsr-0x00000200\r\nm-fault-cause-[precise data bus error]\r\n"
    )
    peer = Peer(mangle=lambda kind, before, reply: report if kind == 3 else reply)
    with connected(peer) as client:
        client.connect()
        with pytest.raises(DeviceError, match=r"BusFault.*pc 0x00000aaa.*precise data bus error"):
            client.execute()


def test_damaged_info_line_is_asked_for_again():
    class Flaky(Peer):
        asked = 0

        def _command(self, command):
            answer = super()._command(command)
            if "info" in command:
                self.asked += 1
                if self.asked == 1:
                    return answer.replace(b'"clock_hz"', b'"clock\xff"')
            return answer

    with connected(Flaky()) as client:
        assert client.connect().clock_hz == 25_000_000
