# SPDX-License-Identifier: BSD-3-Clause
"""A program's values and calls, as the wheel's schema classes hold them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mcugen.program.artifact import DTYPES


def used_values(arguments: Any) -> list[int]:
    """Return the indices of the values that an instruction uses, in order."""
    match type(arguments).__name__:
        case "KernelCall" | "DelegateCall":
            return list(arguments.args)
        case "MoveCall":
            return [arguments.move_from, arguments.move_to]
        case "JumpFalseCall":
            return [arguments.cond_value_index]
        case "FreeCall":
            return [arguments.value_index]
    return []


def tensor_bytes(tensor: Any) -> int:
    """Return the bytes of a program's tensor, at its largest if its shape is dynamic."""
    return math.prod(tensor.sizes) * DTYPES[int(tensor.scalar_type)][1]


def list_items(value: Any) -> tuple[int, ...]:
    """Value indices a list holds; -1 in an optional tensor list stands for None."""
    kind = type(value).__name__
    if kind in ("IntList", "TensorList"):
        return tuple(value.items)
    if kind == "OptionalTensorList":
        return tuple(item for item in value.items if item != -1)
    return ()


def instructions(plan: Any) -> list[Any]:
    """Return what the instructions of all chains hold: kernel calls, moves, jumps, frees."""
    return [instruction.instr_args for chain in plan.chains for instruction in chain.instructions]


def kernel_calls(plan: Any) -> list[Any]:
    """Return the kernel calls of all chains."""
    return [each for each in instructions(plan) if type(each).__name__ == "KernelCall"]


def written_values(plan: Any) -> set[int]:
    """Return the values that instructions write: of a call its return value, the last argument."""
    written = {call.args[-1] for call in kernel_calls(plan) if call.args}
    moves = (each for each in instructions(plan) if type(each).__name__ == "MoveCall")
    return written | {move.move_to for move in moves}


def is_tensor(value: Any, *, planned: bool) -> bool:
    """Whether a value is a tensor that is, or is not, in planned memory."""
    return (
        type(value.val).__name__ == "Tensor" and (value.val.allocation_info is not None) == planned
    )


#: Numbers as inputs and outputs travel as 8 bytes, a bool as 1, None as none.
NUMBERS = {
    "Int": ("int64", ()),
    "Double": ("float64", ()),
    "Bool": ("bool", ()),
    "Null": ("uint8", (0,)),
}


def number_of(value: Any) -> float | None:
    """Return the number that a value of a program holds when it is loaded, None for another."""
    match type(value).__name__:
        case "Int":
            return int(value.int_val)
        case "Bool":
            return bool(value.bool_val)
        case "Double":
            return float(value.double_val)
    return None


def call_name(plan: Any, call: Any) -> str:
    """Return "namespace::operator.overload" of a kernel call."""
    operator = plan.operators[call.op_index]
    return f"{operator.name}.{operator.overload}" if operator.overload else operator.name


def operator_index(plan: Any, name: str) -> int:
    """Return the place of operator `name` in the plan's table, where it is put if need be."""
    from executorch.exir.schema import Operator

    base, _, overload = name.rpartition(".")
    for index, each in enumerate(plan.operators):
        if (each.name, each.overload) == (base, overload):
            return index
    plan.operators.append(Operator(name=base, overload=overload))
    return len(plan.operators) - 1


def numbered_calls(plan: Any) -> Iterator[tuple[int, str, list[int]]]:
    """Yield (instruction, operator name, argument value indices) of each kernel call."""
    for chain in plan.chains:
        for index, instruction in enumerate(chain.instructions):
            call = instruction.instr_args
            if type(call).__name__ == "KernelCall":
                yield index, call_name(plan, call), list(call.args)
