# SPDX-License-Identifier: BSD-3-Clause
"""All rewrites, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcugen.boards.spec import Isa
from mcugen.program.conv_words import ConvForm
from mcugen.program.level import Level
from mcugen.program.packing.add import pack_add
from mcugen.program.packing.conv import pack_conv
from mcugen.program.packing.edit import Method
from mcugen.program.packing.linear import pack_linear, pack_linear_4x4, pack_linear_8x16
from mcugen.program.packing.stem import restore_stems
from mcugen.program.packing.trim import trim_windows

#: By instruction set, what its kernels have fast forms for.
REWRITES: dict[Isa, tuple[Callable[[Method], int], ...]] = {
    Isa.DSP: (restore_stems, trim_windows, pack_linear, pack_add),
    Isa.MVE: (restore_stems, trim_windows, pack_linear_8x16, pack_add),
    Isa.SCALAR: (restore_stems, trim_windows, pack_linear_4x4),
}


#: The same of convolutions, whose weights take more flash: forms, the best first.
CONV_FORMS: dict[Isa, tuple[ConvForm, ...]] = {
    Isa.DSP: (ConvForm.WINOGRAD_2, ConvForm.PAIRS),
    Isa.MVE: (),
    Isa.SCALAR: (),
}


def pack(program: Any, plan: Any, isa: Isa, level: Level = Level.BALANCED) -> int:
    """Rewrite a deserialized program's method in place; return how many calls were."""
    method = Method(program, plan)
    count = sum(rewrite(method) for rewrite in REWRITES[isa])
    if level is Level.SPEED:
        count += sum(pack_conv(method, form) for form in CONV_FORMS[isa])
    return count
