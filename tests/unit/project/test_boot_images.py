# SPDX-License-Identifier: BSD-3-Clause
"""What a boot ROM or a boot loader wants of an image: it must lie where that looks for it."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from sample_project import sample_artifact, sample_plan

from mcugen.base.resources import firmware_dir
from mcugen.boards.load import load_board
from mcugen.project.copied import bsp_sources
from mcugen.project.linker import linker_context
from mcugen.project.render import render

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(
        shutil.which("arm-none-eabi-g++") is None, reason="arm-none-eabi-g++ is not installed"
    ),
]

# What a family's drivers need of the rest of the firmware.
REST = """
#include <port/board.h>
#include <port/cortex_m/vectors.h>
const void* volatile vtor;
extern "C" void reset_handler() {
  vtor = mcugen::vector_table();
  for (;;) mcugen::board_init();
}
extern "C" void fault_entry() {}
extern "C" void systick_interrupt() {}
namespace mcugen {
extern const BoardConfig kBoardConfig = {"sample", "sample", %d, 115200};
void console_received(uint8_t) {}
void console_lost(uint32_t) {}
}
"""


def flash_of(board_id: str, folder: Path) -> tuple[int, bytes]:
    """Link the drivers of a board with its linker script; return flash's start and contents."""
    board = load_board(board_id)
    (folder / "memory.ld").write_text(render(linker_context(sample_plan(sample_artifact()), board)))
    (folder / "rest.cpp").write_text(REST % board.clock_hz)
    sources = [path for path in bsp_sources(board.bsp) if path.endswith(".cpp")]
    # One by one into an archive, as PlatformIO does: what nothing refers to is not linked.
    for number, path in enumerate(sources):
        subprocess.run(
            [
                *("arm-none-eabi-g++", *board.machine_flags, "-std=gnu++17", "-Os", "-Wall"),
                *("-Wextra", "-Wundef", "-Werror", "-ffunction-sections", "-fdata-sections"),
                *("-fno-exceptions", "-fno-rtti", f"-I{firmware_dir()}"),
                *(f"-D{name}={value}" for name, value in board.defines),
                *("-c", str(firmware_dir() / path), "-o", str(folder / f"{number}.o")),
            ],
            check=True,
        )
    objects = [str(folder / f"{number}.o") for number in range(len(sources))]
    subprocess.run(["arm-none-eabi-ar", "rc", str(folder / "bsp.a"), *objects], check=True)
    elf = folder / "image.elf"
    subprocess.run(
        [
            *("arm-none-eabi-g++", *board.machine_flags, "-std=gnu++17", "-Os", "-nostartfiles"),
            *("-fno-exceptions", "-fno-rtti", "--specs=nosys.specs", f"-I{firmware_dir()}"),
            *("-DMCUGEN_UART_RX_IRQ=0", "-Wl,--gc-sections", "-Wl,--fatal-warnings"),
            *("-T", str(folder / "memory.ld"), str(folder / "rest.cpp"), str(folder / "bsp.a")),
            *("-o", str(elf)),
        ],
        check=True,
    )
    image = folder / "image.bin"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", str(elf), str(image)], check=True)
    return board.region_for("code").start, image.read_bytes()


def assert_vectors(start: int, flash: bytes, board_id: str) -> None:
    """Stack pointer at the end of some RAM, entry in flash and in Thumb state."""
    stack, entry = struct.unpack_from("<2I", flash)
    ram = load_board(board_id).region_for("stack")
    assert ram.start < stack <= ram.end
    assert entry % 2 == 1 and start <= entry < start + len(flash)


def test_the_rp2040_finds_a_boot_stage_with_its_checksum(tmp_path: Path) -> None:
    """RP2040 datasheet 2.8.1.3.1: else it stays in its USB boot loader."""
    start, flash = flash_of("rpi_pico", tmp_path)

    crc = 0xFFFFFFFF
    for byte in flash[:252]:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    assert start == 0x1000_0000
    assert struct.unpack_from("<I", flash, 252) == (crc,)
    assert_vectors(start, flash[256:], "rpi_pico")


def test_the_rp2040_s_boot_stage_is_what_its_source_says(tmp_path: Path) -> None:
    family = firmware_dir() / "bsp/rp2040"
    elf, image = tmp_path / "boot2.o", tmp_path / "boot2.bin"
    subprocess.run(["arm-none-eabi-as", str(family / "boot2.s"), "-o", str(elf)], check=True)
    copy = ["arm-none-eabi-objcopy", "-O", "binary", "-j", ".boot_stage"]
    subprocess.run([*copy, str(elf), str(image)], check=True)
    assert image.stat().st_size <= 252
    words = struct.unpack("<63I", image.read_bytes().ljust(252, b"\0"))

    text = (family / "boot2.h").read_text()
    table = re.search(r"kCode\[kNumWords\] = \{(.*?)\};", text, re.DOTALL)
    assert table is not None
    rows = [words[at : at + 6] for at in range(0, len(words), 6)]
    expected = "\n".join(f"    {', '.join(f'0x{word:08X}' for word in row)}," for row in rows)
    assert table[1].split() == expected.split(), f"boot2.h must have:\n{expected}"


def test_the_rp2350_finds_a_block_that_says_what_the_image_is(tmp_path: Path) -> None:
    """RP2350 datasheet 5.9.5.1, in the first 4 KiB; the vectors begin flash."""
    start, flash = flash_of("rpi_pico2", tmp_path)

    block = struct.pack("<5I", 0xFFFFDED3, 0x10210142, 0x000001FF, 0, 0xAB123579)
    at = flash.find(block)
    assert start == 0x1000_0000
    assert 0 < at <= 4096 - len(block) and at % 4 == 0
    assert_vectors(start, flash, "rpi_pico2")


@pytest.mark.parametrize(
    ("board_id", "first"),
    [("nrf52840dk", 0), ("arduino_nano33ble", 0x1_0000), ("nrf5340dk", 0)],
)
def test_vectors_begin_where_the_core_or_a_boot_loader_starts(
    tmp_path: Path, board_id: str, first: int
) -> None:
    start, flash = flash_of(board_id, tmp_path)

    assert start == first
    assert_vectors(start, flash, board_id)
