# SPDX-License-Identifier: BSD-3-Clause
"""Builds the firmware around fake_model.cpp, for the host and for QEMU, and talks to it."""

from __future__ import annotations

import socket
import struct
import subprocess
import time
import zlib
from pathlib import Path
from types import TracebackType

from cobs import cobs

from mcugen.base.errors import ToolMissingError
from mcugen.base.resources import executorch_include_dir
from mcugen.base.toolchain import QEMU, find_tool
from mcugen.boards.spec import BoardSpec
from mcugen.project.copied import bsp_sources

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parent.parent / "firmware"

COMMON_FLAGS = [
    *("-std=gnu++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"),
    *("-ffp-contract=off", "-ffunction-sections", "-fdata-sections"),
    *("-Wall", "-Wextra", "-Wundef", "-Wdouble-promotion", "-Werror"),
    *("-DC10_USING_CUSTOM_GENERATED_MACROS", "-DET_MIN_LOG_LEVEL=Error"),
]
STACK_BYTES = 4096

LINKER_SCRIPT = """
ENTRY(reset_handler)
MEMORY {{ code (rx) : ORIGIN = {code}, LENGTH = 256K
          ram (rw) : ORIGIN = {ram}, LENGTH = 64K }}
SECTIONS {{
  .text : {{ KEEP(*(.isr_vector)) *(.text .text.*) *(.rodata .rodata.*) . = ALIGN(4); }} > code
  .ARM.exidx : {{ *(.ARM.extab* .ARM.exidx*) }} > code
  .init_array : {{ KEEP(*(.preinit_array* .init_array* .ctors*)) }} > code
  ASSERT(SIZEOF(.init_array) == 0, "static constructor")
  .stack (NOLOAD) : {{ __stack_limit = .; . += {stack}; __stack_top = .; }} > ram
  .data : ALIGN(4) {{ __data_start = .; *(.data .data.*) . = ALIGN(4); __data_end = .; }}
      > ram AT > code
  __data_load = LOADADDR(.data);
  .bss (NOLOAD) : ALIGN(4) {{ __bss_start = .; *(.bss .bss.* COMMON) . = ALIGN(4); __bss_end = .; }}
      > ram
}}
"""


def include_flags() -> list[str]:
    include = executorch_include_dir()
    c10 = include / "executorch/runtime/core/portable_type/c10"
    return [f"-I{FIRMWARE}", "-isystem", str(include), "-isystem", str(c10)]


def run(command: list[str]) -> None:
    """Run a compiler; its output is the failure message."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def build_host(source: Path, firmware_sources: list[str], folder: Path, *flags: str) -> Path:
    """Build a program of this folder with parts of the firmware, under ASan and UBSan."""
    program = folder / source.stem
    run(
        [
            "g++",
            *COMMON_FLAGS,
            *include_flags(),
            "-O1",
            "-g1",
            "-fsanitize=address,undefined",
            "-fno-sanitize-recover=all",
            *flags,
            str(source),
            *(str(FIRMWARE / name) for name in firmware_sources),
            "-o",
            str(program),
        ]
    )
    return program


def cpu_flags(board: BoardSpec) -> list[str]:
    flags = [f"-mcpu={board.cpu}", "-mthumb", f"-mfloat-abi={board.float_abi}"]
    if board.fpu and board.fpu != "auto":
        flags.append(f"-mfpu={board.fpu}")
    return flags


def build_target(board: BoardSpec, folder: Path) -> Path:
    """Build the firmware for a board, app/model.cpp replaced by fake_model.cpp."""
    sources = [path for path in sorted(FIRMWARE.glob("app/*.cpp")) if path.name != "model.cpp"]
    sources += sorted(FIRMWARE.glob("app/embedded/*.cpp"))
    sources += sorted(FIRMWARE.glob("port/cortex_m/*.cpp"))
    sources += [FIRMWARE / name for name in bsp_sources(board.bsp) if name.endswith(".cpp")]
    sources += [HERE / "fake_model.cpp", HERE / "test_config.cpp"]
    script = folder / f"{board.id}.ld"
    script.write_text(
        LINKER_SCRIPT.format(
            code=hex(board.region_for("code").start),
            ram=hex(board.region_for("stack").start),
            stack=STACK_BYTES,
        )
    )
    elf = folder / f"{board.id}.elf"
    run(
        [
            "arm-none-eabi-g++",
            *COMMON_FLAGS,
            *include_flags(),
            *cpu_flags(board),
            *(f"-D{name}={value}" for name, value in board.defines),
            f"-DTEST_CLOCK_HZ={board.clock_hz}",
            "-Os",
            "-g",
            "-nostartfiles",
            "--specs=nano.specs",
            "--specs=nosys.specs",
            "-Wl,--gc-sections",
            f"-Wl,-Map={elf}.map",
            "-T",
            str(script),
            *map(str, sources),
            "-o",
            str(elf),
        ]
    )
    return elf


def frame(kind: int, seq: int, body: bytes = b"") -> bytes:
    """Encode a frame with the cobs package and zlib: not with our own code."""
    payload = bytes([kind, seq]) + body
    payload += struct.pack("<I", zlib.crc32(payload))
    return b"\0" + cobs.encode(payload) + b"\0"


def unframe(data: bytes) -> tuple[int, int, bytes]:
    """Decode one frame between two zeros into (type, seq, body), checking its CRC."""
    assert data[:1] == b"\0" and data[-1:] == b"\0" and 0 not in data[1:-1], data
    payload = cobs.decode(data[1:-1])
    assert zlib.crc32(payload[:-4]) == int.from_bytes(payload[-4:], "little"), payload
    return payload[0], payload[1], payload[2:-4]


def missing_qemu(board: BoardSpec) -> str:
    """Say which QEMU the board's machine needs, if that on PATH is older; else return ""."""
    wanted = board.qemu.min_version if board.qemu else None
    if wanted is None:
        return ""
    try:
        have = find_tool(QEMU).version
    except ToolMissingError as error:
        return error.message
    old = [int(part) for part in have.split(".")] < [int(part) for part in wanted.split(".")]
    return f"{board.id} needs QEMU {wanted}, there is {have}" if old else ""


