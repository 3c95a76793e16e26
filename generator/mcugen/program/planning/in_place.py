# SPDX-License-Identifier: BSD-3-Clause
"""Results that lie where an operand was that nothing needs any more."""

from __future__ import annotations

from typing import Any

from mcugen.program.aliases import tensors_of
from mcugen.program.copied import memory_axes
from mcugen.program.operator_table import operator
from mcugen.program.planning.lifetimes import Block
from mcugen.program.values import call_name, instructions


def join_in_place(plan: Any, blocks: list[Block]) -> list[Block]:
    """Return blocks in which results of `in_place` operators share the memory of an operand.

    It must be the last use of the operand, whose memory holds nothing else that the call uses, and
    both must lie alike. Of two operands the first that will do.
    """
    joined = [Block(**vars(block)) for block in blocks]
    for position, call in enumerate(instructions(plan)):
        if type(call).__name__ != "KernelCall":
            continue
        called = operator(call_name(plan, call))
        target = call.args[-1]
        new = next((block for block in joined if target in block.members), None)
        if new is None or new.always or new.first != position:
            continue
        for argument, index in zip(called.arguments, call.args, strict=False):
            if argument.name not in called.in_place:
                continue
            old = next((block for block in joined if index in block.members), None)
            if old is None or not _fits(plan, call, position, (index, old), (target, new)):
                continue
            members = {**old.members, **new.members}
            written = sorted({*old.written, *new.written})
            joined.remove(old)
            joined.remove(new)
            joined.append(Block(old.memory_id, members, old.size, old.first, new.last, written))
            break
    return joined


def _fits(
    plan: Any, call: Any, position: int, source: tuple[int, Block], target: tuple[int, Block]
) -> bool:
    (index, old), (result, new) = source, target
    a, b = plan.values[index].val, plan.values[result].val
    if old is new or old.always or old.memory_id != new.memory_id or old.last != position:
        return False
    if old.size != new.size or old.members[index] or new.members[result]:
        return False
    # What else the call reads must not be overwritten on the way.
    if any(other != index and other in old.members for other in tensors_of(plan, call.args)):
        return False
    return (
        a.scalar_type == b.scalar_type
        and list(a.sizes) == list(b.sizes)
        and memory_axes(a) == memory_axes(b)
        and int(a.shape_dynamism) == int(b.shape_dynamism) == 0
    )
