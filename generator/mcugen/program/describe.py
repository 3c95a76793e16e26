# SPDX-License-Identifier: BSD-3-Clause
"""What a program's inputs, outputs and operators are."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from mcugen.base.errors import PteError
from mcugen.program.aliases import VIEW
from mcugen.program.artifact import DTYPES, OperatorUse, TensorSpec
from mcugen.program.strip import constant_method
from mcugen.program.values import (
    NUMBERS,
    call_name,
    instructions,
    kernel_calls,
    number_of,
    used_values,
)


def needs_full_runtime(plan: Any) -> bool:
    """Whether a method has what only the full runtime and application have.

    Inputs and outputs that are numbers, lists of tensors that are moved, views of inputs that the
    plan has no memory for.
    """
    ends = [plan.values[index].val for index in (*plan.inputs, *plan.outputs)]
    if any(type(value).__name__ in NUMBERS for value in ends):
        return True
    for instruction in instructions(plan):
        used = [plan.values[index].val for index in used_values(instruction)]
        if type(instruction).__name__ == "MoveCall":
            if type(used[0]).__name__ in ("TensorList", "OptionalTensorList"):
                return True
        elif type(instruction).__name__ == "KernelCall":
            view = call_name(plan, instruction).startswith(VIEW)
            if view and (used[0].allocation_info is None or used[-1].allocation_info is None):
                return True
    return False


def tensor_spec(program: Any, plan: Any, side: str, position: int) -> TensorSpec:
    """Return what is known about an input or output; side: "input" or "output".

    Raises PteError where it is neither a tensor nor a number.
    """
    index = (plan.inputs if side == "input" else plan.outputs)[position]
    tensor = plan.values[index].val
    kind = type(tensor).__name__
    if kind in NUMBERS:
        number, shape = NUMBERS[kind]
        return TensorSpec(
            name=f"{side}{position}",
            shape=shape,
            dim_order=tuple(range(len(shape))),
            dtype=number,
            scale=None,
            zero_point=None,
            planned=False,
            fixed=number_of(tensor) if side == "input" else None,
        )
    if kind != "Tensor":
        raise PteError(f"{side} {position} is a {kind}: only tensors and numbers are supported")
    dtype = DTYPES[int(tensor.scalar_type)][0]
    scale: float | None = None
    zero_point: int | None = None
    if dtype in ("int8", "uint8", "int16"):
        for prefix in ("", f"{plan.name}_"):
            found = constant_method(program, f"{prefix}{side}{position}_scale")
            offset = constant_method(program, f"{prefix}{side}{position}_zp")
            if found is not None and offset is not None:
                scale, zero_point = float(found), int(offset)
    return TensorSpec(
        name=f"{side}{position}",
        shape=tuple(tensor.sizes),
        dim_order=tuple(tensor.dim_order),
        dtype=dtype,
        scale=scale,
        zero_point=zero_point,
        planned=tensor.allocation_info is not None,
    )


def call_is_int8(plan: Any, call: Any) -> bool:
    """Whether a call works on quantized data: no float tensor but at a quantize/dequantize edge."""
    if call_name(plan, call).startswith(("cortex_m::", "mcugen::")):
        return True
    values = (plan.values[index].val for index in call.args)
    return not any(
        type(value).__name__ == "Tensor" and DTYPES[int(value.scalar_type)][0].startswith("float")
        for value in values
    )


def operator_uses(plan: Any) -> tuple[OperatorUse, ...]:
    """Return the operators that are called, sorted by name, with the number of calls."""
    calls: Counter[str] = Counter()
    int8: dict[str, bool] = {}
    for call in kernel_calls(plan):
        name = call_name(plan, call)
        calls[name] += 1
        int8[name] = int8.get(name, True) and call_is_int8(plan, call)
    return tuple(OperatorUse(name, calls[name], int8[name]) for name in sorted(calls))


def io_kind(inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> str | None:
    """Return "int8" or "float" if that is the type of all inputs and outputs, else None."""
    dtypes = {spec.dtype for spec in (*inputs, *outputs)}
    return {"int8": "int8", "float32": "float"}.get(dtypes.pop()) if len(dtypes) == 1 else None


def looks_like_logits(
    plan: Any, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
) -> bool:
    """Guess whether output 0 is a classifier's: [1, n], fewer numbers than come in, no softmax yet.

    Only what `results%` prints depends on it.
    """
    if not inputs or not outputs:
        return False
    names = [call_name(plan, call) for call in kernel_calls(plan)]
    shape = outputs[0].shape
    return (
        len(shape) == 2
        and shape[0] == 1
        and 1 < shape[1] < math.prod(inputs[0].shape)
        and not any("softmax" in name for name in names[-2:])
    )
