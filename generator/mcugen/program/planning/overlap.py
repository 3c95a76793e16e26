# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions whose result lies over their operand, before or behind it by some bytes.

Our kernels go through the output in the order of memory and read the windows of a block of pixels
before they write it, so a result may lie over all that no later window reads. The operators that
allow it are those of ExecuTorch under a name of ours, which no other runtime takes for its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mcugen.boards.spec import Isa
from mcugen.program.aliases import tensors_of
from mcugen.program.call_tensors import Call
from mcugen.program.memory import ALIGNMENT, align_up
from mcugen.program.operator_table import operator
from mcugen.program.planning.lifetimes import Block
from mcugen.program.planning.overlapping import Overlap
from mcugen.program.values import call_name, instructions, kernel_calls, operator_index

#: Operators by the names under which the result may lie over the operand.
IN_PLACE = {
    f"cortex_m::quantized_{kind}{layout}.out": f"mcugen::{kind}_in_place{layout}.out"
    for kind in ("conv2d", "depthwise_conv2d")
    for layout in ("", "_nhwc")
}
#: Under whose own name it always may.
_ALWAYS = frozenset(f"mcugen::packed_conv2d{layout}.out" for layout in ("", "_nhwc"))
#: That widen a row of inputs from its first element on: it may lie in their scratch.
WIDENS = frozenset(
    {
        *("mcugen::packed_linear.out", "mcugen::packed_linear_5x4.out"),
        "mcugen::packed_linear_4x4.out",
    }
)
_STANDARD = {ours: name for name, ours in IN_PLACE.items()}
#: Where kernels keep to that order.
_ISAS = (Isa.DSP, Isa.SCALAR)


def rename_standard(plan: Any) -> None:
    """Give all calls the names of ExecuTorch's operators."""
    for call in kernel_calls(plan):
        name = _STANDARD.get(call_name(plan, call))
        if name is not None:
            call.op_index = operator_index(plan, name)


def rename_in_place(plan: Any, positions: Sequence[int]) -> None:
    """Give calls the names under which their results may lie over their operands."""
    calls = instructions(plan)
    for position in positions:
        call = calls[position]
        name = call_name(plan, call)
        call.op_index = operator_index(plan, IN_PLACE.get(name, name))


def find_overlaps(plan: Any, blocks: Sequence[Block], isa: Isa | None) -> list[Overlap]:
    """Return which blocks may overlap: a convolution's result and its operand, used last."""
    if isa not in _ISAS:
        return []
    found = []
    for position, call in enumerate(instructions(plan)):
        if type(call).__name__ != "KernelCall" or not _can(call_name(plan, call)):
            continue
        read = Call(plan, operator(call_name(plan, call)), call.args)
        source, target = call.args[0], call.args[-1]
        old = next((i for i, block in enumerate(blocks) if source in block.members), None)
        new = next((i for i, block in enumerate(blocks) if target in block.members), None)
        if (
            old is None
            or new is None
            or not _allows(plan, call, position, blocks[old], blocks[new])
        ):
            continue
        unit = in_place_unit(read)
        shift = blocks[old].members[source] - blocks[new].members[target]
        if unit == 0 or shift % unit:
            continue
        found.append(
            Overlap(
                *(position, new, old),
                align_up(in_place_distance(read) - shift),
                math.lcm(unit, ALIGNMENT),
            )
        )
    return found


def find_widened(plan: Any, blocks: Sequence[Block], isa: Isa | None) -> list[Overlap]:
    """Return which blocks may overlap: an operand, used last, and the scratch it is widened to."""
    if isa not in _ISAS:
        return []
    found = []
    for position, call in enumerate(instructions(plan)):
        if type(call).__name__ != "KernelCall" or call_name(plan, call) not in WIDENS:
            continue
        read = Call(plan, operator(call_name(plan, call)), call.args)
        distance, source, scratch = widened_distance(read), call.args[0], call.args[2]
        old = next((i for i, block in enumerate(blocks) if source in block.members), None)
        new = next((i for i, block in enumerate(blocks) if scratch in block.members), None)
        if old is None or new is None or distance == 0:
            continue
        if _allows(plan, call, position, blocks[old], blocks[new]):
            distance += blocks[new].members[scratch] - blocks[old].members[source]
            found.append(Overlap(position, new, old, align_up(distance), ALIGNMENT))
    return found


def widened_distance(call: Call) -> int:
    """Return how many bytes into its scratch a row may lie, at least; 0: it must lie apart.

    Four elements are read, then written as eight bytes.
    """
    *batch, inputs = call.sizes("input")
    return 4 * -(-inputs // 4) if call.is_static and math.prod(batch) == 1 else 0


def _can(name: str) -> bool:
    return name in IN_PLACE or name in _ALWAYS


def _allows(plan: Any, call: Any, position: int, old: Block, new: Block) -> bool:
    """Whether the call is the last use of one block and the first of the other."""
    used = [index for index in tensors_of(plan, call.args) if index in old.members]
    return (
        old is not new
        and old.memory_id == new.memory_id
        and not (old.always or new.always)
        and (old.last, new.first) == (position, position)
        and set(used) == {call.args[0]}
    )


def in_place_unit(call: Call) -> int:
    """Return what the distance must be a multiple of, 0 where the result must lie apart."""
    batch, _, _, in_ch = call.nhwc("input")
    if not call.is_static or batch != 1:
        return 0
    if "depthwise" not in call.called.name:
        packed = call.has_ints("kernel")  # those have no groups
        return 1 if packed or call.sizes("weight")[3] == in_ch else 0
    # By planes of four channels, each of its own bytes.
    return in_ch if in_ch % 4 == 0 and call.integer("depth_multiplier") == 1 else 0


def in_place_distance(call: Call) -> int:
    """Return how many bytes before the operand the result must begin, at least.

    The same as in_place_distance() in firmware/kernels/in_place.h: the largest, over all pixels of
    the output, of the end of the pixel less the first byte that its window or a later one reads.
    """
    _, _, in_w, in_ch = call.nhwc("input")
    _, out_h, out_w, out_ch = call.nhwc("out")
    strides, pads = call.pair("stride"), call.pair("padding")
    row = in_w * in_ch

    def first_read(out: int, axis: int) -> int:
        return max(0, out * strides[axis] - pads[axis])

    def candidates(axis: int, size: int) -> set[int]:
        start = pads[axis] // strides[axis]
        return {min(at, size - 1) for at in (start, start + 1, size - 1)}

    distances = []
    for y in candidates(0, out_h):
        for x in candidates(1, out_w):
            read = first_read(y, 0) * row + first_read(x, 1) * in_ch
            if y + 1 < out_h:
                read = min(read, first_read(y + 1, 0) * row)
            distances.append((y * out_w + x + 1) * out_ch - read)
    return max(distances)
