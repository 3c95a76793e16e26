# SPDX-License-Identifier: BSD-3-Clause
"""Whether an inference may depend on the ones before it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mcugen.program.aliases import VIEW, joins, tensors_of
from mcugen.program.operator_table import operator
from mcugen.program.values import call_name, tensor_bytes

#: Arguments that are memory to work in: what they hold does not matter.
_NOT_READ = frozenset({"scratch"})
_MOST_PLANNED_BYTES = 1 << 30


def keeps_state(plan: Any) -> bool:
    """Return whether an inference may depend on those before it.

    It does where planned memory is used before an input or an instruction has filled it: there is
    what the inference before left. In the order of the file, which is that of control flow but for
    loops; what a loop keeps from turn to turn is taken for state if it is read first.
    """
    if sum(plan.non_const_buffer_sizes) > _MOST_PLANNED_BYTES:
        return True  # No device has that; it need not be looked at byte by byte.
    # By bytes: a view without a copy is a tensor at the same place, and no instruction.
    filled = [bytearray(size) for size in plan.non_const_buffer_sizes]
    joined: set[int] = set()  # has the memory of what it was joined with, not its own

    def place(index: int) -> tuple[bytearray, slice]:
        tensor = plan.values[index].val
        start = tensor.allocation_info.memory_offset
        return filled[tensor.allocation_info.memory_id], slice(start, start + tensor_bytes(tensor))

    def reads(indices: Iterable[int]) -> bool:
        for index in tensors_of(plan, indices):
            if plan.values[index].val.allocation_info is not None and index not in joined:
                memory, where = place(index)
                if 0 in memory[where]:
                    return True
        return False

    def fill(indices: Iterable[int]) -> None:
        for index in tensors_of(plan, indices):
            if plan.values[index].val.allocation_info is not None:
                memory, where = place(index)
                memory[where] = b"\1" * (where.stop - where.start)

    fill(plan.inputs)
    for chain in plan.chains:
        for instruction in chain.instructions:
            arguments = instruction.instr_args
            targets: list[int] = []
            match type(arguments).__name__:
                case "KernelCall":
                    used, targets = reads_and_writes(plan, arguments)
                case "MoveCall":
                    used = [arguments.move_from]
                case "JumpFalseCall":
                    used = [arguments.cond_value_index]
                case _:
                    continue
            if reads(used):
                return True
            fill(targets)
            joined.update(joins(plan, arguments))
    return reads(plan.outputs)


def reads_and_writes(plan: Any, call: Any) -> tuple[list[int], list[int]]:
    """Return the values whose bytes a call uses, and those that it gives new ones.

    What is in neither it works in, or reads the shape of.
    """
    name = call_name(plan, call)
    called, args = operator(name), list(call.args)
    targets = [args[position] for position in called.outputs] + args[-1:]
    reads = [
        index
        for argument, index in zip(called.arguments, args, strict=False)
        if not argument.written and argument.name not in _NOT_READ
    ]
    if name.startswith(VIEW):
        return reads, []
    if name.startswith("executorch_prim::et_copy_index"):  # fills it from the start, item by item
        return args[1:2], [args[0]]
    # In place: what is not written over stays.
    if name.partition(".")[0].endswith("_") and name.partition(".")[0] != "aten::copy_":
        reads += [args[position] for position in called.outputs]
    return reads, targets
