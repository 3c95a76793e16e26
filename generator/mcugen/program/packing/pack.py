# SPDX-License-Identifier: BSD-3-Clause
"""All rewrites, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcugen.boards.spec import Isa
from mcugen.program.packing.add import pack_add
from mcugen.program.packing.conv import Room, pack_conv
from mcugen.program.packing.conv_depthwise import Rewritten
from mcugen.program.packing.edit import Method
from mcugen.program.packing.linear import (
    pack_linear,
    pack_linear_4x4,
    pack_linear_5x4,
    pack_linear_8x16,
)
from mcugen.program.packing.stem import restore_stems
from mcugen.program.packing.trim import trim_windows

#: By instruction set, what its kernels have fast forms for.
REWRITES: dict[Isa, tuple[Callable[[Method], int], ...]] = {
    Isa.DSP: (restore_stems, trim_windows, pack_linear, pack_add),
    Isa.MVE: (restore_stems, trim_windows, pack_linear_8x16, pack_add),
    Isa.SCALAR: (restore_stems, trim_windows, pack_linear_4x4),
}


def pack(
    program: Any,
    plan: Any,
    isa: Isa,
    room: Room | None = None,
    scratch: Mapping[int, int] | None = None,
    *,
    wide: bool = False,
    memory: int = 0,
) -> list[Rewritten]:
    """Rewrite a deserialized program's method in place; return which instructions were joined.

    room: for weights of convolutions, None for none; scratch, memory: see `pack_conv`; wide:
    weights of linear layers may take twice their bytes.
    """
    method = Method(program, plan)
    first = (pack_linear_5x4,) if wide and isa is Isa.DSP else ()
    for rewrite in (*first, *REWRITES[isa]):
        rewrite(method)
    return [] if room is None else pack_conv(method, isa, room, scratch or {}, memory)
