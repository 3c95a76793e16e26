# SPDX-License-Identifier: BSD-3-Clause
"""The model's array in C holds the model's bytes, whatever they are."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mcugen.project.c_array import c_byte_array, string_literals


def decode(literals: list[str]) -> bytes:
    """Read C string literals as a compiler does, octal escapes up to three digits long."""
    out = bytearray()
    for literal in literals:
        assert literal[0] == literal[-1] == '"'
        body = literal[1:-1]
        position = 0
        while position < len(body):
            if match := re.compile(r"\\([0-7]{1,3})").match(body, position):
                out.append(int(match[1], 8))
                position = match.end()
            else:
                assert body[position] not in '"\\', "an escape that is not octal"
                out.append(ord(body[position]))
                position += 1
    return bytes(out)


TRICKY = {
    "every byte": bytes(range(256)),
    "zeros before digits": b"\x00" + b"0123456789" + b"\x008\x007",
    "trigraphs": b"??=??/??'??(??)??!??<??>??-",
    "quotes and backslashes": b'"\\"\\\\n%d',
    "one byte": b"\x00",
    "random": random.Random(7).randbytes(5000),
}


@pytest.mark.parametrize("data", TRICKY.values(), ids=TRICKY)
def test_literals_hold_the_bytes(data: bytes) -> None:
    literals = string_literals(data)

    assert decode(literals) == data
    assert max(map(len, literals)) <= 100
    assert "??" not in "".join(literals)


def test_refuses_an_empty_array() -> None:
    with pytest.raises(ValueError, match="empty array"):
        c_byte_array(b"", name="a", section=".s", what="Nothing")


def test_states_size_alignment_and_sha256() -> None:
    text = c_byte_array(b"abc", name="model", section=".model_pte", what="Model 'x'")

    assert "// Model 'x': 3 bytes, aligned to 16." in text
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" in text
    assert "_Alignas(16) const unsigned char model[3]" in text
    assert "_Static_assert(sizeof(model) == 3" in text


@pytest.mark.toolchain
@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc missing")
def test_the_compiler_agrees(tmp_path: Path) -> None:
    """Without a warning, and byte for byte in the object's section."""
    data = b"".join(TRICKY.values())
    source = tmp_path / "a.c"
    source.write_text(c_byte_array(data, name="model", section=".model_pte", what="Test"))
    subprocess.run(
        ["arm-none-eabi-gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-c", "a.c"],
        cwd=tmp_path,
        check=True,
    )
    subprocess.run(
        ["arm-none-eabi-objcopy", "-O", "binary", "-j", ".model_pte", "a.o", "a.bin"],
        cwd=tmp_path,
        check=True,
    )

    assert (tmp_path / "a.bin").read_bytes() == data
