# SPDX-License-Identifier: BSD-3-Clause
"""Which tensors a program gives another one's memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mcugen.base.errors import PteError
from mcugen.program.values import call_name

#: Gives its result the memory of its argument.
VIEW = "executorch_prim::et_view"


def tensors_of(plan: Any, indices: Iterable[int]) -> list[int]:
    """Return the tensors among values and the items of those that are lists of tensors."""
    found = []
    for index in indices:
        value = plan.values[index].val
        if type(value).__name__ == "Tensor":
            found.append(index)
        elif type(value).__name__ in ("TensorList", "OptionalTensorList"):
            found += [item for item in value.items if item >= 0]
    return found


def joins(plan: Any, arguments: Any) -> list[int]:
    """Return the tensors that an instruction gives another one's memory."""
    kind = type(arguments).__name__
    if kind == "MoveCall":
        return tensors_of(plan, [arguments.move_to])
    view = kind == "KernelCall" and call_name(plan, arguments).startswith(VIEW)
    return tensors_of(plan, arguments.args[-1:]) if view else []


def joined_tensors(plan: Any) -> frozenset[int]:
    """Return the tensors that a move or a view gives another one's memory, maybe a constant's.

    Raises PteError if one of them is an input, which is copied to where the plan has put it.
    """
    found = {
        index
        for chain in plan.chains
        for instruction in chain.instructions
        for index in joins(plan, instruction.instr_args)
    }
    for index in sorted(found & set(plan.inputs)):
        raise PteError(f"value {index} is an input and the target of a move or view")
    return frozenset(found)