class Qemu:
    """A machine that runs an image, and its console. A context manager."""

    def __init__(self, board: BoardSpec, elf: Path, *, banner: bool = True) -> None:
        assert board.qemu is not None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = subprocess.Popen(
            ["qemu-system-arm", "-M", board.qemu.machine, "-nographic", "-monitor", "none"]
            + ["-icount", "shift=0", "-kernel", str(elf)]
            + ["-serial", "null"] * board.qemu.serial_index
            + ["-serial", f"tcp:127.0.0.1:{port},server=on,wait=on,nodelay=on"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        self.transcript = bytearray()
        deadline = time.monotonic() + 10
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline and self.process.poll() is None
                time.sleep(0.02)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        if banner:
            self.until(b"m-ready\r\n")

    def __enter__(self) -> Qemu:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()

    def send(self, data: bytes) -> None:
        self.transcript += b"> " + data
        self.socket.sendall(data)

    def until(self, end: bytes, timeout: float = 20) -> bytes:
        """Return what is received up to and including `end`."""
        deadline = time.monotonic() + timeout
        while end not in self.buffer:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self.socket.recv(4096)
            except TimeoutError:
                raise AssertionError(f"no {end!r} after {self.buffer!r}") from None
            assert data, f"closed after {self.buffer!r}"
            self.buffer += data
            self.transcript += data
        at = self.buffer.index(end) + len(end)
        received, self.buffer = self.buffer[:at], self.buffer[at:]
        return received

    def command(self, text: str, timeout: float = 20) -> list[str]:
        """Send a text command; return its lines before m-ready."""
        self.send(text.encode() + b"%")
        lines = self.until(b"m-ready\r\n", timeout).decode().split("\r\n")
        return lines[:-2]

    def request(self, kind: int, seq: int, body: bytes = b"") -> tuple[int, int, bytes]:
        """Send a frame; return the reply's (type, status, payload).

        QEMU's serial line is as fast as the host lets it: a frame that the device lost bytes of is
        sent again, as mcugen does.
        """
        for _ in range(4):
            answered_seq, *reply = self._exchange(frame(kind, seq, body))
            if reply != [0xFF, 1, b"receive overrun"]:
                break
        assert answered_seq == seq, reply
        return tuple(reply)

    def raw_request(self, data: bytes, seq: int) -> tuple[int, int, bytes]:
        """Send bytes as they are; return the reply's (type, status, payload)."""
        answered_seq, *reply = self._exchange(data)
        assert answered_seq == seq, reply
        return tuple(reply)

    def _exchange(self, data: bytes) -> tuple[int, int, int, bytes]:
        """Return the reply's (seq, type, status, payload)."""
        self.send(data)
        self.until(b"\0")
        kind, seq, body = unframe(b"\0" + self.until(b"\0"))
        return seq, kind, body[0], body[1:]
