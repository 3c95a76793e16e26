# SPDX-License-Identifier: BSD-3-Clause
"""UF2 files, read back by the format's own description, and the volume of a boot loader."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mcugen.base.resources import firmware_dir

SCRIPT = firmware_dir() / "platform" / "builder" / "uf2.py"
RP2040 = 0xE48BFF56


def elf_of(*segments: tuple[int, bytes]) -> bytes:
    """An ELF file with program headers only; (address in flash, bytes)."""
    table = 52 + 32 * (len(segments) + 1)
    head = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0x10000000, 52, 0, 0, 52, 32, 0, 0, 0, 0)
    head = bytearray(head)
    struct.pack_into("<HH", head, 42, 32, len(segments) + 1)
    rows, data = b"", b""
    for address, content in segments:
        # Run from RAM, stored in flash: the physical address counts.
        size = len(content)
        rows += struct.pack("<8I", 1, table + len(data), 0x20000000, address, size, size, 5, 4)
        data += content
    # .bss: in memory only.
    rows += struct.pack("<8I", 1, table + len(data), 0x20001000, 0x20001000, 0, 64, 6, 4)
    return bytes(head) + rows + data


def blocks_of(uf2: bytes) -> list[tuple[int, bytes]]:
    """Return (address, payload) of each block; what the format says of each is asserted."""
    assert len(uf2) % 512 == 0
    found = []
    for number in range(len(uf2) // 512):
        block = uf2[512 * number : 512 * (number + 1)]
        first, second, flags, address, size, index, total, family = struct.unpack_from("<8I", block)
        assert (first, second) == (0x0A324655, 0x9E5D5157)
        assert block[-4:] == struct.pack("<I", 0x0AB16F30)
        assert (flags, family) == (0x2000, RP2040)
        assert (size, index, total) == (256, number, len(uf2) // 512)
        assert address % 256 == 0
        assert block[32 + 256 : -4] == bytes(512 - 32 - 256 - 4)
        found.append((address, block[32 : 32 + 256]))
    return found


def convert(tmp_path: Path, elf: bytes, *more: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "a.elf").write_bytes(elf)
    arguments = ["--elf", str(tmp_path / "a.elf"), "--family", hex(RP2040), "--board-id", "RPI-RP2"]
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments, *more],
        env=os.environ | {"MCUGEN_UF2_VOLUMES": os.environ.get("MCUGEN_UF2_VOLUMES", "")},
        capture_output=True,
        text=True,
    )


def test_every_byte_of_the_image_is_in_the_file_once(tmp_path):
    vectors, text = bytes(range(256)), bytes(range(1, 200))
    elf = elf_of((0x10000000, vectors), (0x10000150, text), (0x10000100, b"\xaa" * 16))

    done = convert(tmp_path, elf, "--output", str(tmp_path / "a.uf2"))

    assert done.returncode == 0, done.stderr
    blocks = blocks_of((tmp_path / "a.uf2").read_bytes())
    assert [address for address, _ in blocks] == [0x10000000, 0x10000100, 0x10000200]
    flat = b"".join(payload for _, payload in blocks)
    expected = bytearray(768)
    expected[:256], expected[0x100:0x110] = vectors, b"\xaa" * 16
    expected[0x150 : 0x150 + len(text)] = text
    assert flat == bytes(expected)


def test_what_is_no_elf_is_refused(tmp_path):
    done = convert(tmp_path, b"MZ", "--output", str(tmp_path / "a.uf2"))

    assert done.returncode == 1 and "not a 32-bit little-endian ELF" in done.stderr


@pytest.fixture
def volume(tmp_path, monkeypatch):
    """The volume of a boot loader, which takes itself away when it has the last block."""

    def mount(name: str = "RPI RP2", board_id: str = "RPI-RP2") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "INFO_UF2.TXT").write_text(f"UF2 Bootloader v3.0\r\nBoard-ID: {board_id}\r\n")
        mounted = os.environ.get("MCUGEN_UF2_VOLUMES", "")
        both = [path for path in (*mounted.split(os.pathsep), str(folder)) if path]
        monkeypatch.setenv("MCUGEN_UF2_VOLUMES", os.pathsep.join(both))
        return folder

    monkeypatch.delenv("MCUGEN_UF2_VOLUMES", raising=False)
    return mount


IMAGE = elf_of((0x10000000, b"x" * 1000))


def test_an_image_is_copied_and_the_volume_waited_away(tmp_path, volume):
    folder = volume()
    volume("other", "RP2350")
    received = []

    def boot_loader() -> None:
        file = folder / "mcugen.uf2"
        while not file.exists() or file.stat().st_size < 4 * 512:
            time.sleep(0.01)
        received.append(file.read_bytes())
        (folder / "INFO_UF2.TXT").unlink()

    thread = threading.Thread(target=boot_loader, daemon=True)
    thread.start()
    done = convert(tmp_path, IMAGE)
    thread.join(10)

    assert done.returncode == 0, done.stderr
    assert b"".join(payload for _, payload in blocks_of(received[0]))[:1000] == b"x" * 1000
    assert "the board has restarted" in done.stdout


def test_a_volume_that_stays_has_not_taken_the_image(tmp_path, volume):
    folder = volume()

    done = convert(tmp_path, IMAGE, "--gone-after", "0.3")

    assert done.returncode == 1
    assert f"{folder} is still there" in done.stderr and "for this chip" in done.stderr


def test_a_cable_pulled_in_the_middle_says_how_far_it_came(tmp_path, volume):
    folder = volume()
    (folder / "mcugen.uf2").symlink_to("/dev/full")

    done = convert(tmp_path, IMAGE)

    assert done.returncode == 1
    assert "writing ended after" in done.stderr and "of 2,048 B" in done.stderr
    assert "BOOTSEL" in done.stderr


def test_no_volume_and_several_are_refused(tmp_path, volume):
    volume("other", "RP2350")
    none = convert(tmp_path, IMAGE)
    folders = [volume("a"), volume("b")]
    several = convert(tmp_path, IMAGE)
    wrong = convert(tmp_path, IMAGE, "--volume", str(tmp_path))

    assert none.returncode == several.returncode == wrong.returncode == 1
    assert "no volume of a RPI-RP2 is mounted" in none.stderr and "is a RP2350" in none.stderr
    assert all(str(folder) in several.stderr for folder in folders)
    assert "--volume" in several.stderr
    assert "holds no INFO_UF2.TXT" in wrong.stderr
