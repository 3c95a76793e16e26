# SPDX-License-Identifier: BSD-3-Clause
"""A device in a thread: speaks docs/protocol.md over TCP, and misbehaves on request.

Written from the document and not from mcugen.protocol, so that a misunderstanding shows.
"""

from __future__ import annotations

import binascii
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cobs import cobs

BANNER = b"m-timestamp-mode-performance\r\nm-lap-us-17\r\nm-init-done\r\nm-ready\r\n"


def default_info() -> dict:
    return {
        "protocol": 1,
        "firmware_id": "0123456789abcdef",
        "board": "qemu-m4",
        "model": "double",
        "pte_sha256": "ab" * 32,
        "pte_bytes": 1234,
        "method": "forward",
        "clock_hz": 25_000_000,
        "clock_source": "fixed",
        "counter": "systick",
        "counter_hz": 25_000_000,
        "empty_ticks": 3,
        "state": "ready",
        "error": None,
        "memory": {
            "planned": [64, 64],
            "method": [500, 512],
            "temp": [0, 16],
            "io": [16, 16],
            "stack": [900, 4096],
        },
        "inputs": [[1, 16]],
        "outputs": [[1, 16]],
    }


@dataclass
class Peer:
    """The device's behaviour. Its model: output = input * 2, saturated to int8.

    mangle: called with (request type, how many requests of that type came before, reply bytes),
    returns the bytes to send instead.
    """

    info: dict = field(default_factory=default_info)
    banner: bytes = BANNER
    banner_delay_s: float = 0.0
    chunk_bytes: int = 0  # > 0: replies trickle in pieces of that size
    mangle: Callable[[int, int, bytes], bytes] | None = None
    ticks: Callable[[int], int] = lambda n: 1003
    steps: list[int] | None = None  # ticks of each instruction; None: older firmware
    compute: Callable[[bytes], bytes] | None = None
    mute_after: int | None = None  # falls silent after that many frames
    overruns: int = 0  # of the first commands, so many are answered as if bytes were lost
    executions: int = 0
    requests: list[int] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self._staging = bytearray(16)
        self._output = bytes(16)
        self._text = bytearray()
        self._frame: bytearray | None = None

    def serve(self, listener: socket.socket, stop: threading.Event) -> None:
        listener.settimeout(0.05)
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                time.sleep(self.banner_delay_s)
                self._send(connection, self.banner)
                connection.settimeout(0.02)
                while not stop.is_set():
                    try:
                        data = connection.recv(4096)
                    except TimeoutError:
                        continue
                    if not data:
                        break
                    for byte in data:
                        self._byte(connection, byte)

    def _send(self, connection: socket.socket, data: bytes) -> None:
        if not self.chunk_bytes:
            connection.sendall(data)
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(data), self.chunk_bytes):
            connection.sendall(data[start : start + self.chunk_bytes])
            time.sleep(0.0005)

    def _byte(self, connection: socket.socket, byte: int) -> None:
        if self._frame is None:
            if byte == 0:
                self._frame = bytearray()
            elif byte == ord("%"):
                command, self._text = self._text.decode("ascii", "replace"), bytearray()
                self._send(connection, self._command(command))
            else:
                self._text.append(byte)
        elif byte != 0:
            self._frame.append(byte)
        elif self._frame:
            encoded, self._frame = bytes(self._frame), None
            self._handle(connection, encoded)

    def _command(self, command: str) -> bytes:
        if not command:
            return b"m-ready\r\n"
        if self.overruns > 0:
            self.overruns -= 1
            return b"e-[Receive overrun: 3 bytes lost]\r\nm-ready\r\n"
        if command == "mcugen info":
            answer = "m-mcugen-info-" + json.dumps(self.info)
        elif command == "name":
            answer = "m-name-dut-[tests]"
        else:
            answer = f"e-[Unknown command: {command}]"
        return f"{answer}\r\nm-ready\r\n".encode()

    def _handle(self, connection: socket.socket, encoded: bytes) -> None:
        if self.mute_after is not None and len(self.requests) >= self.mute_after:
            return
        try:
            payload = cobs.decode(encoded)
        except cobs.DecodeError:
            payload = b""
        if len(payload) < 6 or binascii.crc32(payload[:-4]) != struct.unpack("<I", payload[-4:])[0]:
            self._send(connection, self._reply(0xFF, 0, b"\x01bad frame"))
            return
        kind, seq, body = payload[0], payload[1], payload[2:-4]
        before = self.requests.count(kind)
        self.requests.append(kind)
        reply = self._reply(kind | 0x80, seq, self._do(kind, body))
        if self.mangle is not None:
            reply = self.mangle(kind, before, reply)
        self._send(connection, reply)

    def _do(self, kind: int, body: bytes) -> bytes:
        if kind == 1:
            return b"\0" + body
        if kind == 2:
            index, offset = struct.unpack_from("<HI", body)
            data = body[6:]
            if index != 0 or offset + len(data) > len(self._staging):
                return b"\x03input 0 has 16 bytes"
            self._staging[offset : offset + len(data)] = data
            return b"\0"
        if kind == 3:
            if self.info["state"] != "ready":
                return b"\x04" + str(self.info["error"]).encode()
            if body and (self.steps is None or len(body) != 2):
                return b"\x03out of range"
            self.executions += 1
            values = struct.unpack("16b", self._staging)
            doubled = struct.pack("16b", *(max(-128, min(127, 2 * v)) for v in values))
            self._output = self.compute(bytes(self._staging)) if self.compute else doubled
            reply = b"\0" + struct.pack("<Q", self.ticks(self.executions))
            if body and self.steps is not None:
                some = self.steps[struct.unpack("<H", body)[0] :][:125]
                reply += struct.pack(f"<{len(some)}I", *some)
            return reply
        if kind in (4, 5):
            index, offset, length = struct.unpack("<HIH", body)
            source = self._output if kind == 4 else bytes(self._staging)
            if index != 0 or offset + length > len(source):
                return b"\x03out of range"
            return b"\0" + source[offset : offset + length]
        if kind == 0x12:
            self._staging[:] = bytes(16)
            return b"\0"
        return b"\x02"

    @staticmethod
    def _reply(kind: int, seq: int, body: bytes) -> bytes:
        payload = bytes((kind, seq)) + body
        payload += struct.pack("<I", binascii.crc32(payload))
        return b"\0" + cobs.encode(payload) + b"\0"


@contextlib.contextmanager
def running(peer: Peer) -> Iterator[Peer]:
    """Serve the peer on a free port; its address is in `peer.url`."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer.url = f"socket://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=peer.serve, args=(listener, stop), daemon=True)
        thread.start()
        try:
            yield peer
        finally:
            stop.set()
            thread.join(5)
