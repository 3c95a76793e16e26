# SPDX-License-Identifier: BSD-3-Clause
"""Calls that only copy bytes as they lie: their result can be a view of what they copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mcugen.program.planning.lifetimes import Block
from mcugen.program.values import call_name, instructions, tensor_bytes


def drop_copies(plan: Any, blocks: list[Block]) -> list[int]:
    """Make the results of copies views, in `blocks`; return which instructions are to go.

    Nothing may write to either side once the copy is made. The instructions stay where they are,
    as the blocks' times are theirs.
    """
    dropped = []
    for position, call in enumerate(instructions(plan)):
        if type(call).__name__ != "KernelCall":
            continue
        source = _copied(plan, call)
        if source is None:
            continue
        target = call.args[-1]
        old, new = _block_of(blocks, source), _block_of(blocks, target)
        if old is None or new is None or old is new or old.memory_id != new.memory_id or new.always:
            continue
        if max(old.written, default=-1) >= position or new.written != [position]:
            continue
        if target in plan.inputs or new.size > old.size - old.members[source] + new.members[target]:
            continue
        if old.members[source] < new.members[target]:
            continue
        _view(blocks, old, new, old.members[source] - new.members[target])
        dropped.append(position)
    return dropped


def remove(plan: Any, positions: Sequence[int]) -> None:
    """Remove instructions of a method without jumps."""
    gone = set(positions)
    chain = plan.chains[0]
    chain.instructions = [each for i, each in enumerate(chain.instructions) if i not in gone]


def _block_of(blocks: Sequence[Block], index: int) -> Block | None:
    return next((block for block in blocks if index in block.members), None)


def _view(blocks: list[Block], old: Block, new: Block, shift: int) -> None:
    for index, offset in new.members.items():
        old.members[index] = offset + shift
    old.first, old.last = min(old.first, new.first), max(old.last, new.last)
    old.written = sorted({*old.written, *new.written})
    blocks.remove(new)


def _copied(plan: Any, call: Any) -> int | None:
    """Return the value that a call copies byte for byte, None if it does anything else."""
    compare = _COPIES.get(call_name(plan, call))
    if compare is None:
        return None
    source, target = call.args[0], call.args[-1]
    a, b = plan.values[source].val, plan.values[target].val
    if type(a).__name__ != "Tensor" or type(b).__name__ != "Tensor":
        return None
    if a.scalar_type != b.scalar_type or tensor_bytes(a) != tensor_bytes(b):
        return None
    if int(a.shape_dynamism) != 0 or int(b.shape_dynamism) != 0:
        return None  # the kernel gives the result its shape
    return source if compare(plan, call, a, b) else None


def memory_axes(tensor: Any) -> list[int]:
    """Return the axes from outermost to innermost in memory, without those of size 1."""
    return [axis for axis in tensor.dim_order if tensor.sizes[axis] != 1]


def _alike(plan: Any, call: Any, a: Any, b: Any) -> bool:
    del plan, call
    return list(a.sizes) == list(b.sizes) and memory_axes(a) == memory_axes(b)


def _contiguous(plan: Any, call: Any, a: Any, b: Any) -> bool:
    """Whether both lie in the order of their axes: any shape of the same elements is a view."""
    del plan, call
    return all(memory_axes(tensor) == sorted(memory_axes(tensor)) for tensor in (a, b))


def _pads_nothing(plan: Any, call: Any, a: Any, b: Any) -> bool:
    return _alike(plan, call, a, b)  # as large as before: there is nothing to pad with


def _moves_nothing(plan: Any, call: Any, a: Any, b: Any) -> bool:
    """Whether the axes of a permutation lie in memory as before."""
    rank = len(a.sizes)
    value = plan.values[call.args[1]].val
    if type(value).__name__ != "IntList":
        return False
    order = [plan.values[item].val.int_val % rank for item in value.items]
    if sorted(order) != list(range(rank)):
        return False
    return memory_axes(a) == [order[axis] for axis in memory_axes(b)]


_COPIES: dict[str, Callable[[Any, Any, Any, Any], bool]] = {
    "aten::alias_copy.out": _alike,
    "aten::clone.out": _alike,
    "aten::detach_copy.out": _alike,
    "aten::permute_copy.out": _moves_nothing,
    "aten::squeeze_copy.dims_out": _contiguous,
    "aten::unsqueeze_copy.out": _contiguous,
    "aten::view_copy.out": _contiguous,
    "cortex_m::pad.out": _pads_nothing,
    "cortex_m::transpose.out": _moves_nothing,
    "dim_order_ops::_clone_dim_order.out": _alike,
}
