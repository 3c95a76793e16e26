# SPDX-License-Identifier: BSD-3-Clause
"""What a call copies byte for byte as it lies in memory, if it does no more than that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcugen.program.values import call_name, tensor_bytes


def copied(plan: Any, call: Any) -> int | None:
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
