# SPDX-License-Identifier: BSD-3-Clause
"""Scratch of calls: the least that pays, and what nothing else holds meanwhile."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mcugen.boards.spec import Isa
from mcugen.program.level import Level
from mcugen.program.memory import align_up
from mcugen.program.operator_table import operator
from mcugen.program.planning.lifetimes import Block
from mcugen.program.planning.placement import Interval, Placement, largest_gap
from mcugen.program.scratch import Need, scratch_need
from mcugen.program.values import call_name, kernel_calls, tensor_bytes


def intervals_of(blocks: Sequence[Block], needs: dict[int, Need]) -> list[Interval]:
    """Return blocks as the placement takes them."""
    return [
        Interval(
            *(align_up(block.size), block.first, block.last),
            needs[index].most if len(block.members) == 1 and index in needs else 0,
        )
        for block in blocks
        for index in (next(iter(block.members)),)
    ]


def set_offset(allocation: Any, offset: int) -> None:
    """Put a planned tensor there."""
    allocation.memory_offset_low = offset & 0xFFFFFFFF
    allocation.memory_offset_high = offset >> 32


def size_scratch(
    plan: Any, isa: Isa | None, level: Level, *, lean: bool = False
) -> dict[int, Need]:
    """Give the scratch of each call the least that our kernel wants, apart from all other memory.

    Calls that want none share one of no bytes. An input or output that stands for scratch stays as
    it is; the call gets one of its own. Returns what the others want, by value.
    """
    needs: dict[int, Need] = {}
    empty = None
    for call in kernel_calls(plan):
        called = operator(call_name(plan, call))
        for position, argument in enumerate(called.arguments):
            if argument.name != "scratch" or argument.written or position >= len(call.args):
                continue
            tensor = plan.values[call.args[position]].val
            if type(tensor).__name__ != "Tensor" or tensor.allocation_info is None:
                continue
            need = scratch_need(plan, call, isa, level)
            need = replace(need, least=0) if lean else need
            if need.most == 0 and empty is not None:
                call.args[position] = empty
                continue
            if call.args[position] in {*needs, empty, *plan.inputs, *plan.outputs}:
                plan.values.append(copy.deepcopy(plan.values[call.args[position]]))
                call.args[position] = len(plan.values) - 1
                tensor = plan.values[-1].val
            _resize(tensor, need.least)
            memory_id = tensor.allocation_info.memory_id
            end = align_up(plan.non_const_buffer_sizes[memory_id])
            set_offset(tensor.allocation_info, end)
            plan.non_const_buffer_sizes[memory_id] = end + align_up(need.least)
            if need.most == 0:
                empty = call.args[position]
            else:
                needs[call.args[position]] = need
    return needs


def temp_wanted(plan: Any, isa: Isa | None, level: Level) -> int:
    """Return what calls want of the temp allocator where scratch stays as the exporter sized it.

    That is for other kernels. The most that our kernel wants of those that have less.
    """
    wanted = 0
    for call in kernel_calls(plan):
        least = scratch_need(plan, call, isa, level).least
        called = operator(call_name(plan, call))
        for argument, index in zip(called.arguments, call.args, strict=False):
            tensor = plan.values[index].val
            if argument.name == "scratch" and not argument.written and hasattr(tensor, "sizes"):
                wanted = max(wanted, least if least > tensor_bytes(tensor) else 0)
    return wanted


def grow_scratch(
    plan: Any, needs: dict[int, Need], blocks: Sequence[Block], placed: Placement
) -> int:
    """Give each scratch the largest part of memory that nothing else holds meanwhile.

    Returns where the last of them ends.
    """
    end = 0
    intervals = intervals_of(blocks, needs)
    for i, block in enumerate(blocks):
        if intervals[i].wish > intervals[i].size:
            index = next(iter(block.members))
            free, offset = largest_gap(intervals, placed.offsets, placed.total, i)
            size = min(free, align_up(needs[index].most))
            if size >= needs[index].least:
                _resize(plan.values[index].val, size)
                set_offset(plan.values[index].val.allocation_info, offset)
                end = max(end, offset + size)
    return end


def _resize(tensor: Any, nbytes: int) -> None:
    """Make it a vector of at least so many bytes."""
    tensor.sizes, tensor.dim_order = [1], [0]
    tensor.sizes = [-(-nbytes // tensor_bytes(tensor))]
