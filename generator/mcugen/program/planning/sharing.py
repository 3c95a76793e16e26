# SPDX-License-Identifier: BSD-3-Clause
"""Values that are one tensor: same type, shape and place in planned memory, at different times.

The method allocator holds each value, some 50 bytes of it. All that tells two of them apart is when
they are written, and that the runtime does not know.
"""

from __future__ import annotations

import copy
from typing import Any

from mcugen.program.operator_table import operator
from mcugen.program.values import call_name, instructions, is_tensor, kernel_calls, list_items


def share_values(plan: Any) -> None:
    """Let calls use the first of values that are the same tensor; the others are left unused.

    Of a method that `find_blocks` follows: no instruction makes a value another in it.
    """
    first: dict[tuple[Any, ...], int] = {}
    same = {
        index: first.setdefault((*kind(plan, index), _place(plan, index)), index)
        for index in shareable(plan)
    }
    for call in kernel_calls(plan):
        call.args[:] = [same.get(index, index) for index in call.args]


def part_values(plan: Any) -> None:
    """Undo `share_values`: each result, and each call's scratch, is a value of its own."""
    may = shareable(plan)
    now: dict[int, int] = {}  # value to the one that stands for it from here on
    used: set[int] = set()
    for call in kernel_calls(plan):
        args = list(call.args)
        call.args[:] = [now.get(index, index) for index in args]
        called = operator(call_name(plan, call))
        scratch = [i for i, each in enumerate(called.arguments) if each.name == "scratch"]
        used.update(args[i] for i in range(len(args) - 1) if i not in (*called.outputs, *scratch))
        fresh: dict[int, int] = {}
        for position in (*called.outputs, len(args) - 1, *scratch):
            index = args[position]
            if index in used & may and index not in fresh:
                plan.values.append(copy.deepcopy(plan.values[index]))
                fresh[index] = len(plan.values) - 1
            call.args[position] = fresh.get(index, call.args[position])
        now.update(fresh)
        used.update(args)


def shareable(plan: Any) -> set[int]:
    """Return the tensors that may be one with others: what calls write, and none knows by name."""
    own = {*plan.inputs, *plan.outputs}
    for each in plan.values:
        own.update(list_items(each.val))
    for each in instructions(plan):
        if type(each).__name__ == "FreeCall":
            own.add(each.value_index)
    return {
        index
        for index, value in enumerate(plan.values)
        if index not in own
        and is_tensor(value, planned=True)
        and int(value.val.shape_dynamism) == 0
        and not value.val.data_buffer_idx
    }


def kind(plan: Any, index: int) -> tuple[Any, ...]:
    """Return what two tensors at one place must have in common to be the same."""
    tensor = plan.values[index].val
    return (
        int(tensor.scalar_type),
        tuple(tensor.sizes),
        tuple(tensor.dim_order),
        tensor.storage_offset,
        tensor.allocation_info.memory_id,
        repr(tensor.extra_tensor_info),
    )


def _place(plan: Any, index: int) -> int:
    return int(plan.values[index].val.allocation_info.memory_offset)
