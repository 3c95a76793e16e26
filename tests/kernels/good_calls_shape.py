# SPDX-License-Identifier: BSD-3-Clause
"""A good call of each operator of firmware/ops/shape and index; see test_bad_arguments.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from op_host import T


def f32(*shape: int) -> T:
    return T(np.ones(shape, np.float32))


def s8(*shape: int) -> T:
    return T(np.ones(shape, np.int8))


def s64(*values: int) -> T:
    return T(np.array(values, np.int64))


def s64s(*shape: int) -> T:
    return T(np.ones(shape, np.int64))


MASK = T(np.array([[True, False, True], [False, True, False]]))

#: Operator → its arguments, those written to included.
CALLS: dict[str, Callable[[], list[Any]]] = {
    "aten::_to_copy.out": lambda: [f32(2, 3), False, None, s8(2, 3)],
    "aten::alias_copy.out": lambda: [f32(2, 3), f32(2, 3)],
    "aten::arange.out": lambda: [5, s64s(5)],
    "aten::arange.start_out": lambda: [1, 6, 2, s64s(3)],
    "aten::as_strided_copy.out": lambda: [f32(2, 3), [2, 2], [1, 2], 1, f32(2, 2)],
    "aten::cat.out": lambda: [[f32(2, 3), f32(2, 1)], 1, f32(2, 4)],
    "aten::constant_pad_nd.out": lambda: [f32(2, 3), [1, 2], 1.5, f32(2, 6)],
    "aten::copy.out": lambda: [f32(2, 3), s8(3), False, f32(2, 3)],
    "aten::copy_": lambda: [f32(2, 3), s8(3), False],
    "aten::detach_copy.out": lambda: [f32(2, 3), f32(2, 3)],
    "aten::diagonal_copy.out": lambda: [f32(2, 3), 1, 0, 1, f32(2)],
    "aten::empty.out": lambda: [[2, 3], None, f32(2, 3)],
    "aten::expand_copy.out": lambda: [f32(1, 3), [2, 4, -1], False, f32(2, 4, 3)],
    "aten::fill.Scalar_out": lambda: [f32(2, 3), 1.5, f32(2, 3)],
    "aten::fill.Tensor_out": lambda: [f32(2, 3), f32(), f32(2, 3)],
    "aten::flip.out": lambda: [f32(2, 3), [0, -1], f32(2, 3)],
    "aten::full.out": lambda: [[2, 3], 5, s8(2, 3)],
    "aten::full_like.out": lambda: [f32(2, 3), 5, None, s8(2, 3)],
    "aten::gather.out": lambda: [f32(2, 3), 1, s64s(2, 2), False, f32(2, 2)],
    "aten::index.Tensor_out": lambda: [f32(2, 3), [None, s64(2, -1)], f32(2, 2)],
    "aten::index_put.out": lambda: [f32(2, 3), [None, s64(0, 2)], f32(2, 2), False, f32(2, 3)],
    "aten::index_put_": lambda: [f32(2, 3), [None, s64(0, 1)], f32(2, 2), False],
    "aten::index_select.out": lambda: [f32(2, 3), 1, s64(2, 0), f32(2, 2)],
    "aten::lift_fresh_copy.out": lambda: [f32(2, 3), f32(2, 3)],
    "aten::masked_select.out": lambda: [f32(2, 3), MASK, f32(3)],
    "aten::narrow_copy.out": lambda: [f32(2, 3), 1, 1, 2, f32(2, 2)],
    "aten::nonzero.out": lambda: [f32(2, 3), s64s(6, 2)],
    "aten::ones.out": lambda: [[2, 3], s8(2, 3)],
    "aten::permute_copy.out": lambda: [f32(2, 3), [1, 0], f32(3, 2)],
    "aten::pixel_shuffle.out": lambda: [f32(4, 2, 3), 2, f32(1, 4, 6)],
    "aten::pixel_unshuffle.out": lambda: [f32(1, 4, 6), 2, f32(4, 2, 3)],
    "aten::reflection_pad1d.out": lambda: [f32(2, 3), [2, 1], f32(2, 6)],
    "aten::reflection_pad2d.out": lambda: [f32(2, 3, 3), [2, 1, 0, 1], f32(2, 4, 6)],
    "aten::reflection_pad3d.out": lambda: [*(f32(2, 3, 3, 3), [2, 1, 0, 1, 1, 1], f32(2, 5, 4, 6))],
    "aten::repeat.out": lambda: [f32(2, 3), [2, 1, 2], f32(2, 2, 6)],
    "aten::repeat_interleave.Tensor_out": lambda: [s64(2, 0, 1), 3, s64s(3)],
    "aten::replication_pad1d.out": lambda: [f32(2, 3), [4, 1], f32(2, 8)],
    "aten::replication_pad2d.out": lambda: [f32(2, 3, 3), [4, 1, 0, 1], f32(2, 4, 8)],
    "aten::replication_pad3d.out": lambda: [
        *(f32(2, 3, 3, 3), [4, 1, 0, 1, 1, 1], f32(2, 5, 4, 8))
    ],
    "aten::roll.out": lambda: [f32(2, 3), [1, -2], [0, 1], f32(2, 3)],
    "aten::scalar_tensor.out": lambda: [5, s8()],
    "aten::scatter.src_out": lambda: [f32(2, 3), 1, s64s(2, 1), f32(2, 1), f32(2, 3)],
    "aten::scatter.value_out": lambda: [f32(2, 3), 1, s64s(2, 1), 1.5, f32(2, 3)],
    "aten::scatter_add.out": lambda: [f32(2, 3), 1, s64s(2, 1), f32(2, 1), f32(2, 3)],
    "aten::select_copy.int_out": lambda: [f32(2, 3), 1, -1, f32(2)],
    "aten::select_scatter.out": lambda: [f32(2, 3), f32(2), 1, -1, f32(2, 3)],
    "aten::slice_copy.Tensor_out": lambda: [f32(2, 3), 1, 0, 3, 2, f32(2, 2)],
    "aten::slice_scatter.out": lambda: [f32(2, 3), f32(2, 2), 1, 0, 3, 2, f32(2, 3)],
    "aten::split_copy.Tensor_out": lambda: [f32(2, 3), 2, 1, [f32(2, 2), f32(2, 1)]],
    "aten::split_with_sizes_copy.out": lambda: [f32(2, 3), [1, 2], 1, [f32(2, 1), f32(2, 2)]],
    "aten::squeeze_copy.dim_out": lambda: [f32(1, 3), 0, f32(3)],
    "aten::squeeze_copy.dims_out": lambda: [f32(1, 3, 1), [0, 2], f32(3)],
    "aten::stack.out": lambda: [[f32(2, 3), f32(2, 3)], 1, f32(2, 2, 3)],
    "aten::t_copy.out": lambda: [f32(2, 3), f32(3, 2)],
    "aten::topk.values": lambda: [f32(2, 3), 2, 1, True, True, f32(2, 2), s64s(2, 2)],
    "aten::transpose_copy.int_out": lambda: [f32(2, 3), 0, 1, f32(3, 2)],
    "aten::tril.out": lambda: [f32(2, 3), 0, f32(2, 3)],
    "aten::unbind_copy.int_out": lambda: [f32(2, 3), 0, [f32(3), f32(3)]],
    "aten::unfold_copy.out": lambda: [f32(2, 3), 1, 2, 1, f32(2, 2, 2)],
    "aten::unsqueeze_copy.out": lambda: [f32(2, 3), 1, f32(2, 1, 3)],
    "aten::zeros.out": lambda: [[2, 3], s8(2, 3)],
    "dim_order_ops::_empty_dim_order.out": lambda: [[2, 3], [0, 1], f32(2, 3)],
}


def of(*dtypes: str) -> Callable[[Any], bool]:
    """Whether a value is a tensor that is right but for its type, which is one of these."""

    def allowed(value: Any) -> bool:
        if isinstance(value, list) and value and isinstance(value[-1], T):
            value = value[-1]
        return (
            isinstance(value, T)
            and value.array.dtype.name in dtypes
            and value.array.ndim < 9
            and sorted(value.dim_order) == list(range(value.array.ndim))
            and not value.null_data
            and not value.misalignment
        )

    return allowed


def number(value: Any) -> bool:
    return isinstance(value, int | float)


def none(value: Any) -> bool:
    return value is None


def empty(value: Any) -> bool:
    return bool(value == [])


OTHERS = of("float32", "int8")  # another type that can be converted
ANY = of("float32", "int8", "int16")

#: (operator, position) → whether a value that is wrong as a rule is right there.
ALLOWED: dict[tuple[str, int], Callable[[Any], bool]] = {
    ("aten::_to_copy.out", 0): OTHERS,
    ("aten::_to_copy.out", 3): OTHERS,
    ("aten::arange.out", 1): OTHERS,
    ("aten::arange.start_out", 3): OTHERS,
    ("aten::as_strided_copy.out", 3): none,
    ("aten::cat.out", 0): OTHERS,
    ("aten::cat.out", 2): OTHERS,
    ("aten::constant_pad_nd.out", 2): number,
    ("aten::copy.out", 1): OTHERS,
    ("aten::copy_", 0): OTHERS,
    ("aten::copy_", 1): OTHERS,
    ("aten::empty.out", 2): ANY,
    ("aten::fill.Scalar_out", 1): number,
    ("aten::fill.Tensor_out", 1): OTHERS,
    ("aten::flip.out", 1): empty,
    ("aten::full.out", 2): OTHERS,
    ("aten::full_like.out", 0): ANY,
    ("aten::full_like.out", 3): OTHERS,
    ("aten::nonzero.out", 0): OTHERS,
    ("aten::ones.out", 1): OTHERS,
    ("aten::repeat_interleave.Tensor_out", 1): none,
    ("aten::roll.out", 1): lambda value: isinstance(value, list) and len(value) == 2,
    ("aten::scalar_tensor.out", 1): OTHERS,
    ("aten::scatter.value_out", 3): number,
    ("aten::select_scatter.out", 0): OTHERS,
    ("aten::select_scatter.out", 1): OTHERS,
    ("aten::select_scatter.out", 4): OTHERS,
    ("aten::slice_copy.Tensor_out", 2): lambda value: value is None or value == -(1 << 40),
    ("aten::slice_copy.Tensor_out", 3): lambda value: value is None or value == 1 << 40,
    ("aten::slice_scatter.out", 0): OTHERS,
    ("aten::slice_scatter.out", 1): OTHERS,
    ("aten::slice_scatter.out", 3): lambda value: value is None or value == -(1 << 40),
    ("aten::slice_scatter.out", 4): lambda value: value is None or value == 1 << 40,
    ("aten::slice_scatter.out", 6): OTHERS,
    ("aten::stack.out", 0): OTHERS,
    ("aten::stack.out", 2): OTHERS,
    ("aten::tril.out", 1): number,
    ("aten::zeros.out", 1): OTHERS,
    ("dim_order_ops::_empty_dim_order.out", 1): none,
    ("dim_order_ops::_empty_dim_order.out", 2): ANY,
    ("dim_order_ops::_to_dim_order_copy.out", 0): OTHERS,
    ("dim_order_ops::_to_dim_order_copy.out", 2): none,
    ("dim_order_ops::_to_dim_order_copy.out", 3): OTHERS,
}
