# SPDX-License-Identifier: BSD-3-Clause
"""A good call of each operator of firmware/ops/packed; see test_bad_arguments.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from op_host import NHWC, T


def s8(*shape: int) -> T:
    return T(np.ones(shape, np.int8))


def s32(*shape: int) -> T:
    return T(np.ones(shape, np.int32))


LINEAR, ADD = "mcugen::packed_linear.out", "mcugen::scaled_add.out"
#: Operator → its arguments, those written to included.
CALLS: dict[str, Callable[[], list[Any]]] = {
    LINEAR: lambda: [
        *(s8(2, 7), s32(2, 24), 6, -3, 4, False, -128, 127),
        *(T(np.zeros(16, np.uint8)), s8(2, 6)),
    ],
    ADD: lambda: [
        *(T(np.ones((1, 2, 3, 4), np.int8), NHWC), T(np.ones((1, 2, 3, 4), np.int8), NHWC)),
        *(1000, -1000, 1 << 20, 21, -128, 127, T(np.ones((1, 2, 3, 4), np.int8), NHWC)),
    ],
}


def _any(value: Any) -> bool:
    return isinstance(value, int) and -(1 << 31) <= value < 1 << 31


#: (operator, position) → whether a value that is wrong as a rule is right there.
ALLOWED: dict[tuple[str, int], Callable[[Any], bool]] = {
    (ADD, 2): _any,
    (ADD, 3): _any,
    (ADD, 4): _any,
}

#: Good calls with some arguments that do not fit.
BAD_VALUES: list[tuple[str, dict[int, Any]]] = [
    (LINEAR, {0: s8(2, 9)}),  # twelve words of weights
    (LINEAR, {0: s8(3, 7)}),
    (LINEAR, {1: s32(1, 24)}),
    (LINEAR, {1: s32(2, 20)}),
    (LINEAR, {1: s32(48)}),
    (LINEAR, {2: 3}),
    (LINEAR, {2: 3, 9: s8(2, 3), 1: s32(1, 24)}),
    (LINEAR, {2: 5}),
    (LINEAR, {3: 128}),
    (LINEAR, {4: -129}),
    (LINEAR, {6: 3, 7: 2}),
    (ADD, {0: s8(1, 2, 3, 4)}),
    (ADD, {1: s8(1, 2, 3, 1)}),
    (ADD, {2: 1 << 31}),
    (ADD, {5: 32}),
    (ADD, {5: -1}),
]
