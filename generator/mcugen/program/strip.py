# SPDX-License-Identifier: BSD-3-Clause
"""Drop what no instruction uses: constants, values, operators."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mcugen.base.quiet import quiet
from mcugen.program.container import CONSTANT_ALIGNMENT, deserialize
from mcugen.program.values import (
    instructions,
    is_tensor,
    kernel_calls,
    list_items,
    tensor_bytes,
    used_values,
    written_values,
)


def strip(data: bytes, *, name: str) -> bytes:
    """Return the `.pte` without what nothing uses: constants, values, operators.

    The exporter leaves the float weights, the unfused scales and their shapes in the file. Equal
    scalars and lists are shared too, and the values renumbered: each value costs the method
    allocator 16 bytes or more. The same input always gives the same bytes, and stripping twice
    changes nothing.
    """
    file = deserialize(data, name=name)
    program = file.program
    for plan in program.execution_plan:
        _strip_plan(plan)
    program.constant_buffer = _strip_data(program, program.constant_buffer, planned=False)
    # What a planned tensor starts with is in another list.
    initial = _strip_data(program, file.mutable_data or [], planned=True)
    with quiet():
        from executorch.exir._serialize._program import serialize_pte_binary

        return bytes(
            serialize_pte_binary(
                replace(file, program=program, mutable_data=initial or None, named_data=None),
                extract_delegate_segments=True,
                segment_alignment=CONSTANT_ALIGNMENT,
                constant_tensor_alignment=CONSTANT_ALIGNMENT,
            )
        )


def _strip_plan(plan: Any) -> None:
    used = set(plan.inputs) | set(plan.outputs)
    for instruction in instructions(plan):
        used.update(used_values(instruction))
    pending = list(used)
    while pending:
        items = set(list_items(plan.values[pending.pop()].val)) - used
        used |= items
        pending.extend(items)

    # A value that something writes must stay its own.
    own = set(plan.inputs) | set(plan.outputs) | written_values(plan)
    new_index: dict[int, int] = {}
    first: dict[tuple[object, ...], int] = {}
    kept: list[Any] = []
    # Scalars before lists, so that equal lists of equal scalars are seen to be equal.
    for old in sorted(used, key=lambda i: (bool(list_items(plan.values[i].val)), i)):
        value = plan.values[old].val
        key = _value_key(value, new_index) if old not in own else None
        if key is not None and key in first:
            new_index[old] = first[key]
            continue
        new_index[old] = len(kept)
        kept.append(plan.values[old])
        if key is not None:
            first[key] = new_index[old]
    for value in kept:
        if list_items(value.val):
            value.val.items = [new_index.get(item, item) for item in value.val.items]
    plan.values = kept
    plan.inputs = [new_index[i] for i in plan.inputs]
    plan.outputs = [new_index[i] for i in plan.outputs]
    for instruction in instructions(plan):
        _renumber(instruction, new_index)
    for chain in plan.chains:
        chain.inputs = []  # Unused by any runtime; they would keep old numbers alive.
        chain.outputs = []
        chain.stacktrace = None
    _strip_operators(plan)


def _renumber(instruction: Any, new_index: dict[int, int]) -> None:
    """Give an instruction the new numbers of its values. Jumps stay: no instruction goes away."""
    match type(instruction).__name__:
        case "KernelCall" | "DelegateCall":
            instruction.args[:] = [new_index[i] for i in instruction.args]
        case "MoveCall":
            instruction.move_from = new_index[instruction.move_from]
            instruction.move_to = new_index[instruction.move_to]
        case "JumpFalseCall":
            instruction.cond_value_index = new_index[instruction.cond_value_index]
        case "FreeCall":
            instruction.value_index = new_index[instruction.value_index]


def _strip_operators(plan: Any) -> None:
    calls = kernel_calls(plan)
    names = [(op.name, op.overload) for op in plan.operators]
    # Sorted as a project's table of kernels is, so that the runtime finds each at once.
    used = {names[call.op_index]: plan.operators[call.op_index] for call in calls}
    kept = [used[name] for name in sorted(used, key=lambda name: ".".join(filter(None, name)))]
    order = {(op.name, op.overload): index for index, op in enumerate(kept)}
    for call in calls:
        call.op_index = order[names[call.op_index]]
    plan.operators = kept


def _value_key(value: Any, new_index: dict[int, int]) -> tuple[object, ...] | None:
    """Return what makes two immutable values the same, or None for a tensor or tensor list."""
    kind = type(value).__name__
    match kind:
        case "Int":
            return kind, value.int_val
        case "Bool":
            return kind, value.bool_val
        case "Double":
            # By bits: 0.0 and -0.0 differ, a NaN equals itself.
            return kind, struct.pack("<d", float(value.double_val))
        case "String":
            return kind, value.string_val
        case "Null":
            return (kind,)
        case "IntList":
            return kind, tuple(new_index[item] for item in value.items)
        case "BoolList" | "DoubleList":
            return kind, tuple(map(repr, value.items))
    return None


def _strip_data(program: Any, buffers: Sequence[Any], *, planned: bool) -> list[Any]:
    """Return the data that tensors use, cut to what they use; what is equal once.

    planned: what tensors in planned memory start with; else constants. Tensors get its new numbers.
    """
    need: dict[int, int] = {}
    tensors = []
    for plan in program.execution_plan:
        for value in plan.values:
            if is_tensor(value, planned=planned):
                tensors.append(value.val)
                index = value.val.data_buffer_idx
                if index:
                    need[index] = max(need.get(index, 0), tensor_bytes(value.val))
    if planned and not need:
        return []
    kept: list[Any] = [replace(buffers[0], storage=b"")] if buffers else []
    first: dict[bytes, int] = {}
    new_index = {0: 0}
    for old in sorted(need):
        # Of an empty tensor's a byte: a list of nothing but empty data would not be written at all.
        storage = bytes(buffers[old].storage[: max(need[old], 1)])
        if storage not in first:
            first[storage] = len(kept)
            kept.append(replace(buffers[old], storage=storage))
        new_index[old] = first[storage]
    for tensor in tensors:
        tensor.data_buffer_idx = new_index[tensor.data_buffer_idx]
    return kept


def dead_constant_bytes(data: bytes, *, name: str) -> int:
    """Return the bytes of constants in a `.pte` that no instruction, input or output uses."""
    program = deserialize(data, name=name).program
    for plan in program.execution_plan:
        _strip_plan(plan)
    used = {
        value.val.data_buffer_idx
        for plan in program.execution_plan
        for value in plan.values
        if is_tensor(value, planned=False)
    }
    return sum(
        len(buffer.storage) for i, buffer in enumerate(program.constant_buffer) if i not in used
    )


def constant_method(program: Any, method: str) -> float | int | None:
    """Return the number a constant method gives, as `QuantizeInputs` records scales."""
    for plan in program.execution_plan:
        if plan.name == method and plan.outputs:
            value = plan.values[plan.outputs[0]].val
            kind = type(value).__name__
            if kind == "Double":
                return float(value.double_val)
            if kind == "Int":
                return int(value.int_val)
    return None
