# SPDX-License-Identifier: BSD-3-Clause
"""A good call of each norm on int8 (firmware/ops/quantized/op_quantized_norm.cpp)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from op_host import NHWC, T


def s8(*shape: int) -> T:
    return T(np.ones(shape, np.int8))


def image(*shape: int) -> T:
    return T(np.ones(shape, np.int8), NHWC)


def s32(*shape: int) -> T:
    return T(np.ones(shape, np.int32))


#: epsilon, spread_bits, shift, output_zero_point, activation_min, activation_max
NUMBERS = (1000, 5, 20, 3, -128, 127)
LAYER, GROUP = "mcugen::quantized_layer_norm.out", "mcugen::quantized_group_norm.out"
#: Operator → its arguments, those written to included.
CALLS: dict[str, Callable[[], list[Any]]] = {
    LAYER: lambda: [s8(2, 3, 4), s32(12), s32(12), 2, True, 0, *NUMBERS, s8(2, 3, 4)],
    GROUP: lambda: [image(2, 6, 3, 4), s32(6), s32(6), 2, *NUMBERS, image(2, 6, 3, 4)],
}


def _is_an_epsilon(value: Any) -> bool:
    return bool(value == 1 << 40)


#: (operator, position) → whether a value that is wrong as a rule is right there.
ALLOWED: dict[tuple[str, int], Callable[[Any], bool]] = {
    (LAYER, 6): _is_an_epsilon,
    (GROUP, 4): _is_an_epsilon,
}

#: Good calls with some arguments that do not fit.
BAD_VALUES: list[tuple[str, dict[int, Any]]] = [
    (LAYER, {1: s32(4)}),  # over one axis of two
    (LAYER, {1: s32(1)}),  # one factor and twelve terms
    (LAYER, {1: s32(2), 2: s32(2)}),
    (LAYER, {2: s32(13)}),
    (LAYER, {1: s32(0), 2: s32(0)}),
    (LAYER, {3: 0}),
    (LAYER, {3: 1}),
    (LAYER, {3: 4}),
    (LAYER, {3: -1}),
    (LAYER, {5: 128}),
    (LAYER, {5: -129}),
    (LAYER, {6: -1}),
    (LAYER, {6: (1 << 62) + 1}),
    (LAYER, {7: 20}),  # of 12 elements 19 are taken
    (LAYER, {7: -17}),
    (LAYER, {8: -1}),
    (LAYER, {8: 31}),
    (LAYER, {9: 128}),
    (LAYER, {10: 5, 11: 4}),
    (LAYER, {10: -129}),
    (LAYER, {0: s8(2, 0, 4), 12: s8(2, 0, 4)}),
    (LAYER, {0: s8(2, 4, 3)}),
    (LAYER, {0: T(np.ones((2, 3, 4), np.int8), (0, 2, 1))}),
    (LAYER, {0: s8(24)}),
    (GROUP, {1: s32(2), 2: s32(2)}),  # one a group
    (GROUP, {1: s32(72), 2: s32(72)}),
    (GROUP, {2: s32(1)}),
    (GROUP, {3: 0}),
    (GROUP, {3: 4}),
    (GROUP, {3: 12}),
    (GROUP, {3: -2}),
    (GROUP, {4: -1}),
    (GROUP, {5: 18}),  # of 36 elements 17 are taken
    (GROUP, {6: 31}),
    (GROUP, {7: -129}),
    (GROUP, {8: 1, 9: 0}),
    (GROUP, {0: s8(2, 6, 3, 4)}),  # N, C, H, W
    (GROUP, {10: s8(2, 6, 3, 4)}),
    (GROUP, {0: s8(2, 6, 12), 10: s8(2, 6, 12)}),
    (GROUP, {0: image(0, 6, 3, 4), 10: image(0, 6, 3, 4)}),
]

#: More elements together than the operators take.
_MANY = np.zeros((1 << 22) + 1, np.int8)
BAD_VALUES += [
    (LAYER, {0: T(_MANY), 1: s32(1), 2: s32(1), 3: 1, 7: 1, 12: T(_MANY)}),
    (
        GROUP,
        {
            **dict.fromkeys((0, 10), T(_MANY.reshape(1, 1, 1, -1), NHWC)),
            **{1: s32(1), 2: s32(1), 3: 1, 5: 1},
        },
    ),
]
