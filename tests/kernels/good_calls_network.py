# SPDX-License-Identifier: BSD-3-Clause
"""A good call of each operator of firmware/ops/network, and of quantized_decomposed;
see test_bad_arguments.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from op_host import T


def f32(*shape: int) -> T:
    return T(np.full(shape, 1.5, np.float32))


def s64(*shape: int) -> T:
    return T(np.ones(shape, np.int64))


def s8(*shape: int) -> T:
    return T(np.ones(shape, np.int8))


DECOMPOSED = "quantized_decomposed::"
NO_TRAINING = "aten::_native_batch_norm_legit_no_training.out"
LEGIT = "aten::_native_batch_norm_legit.out"
NO_STATS = "aten::_native_batch_norm_legit.no_stats_out"
NEAREST = "aten::upsample_nearest2d.vec_out"
BILINEAR = "aten::upsample_bilinear2d.vec_out"

#: Operator → its arguments, those written to included.
CALLS: dict[str, Callable[[], list[Any]]] = {
    "aten::convolution.out": lambda: [
        *(f32(2, 4, 5, 6), f32(6, 2, 3, 2), f32(6), [2, 1], [1, 0], [1, 2]),
        *(False, [0, 0], 2, f32(2, 6, 3, 4)),
    ],
    "aten::linear.out": lambda: [f32(2, 3, 4), f32(5, 4), f32(5), f32(2, 3, 5)],
    "aten::mm.out": lambda: [f32(2, 3), f32(3, 4), f32(2, 4)],
    "aten::bmm.out": lambda: [f32(2, 2, 3), f32(2, 3, 4), f32(2, 2, 4)],
    "aten::addmm.out": lambda: [f32(2, 4), f32(2, 3), f32(3, 4), 2, 3, f32(2, 4)],
    NO_TRAINING: lambda: [
        *(f32(2, 3, 4), f32(3), f32(3), f32(3), f32(3), 0.1, 1e-5, f32(2, 3, 4), f32(0), f32(0))
    ],
    LEGIT: lambda: [
        *(f32(2, 3, 4), f32(3), f32(3), f32(3), f32(3), False, 0.1, 1e-5, f32(2, 3, 4)),
        *(f32(0), f32(0)),
    ],
    NO_STATS: lambda: [
        *(f32(2, 3, 4), f32(3), f32(3), True, 0.1, 1e-5, f32(2, 3, 4), f32(3), f32(3))
    ],
    "aten::native_layer_norm.out": lambda: [
        *(f32(2, 3, 4), [3, 4], f32(3, 4), f32(3, 4), 1e-5, f32(2, 3, 4)),
        *(f32(2, 1, 1), f32(2, 1, 1)),
    ],
    "aten::native_group_norm.out": lambda: [
        *(f32(2, 6, 4), f32(6), f32(6), 2, 6, 4, 3, 1e-5, f32(2, 6, 4), f32(2, 3), f32(2, 3))
    ],
    "aten::embedding.out": lambda: [f32(5, 3), s64(2, 2), 0, False, False, f32(2, 2, 3)],
    "aten::_softmax.out": lambda: [f32(2, 3), -1, False, f32(2, 3)],
    "aten::_log_softmax.out": lambda: [f32(2, 3), 0, False, f32(2, 3)],
    "aten::max_pool2d_with_indices.out": lambda: [
        *(f32(1, 2, 7, 6), [3, 2], [2, 1], [1, 1], [1, 2], True, f32(1, 2, 4, 6), s64(1, 2, 4, 6))
    ],
    "aten::avg_pool2d.out": lambda: [
        *(f32(1, 2, 7, 6), [3, 2], [2, 1], [1, 1], False, True, 5, f32(1, 2, 4, 7))
    ],
    "aten::_adaptive_avg_pool2d.out": lambda: [f32(2, 7, 6), [3, 4], f32(2, 3, 4)],
    NEAREST: lambda: [f32(1, 2, 3, 4), None, [2.0, 1.5], f32(1, 2, 6, 6)],
    BILINEAR: lambda: [f32(1, 2, 3, 4), [6, 2], True, None, f32(1, 2, 6, 2)],
    "aten::native_dropout.out": lambda: [
        *(f32(2, 3), 0.5, False, f32(2, 3), T(np.zeros((2, 3), np.bool_)))
    ],
    f"{DECOMPOSED}quantize_per_tensor.out": lambda: [f32(2, 3), 0.5, 1, -128, 127, 1, s8(2, 3)],
    f"{DECOMPOSED}quantize_per_tensor.Tensor_out": lambda: [
        *(f32(2, 3), f32(1), s64(1), -128, 127, 1, s8(2, 3))
    ],
    f"{DECOMPOSED}quantize_per_channel.out": lambda: [
        *(f32(2, 3), f32(3), s64(3), -1, -128, 127, 1, s8(2, 3))
    ],
    f"{DECOMPOSED}quantize_per_token.out": lambda: [
        *(f32(2, 3), f32(2, 1), s64(2, 1), -128, 127, 1, s8(2, 3))
    ],
    f"{DECOMPOSED}dequantize_per_tensor.out": lambda: [
        *(s8(2, 3), 0.5, 1, -128, 127, 1, None, f32(2, 3))
    ],
    f"{DECOMPOSED}dequantize_per_tensor.Tensor_out": lambda: [
        *(s8(2, 3), f32(1), s64(1), -128, 127, 1, 6, f32(2, 3))
    ],
    f"{DECOMPOSED}dequantize_per_channel.out": lambda: [
        *(s8(2, 3), f32(3), s64(3), -1, -128, 127, 1, None, f32(2, 3))
    ],
    f"{DECOMPOSED}dequantize_per_token.out": lambda: [
        *(s8(2, 3), f32(2, 1), s64(2, 1), -128, 127, 1, 6, f32(2, 3))
    ],
}


for bits, low, high in ((8, -128, 127), (4, -8, 7), (2, -2, 1)):
    for typed in (False, True):
        CALLS[
            f"{DECOMPOSED}embedding_{'byte' if bits == 8 else f'{bits}bit'}."
            f"{'dtype_' if typed else ''}out"
        ] = lambda bits=bits, low=low, high=high, typed=typed: [
            T(np.ones((3, bits), np.int8 if bits == 8 else np.uint8)),
            *(f32(3, 2), f32(3, 2), low, high, s64(2, 2), *([6] if typed else [])),
            f32(2, 2, 8),
        ]


def _nothing(value: Any) -> bool:
    return value is None


def _integer(value: Any) -> bool:
    return isinstance(value, int)


#: (operator, position) → whether a value that is wrong as a rule is right there.
ALLOWED: dict[tuple[str, int], Callable[[Any], bool]] = {
    ("aten::convolution.out", 2): _nothing,
    ("aten::linear.out", 2): _nothing,
    ("aten::addmm.out", 3): _integer,
    ("aten::addmm.out", 4): _integer,
    (NO_TRAINING, 1): _nothing,
    (NO_TRAINING, 2): _nothing,
    (LEGIT, 1): _nothing,
    (LEGIT, 2): _nothing,
    (NO_STATS, 1): _nothing,
    (NO_STATS, 2): _nothing,
    # What is for training only is not looked at.
    (NO_TRAINING, 5): lambda value: isinstance(value, float),
    (LEGIT, 6): lambda value: isinstance(value, float),
    (NO_STATS, 4): lambda value: isinstance(value, float),
    ("aten::embedding.out", 2): _integer,
    ("aten::native_layer_norm.out", 2): _nothing,
    ("aten::native_layer_norm.out", 3): _nothing,
    ("aten::native_group_norm.out", 1): _nothing,
    ("aten::native_group_norm.out", 2): _nothing,
    # No stride: that of the window, which is right here if the output has the shape.
    ("aten::avg_pool2d.out", 6): lambda value: value is None or isinstance(value, int),
    (f"{DECOMPOSED}dequantize_per_channel.out", 2): _nothing,
    (f"{DECOMPOSED}dequantize_per_tensor.Tensor_out", 6): _nothing,
}
ALLOWED.update(
    {
        (name, position): _nothing
        for name in CALLS
        if name.startswith(f"{DECOMPOSED}embedding_")
        for position in (2, 6)
    }
)
