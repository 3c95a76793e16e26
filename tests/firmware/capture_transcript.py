# SPDX-License-Identifier: BSD-3-Clause
"""Write docs/protocol_transcript.txt: a session with an image on its board's QEMU machine.

Usage: python tests/firmware/capture_transcript.py BOARD ELF > docs/protocol_transcript.txt
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

from firmware_build import Qemu, frame, unframe

from mcugen.boards import load_board

HEADER = """\
# A session with the firmware, as docs/protocol.md describes it, captured from QEMU.
# "> " sent, "< " received, a line each; "frame> " and "frame< " the same in hex.
"""


def main(board_id: str, elf: str) -> None:
    with Qemu(load_board(board_id), Path(elf), banner=False) as device:
        print(HEADER)
        show(device.until(b"m-ready\r\n"))

        info = json.loads(text(device, "mcugen info")[0].removeprefix("m-mcugen-info-"))
        size = info["inputs"][0][1]
        for command in ("name", "timestamp", "profile", "help", "db load 8", "db 0001020304"):
            text(device, command)
        for command in ("db 050607", "db print", "infer 2 1", "results", "mcugne info", "infer 0"):
            text(device, command)

        body = struct.pack("<HI", 0, 0) + bytes(range(min(size, 16)))
        binary(device, frame(0x01, 1, b"any\0thing"))
        binary(device, frame(0x02, 2, body))
        binary(device, frame(0x05, 3, struct.pack("<HIH", 0, 0, 4)))
        binary(device, frame(0x03, 4))
        binary(device, frame(0x04, 5, struct.pack("<HIH", 0, 0, min(info["outputs"][0][1], 16))))
        binary(device, frame(0x04, 6, struct.pack("<HIH", 9, 0, 1)))
        damaged = bytearray(frame(0x01, 7, b"hello"))
        damaged[5] ^= 0x01
        binary(device, bytes(damaged))


def show(received: bytes) -> list[str]:
    lines = received.decode("ascii").split("\r\n")[:-1]
    for line in lines:
        print(f"< {line}")
    return lines


def text(device: Qemu, command: str) -> list[str]:
    print(f"\n> {command}%")
    device.send(command.encode() + b"%")
    return show(device.until(b"m-ready\r\n"))


def binary(device: Qemu, request: bytes) -> None:
    print(f"\nframe> {request.hex(' ')}")
    device.send(request)
    device.until(b"\0")
    reply = b"\0" + device.until(b"\0")
    unframe(reply)
    print(f"frame< {reply.hex(' ')}")


if __name__ == "__main__":
    main(*sys.argv[1:])
