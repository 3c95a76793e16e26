# SPDX-License-Identifier: BSD-3-Clause
"""An image's stack: what it needs at most, by its machine code, against what is planned for it."""

from __future__ import annotations

from pathlib import Path

from elftools.elf.elffile import ELFFile
from stack_bound import Image

from mcugen.program import memory


def check_stack(elf: Path, peak: int) -> None:
    """Hold the plan to the machine code, and both to the peak that inferences came to."""
    image = Image(elf)
    with open(elf, "rb") as file:
        planned = ELFFile(file).get_section_by_name(".stack")["sh_size"]

    assert 0 < peak <= image.most_bytes
    assert image.most_bytes + memory.STACK_MARGIN_BYTES <= planned
    assert image.base_bytes <= memory.STACK_BASE_BYTES, image.deepest("reset_handler")
    assert image.at_call_bytes <= memory.STACK_AT_CALL_BYTES
