# SPDX-License-Identifier: BSD-3-Clause
"""What the linker script does with sections that are not our compiler's usual ones."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sample_project import sample_artifact, sample_plan

from mcugen.boards.load import load_board
from mcugen.project.linker import linker_context
from mcugen.project.render import render

M4 = load_board("qemu-m4")
pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(
        shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not installed"
    ),
]


def link(folder: Path, *sources: str) -> subprocess.CompletedProcess[str]:
    """Link C sources, compiled one by one as position-independent code, into image.elf."""
    script = folder / "memory.ld"
    script.write_text(render(linker_context(sample_plan(sample_artifact()), M4, constructors=True)))
    files = []
    for number, text in enumerate(sources):
        files.append(folder / f"{number}.c")
        files[-1].write_text(text)
    command = ["arm-none-eabi-gcc", *M4.machine_flags, "-Os", "-fPIC", "-nostdlib"]
    command += ["-T", str(script), *map(str, files), "-o", str(folder / "image.elf")]
    return subprocess.run(command, capture_output=True, text=True)


USER = "extern int shared; int reset_handler(void) { return shared; }\n"


def test_addresses_of_position_independent_code_are_copied_with_the_data(tmp_path: Path) -> None:
    """Behind the copied part they would hold what the reset found: a model with exp faulted."""
    done = link(tmp_path, USER, "int shared = 3;\n")

    assert done.returncode == 0, done.stderr
    nm = ["arm-none-eabi-nm", str(tmp_path / "image.elf")]
    symbols = {
        line.split()[-1]: int(line.split()[0], 16)
        for line in subprocess.run(nm, capture_output=True, text=True, check=True).stdout.split(
            "\n"
        )
        if re.match(r"[0-9a-f]{8} ", line)
    }
    table = symbols["_GLOBAL_OFFSET_TABLE_"]
    assert symbols["__data_start"] <= symbols["shared"] < symbols["__data_end"]
    # The table's first three words are the linker's, then comes the address of `shared`.
    assert symbols["__data_start"] <= table
    assert table + 12 <= symbols["__data_end"]


@pytest.mark.parametrize(
    "definition",
    ['int shared __attribute__((section("fast_ram"))) = 3;\n', "_Thread_local int shared = 3;\n"],
    ids=["named", "thread-local"],
)
def test_a_section_of_ram_that_nothing_initializes_is_refused(
    tmp_path: Path, definition: str
) -> None:
    done = link(tmp_path, "int reset_handler(void) { return 0; }\n", definition)

    assert done.returncode != 0
    assert "a section of RAM was linked in that linker/memory.ld does not name" in done.stderr
