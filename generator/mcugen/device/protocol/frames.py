# SPDX-License-Identifier: BSD-3-Clause
"""Binary frames: COBS and CRC-32."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

from mcugen.base.errors import ProtocolError

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
