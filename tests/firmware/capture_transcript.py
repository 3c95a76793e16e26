# SPDX-License-Identifier: BSD-3-Clause
"""Write docs/protocol_transcript.txt: sessions with an image, and with a runner, on QEMU.

Usage: python tests/firmware/capture_transcript.py BOARD ELF RUNNER_BOARD RUNNER_ELF \\
           > docs/protocol_transcript.txt
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from pathlib import Path

from firmware_build import Qemu, frame, unframe

from mcugen.boards.load import load_board

HEADER = """\
# A session with the firmware, as docs/protocol.md describes it, captured from QEMU.
# "> " sent, "< " received, a line each; "frame> " and "frame< " the same in hex.
"""


RUNNER_HEADER = """
# A session with a runner: a model that is none, and one whose CRC is not as announced.
"""


def main(board_id: str, elf: str, runner_board_id: str, runner_elf: str) -> None:
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
        binary(device, frame(0x10, 7, struct.pack("<I", 0) + b"\x08\0\0\0ET12"))
    with Qemu(load_board(runner_board_id), Path(runner_elf)) as device:
        print(RUNNER_HEADER)
        text(device, "mcugen info")
        model = b"no model"
        binary(device, frame(0x03, 1))
        binary(device, frame(0x10, 2, struct.pack("<I", 0) + model))
        binary(device, frame(0x11, 3, struct.pack("<II", len(model), 0)))
        binary(device, frame(0x11, 4, struct.pack("<II", len(model), zlib.crc32(model))))
        text(device, "infer")
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
    before = device.until(b"\0")[:-1]  # log lines
    if before:
        show(before)
    reply = b"\0" + device.until(b"\0")
    unframe(reply)
    print(f"frame< {reply.hex(' ')}")


if __name__ == "__main__":
    main(*sys.argv[1:])
