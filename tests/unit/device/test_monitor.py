# SPDX-License-Identifier: BSD-3-Clause
"""What is said on a link, taken apart and put in words; the proxy's terminal without a device."""

from __future__ import annotations

import os
import struct

import pytest

from mcugen.base.errors import ConfigError
from mcugen.device.protocol.frames import Frame, FrameType, encode_frame
from mcugen.device.protocol.requests import Command, RequestDemultiplexer
from mcugen.device.protocol.stream import BadFrame, TextLine
from mcugen.device.protocol.wording import fields_of, words_of
from mcugen.device.proxy_tty import ProxyTty

FRAME = Frame(FrameType.WRITE_INPUT, 7, struct.pack("<HI", 1, 500) + b"\x25\x00\xff")


@pytest.mark.parametrize("chunk", [1, 2, 5, 1000])
def test_a_hosts_bytes_become_commands_and_frames_whatever_the_chunks(chunk):
    data = b"%name%\r\nhalf-typed" + encode_frame(FRAME) + b"infer 2 1%"
    demux = RequestDemultiplexer()

    found = []
    for begin in range(0, len(data), chunk):
        found += demux.feed(data[begin : begin + chunk], 0.0)

    assert found == [Command(""), Command("name"), FRAME, Command("infer 2 1")]


def test_a_frame_that_stops_is_dropped_after_half_a_second_as_the_device_does():
    demux = RequestDemultiplexer()
    half = encode_frame(FRAME)[:6]

    assert demux.feed(half, 1.0) == []
    dropped, command = demux.feed(b"name%", 1.6)

    assert isinstance(dropped, BadFrame) and dropped.raw == half[1:]
    assert command == Command("name")


def test_a_damaged_request_says_what_is_wrong():
    damaged = bytearray(encode_frame(FRAME))
    damaged[12] ^= 0x40  # a byte of the body

    (bad,) = RequestDemultiplexer().feed(bytes(damaged), 0.0)

    assert isinstance(bad, BadFrame)
    assert words_of(bad).startswith("damaged frame: frame CRC is 0x")


@pytest.mark.parametrize(
    ("said", "words", "fields"),
    [
        (
            FRAME,
            "[  7] WRITE_INPUT input 1, offset 500, 3 B: 25 00 ff",
            {"type": "WRITE_INPUT", "input": 1, "offset": 500, "bytes": 3, "reply": False},
        ),
        (
            Frame(0x83, 9, b"\0" + struct.pack("<Q2I", 1234, 600, 634)),
            "[  9] EXECUTE ok ticks 1,234, steps 2",
            {"type": "EXECUTE", "reply": True, "status": 0, "ticks": 1234, "steps": 2},
        ),
        (
            Frame(0x84, 1, b"\x03out of range"),
            "[  1] READ_OUTPUT bad argument: out of range",
            {"status": 3, "message": "out of range"},
        ),
        (
            Frame(0x11, 2, struct.pack("<II", 16256, 0xABC) + b"forward"),
            "[  2] LOAD_MODEL 16,256 B, CRC-32 00000abc, method 'forward'",
            {"bytes": 16256, "crc32": "00000abc", "method": "forward"},
        ),
        (
            Frame(0x04, 2, b"\x01"),
            "[  2] READ_OUTPUT",
            {"type": "READ_OUTPUT", "body": "01"},
        ),
        (Frame(0x66, 2, b"\x01"), "[  2] 0x66 1 B: 01", {"type": "0x66"}),
        (Frame(0xFF, 0, b"\x01crc"), "[  0] BAD_FRAME bad frame: crc", {"type": "BAD_FRAME"}),
        (
            TextLine("m-fault-cfsr-0x01000000"),
            "m-fault-cfsr-0x01000000  (unaligned access)",
            {"kind": "line", "text": "m-fault-cfsr-0x01000000"},
        ),
    ],
)
def test_each_kind_of_frame_is_put_in_words(said, words, fields):
    assert words_of(said) == words
    assert fields.items() <= fields_of(said).items()


def test_the_proxys_terminal_is_raw_and_outlives_its_clients(tmp_path):
    link = tmp_path / "dut"
    tty = ProxyTty(link)
    try:
        for _ in range(2):
            client = os.open(link, os.O_RDWR | os.O_NOCTTY)
            os.write(client, b"\x00\x03\x0d%")
            assert tty.read() == b"\x00\x03\x0d%"
            tty.write(b"\x0a\x00m-ready\r\n")
            assert os.read(client, 100) == b"\x0a\x00m-ready\r\n"
            os.close(client)
        assert tty.read() == b""
    finally:
        tty.close()

    assert not link.is_symlink()


def test_a_device_that_nobody_reads_does_not_stop_the_proxy():
    tty = ProxyTty()
    try:
        for _ in range(40):
            tty.write(bytes(4096))

        assert tty.has_pending and 0 < tty.dropped_bytes < 40 * 4096
    finally:
        tty.close()


def test_the_link_never_replaces_a_file(tmp_path):
    (tmp_path / "mine").write_text("keep")

    with pytest.raises(ConfigError, match="is there and is not a link"):
        ProxyTty(tmp_path / "mine")

    assert (tmp_path / "mine").read_text() == "keep"
