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


def words(*numbers: int, groups: int) -> T:
    return T(np.concatenate([np.array(numbers, np.int32), np.ones(groups, np.int32)]))


LINEAR, ADD = "mcugen::packed_linear.out", "mcugen::scaled_add.out"
LINEAR_5X4 = "mcugen::packed_linear_5x4.out"
LINEAR_4X4, LINEAR_8X16 = "mcugen::packed_linear_4x4.out", "mcugen::packed_linear_8x16.out"
CONV = "mcugen::packed_conv2d.out"
JOINED = "mcugen::packed_conv_depthwise.out"
#: Numbers of a pair of channels: which, and how they are rounded.
PAIRS = [[0 | 1 << 16, 0], [2 | 3 << 16, 8], [4 | 4 << 16, 1]]


def image(*shape: int) -> T:
    return T(np.ones(shape, np.int8), NHWC)


def conv_words(*heads: list[int], count: int = 36 + 9) -> T:
    return T(np.concatenate([np.array([*head, *[1] * (count - 2)], np.int32) for head in heads]))


def joined_words(pairs: int, taps: int = 36) -> T:
    return s32(pairs * (taps + 24))


#: Operator → its arguments, those written to included.
CALLS: dict[str, Callable[[], list[Any]]] = {
    CONV: lambda: [
        *(image(1, 4, 5, 6), conv_words(*PAIRS), 0, [1, 1], [1, 1], [1, 1], 0, 0, [3, 3], 1),
        *(-128, 127, T(np.zeros(0, np.uint8)), image(1, 5, 5, 6)),
    ],
    JOINED: lambda: [
        *(image(1, 4, 5, 6), joined_words(3), 1, [1, 1], [1, 1], [1, 1], 0, 0, [3, 3], [1, 1]),
        *(-128, 127, 0, T(np.zeros(0, np.uint8)), image(1, 6, 5, 6)),
    ],
    LINEAR: lambda: [
        *(s8(2, 7), words(6, -3, -128, 127, 0, groups=2 * 24)),
        *(T(np.zeros(16, np.uint8)), s8(2, 6)),
    ],
    LINEAR_4X4: lambda: [
        *(s8(2, 7), words(6, 4, -128, 127, groups=2 * 20)),
        *(T(np.zeros(16, np.uint8)), s8(2, 6)),
    ],
    LINEAR_5X4: lambda: [
        *(s8(2, 7), words(6, -3, -128, 127, 0, groups=2 * 40)),
        *(T(np.zeros(16, np.uint8)), s8(2, 6)),
    ],
    LINEAR_8X16: lambda: [s8(2, 7), words(9, 4, -128, 127, groups=2 * 56), s8(2, 9)],
    ADD: lambda: [
        *(T(np.ones((1, 2, 3, 4), np.int8), NHWC), T(np.ones((1, 2, 3, 4), np.int8), NHWC)),
        *(1000, -1000, 1 << 20, 21, -128, 127, T(np.ones((1, 2, 3, 4), np.int8), NHWC)),
    ],
}


def _any(value: Any) -> bool:
    return isinstance(value, int) and -(1 << 31) <= value < 1 << 31


#: (operator, position) → whether a value that is wrong as a rule is right there.
ALLOWED: dict[tuple[str, int], Callable[[Any], bool]] = {
    # Not used by these forms.
    (CONV, 7): lambda value: isinstance(value, int) and -128 <= value <= 127,
    (JOINED, 7): lambda value: isinstance(value, int) and -128 <= value <= 127,
    (JOINED, 12): lambda value: isinstance(value, int) and value in (0, 1),
    (ADD, 2): _any,
    (ADD, 3): _any,
    (ADD, 4): _any,
}

#: What makes of the good call one by Winograd's algorithm.
WINOGRAD = {
    0: image(1, 4, 4, 4),
    1: conv_words([0, 0], count=86),
    2: 1,
    13: image(1, 2, 4, 4),
}
WINOGRAD_4 = {
    0: image(1, 4, 3, 5),
    1: conv_words([0, 0], count=36 * 4 + 20),
    2: 2,
    13: image(1, 2, 3, 5),
}
#: Good calls with some arguments that do not fit.
BAD_VALUES: list[tuple[str, dict[int, Any]]] = [
    (LINEAR, {0: s8(2, 9)}),  # twelve words of weights
    (LINEAR, {0: s8(3, 7)}),
    (LINEAR, {1: s32(1, 53)}),
    (LINEAR, {1: words(6, -3, -128, 127, 0, groups=24)}),
    (LINEAR, {1: words(6, -3, -128, 127, 0, groups=2 * 20)}),
    (LINEAR, {1: words(5, -3, -128, 127, 0, groups=2 * 24)}),
    (LINEAR, {1: words(6, 128, -128, 127, 0, groups=2 * 24)}),
    (LINEAR, {1: words(6, -129, -128, 127, 0, groups=2 * 24)}),
    (LINEAR, {1: words(6, -3, -1000, 127, 0, groups=2 * 24)}),
    (LINEAR, {1: words(6, -3, -128, 1 << 30, 0, groups=2 * 24)}),
    (LINEAR, {1: words(3, -3, -128, 127, 0, groups=24), 3: s8(2, 3)}),
    *(
        case
        for op, rows, group in ((LINEAR_4X4, 6, 20), (LINEAR_8X16, 9, 56))
        for case in (
            (op, {0: s8(2, 17)}),
            (op, {0: s8(2, 0)}),
            (op, {0: s8(3, 7)}),
            (op, {1: words(rows, 4, -128, 127, groups=group)}),
            (op, {1: words(rows, 4, -128, 127, groups=2 * group - 4)}),
            (op, {1: words(rows - 1, 4, -128, 127, groups=2 * group)}),
            (op, {1: words(rows, 128, -128, 127, groups=2 * group)}),
            (op, {1: words(rows, 4, -129, 127, groups=2 * group)}),
            (op, {1: words(rows, 4, -128, 128, groups=2 * group)}),
            (op, {1: words(groups=0)}),
        )
    ),
    *(
        (CONV, changes)
        for changes in (
            {0: image(1, 3, 5, 6)},
            {0: image(1, 5, 5, 6)},
            {0: image(2, 4, 5, 6)},
            {1: s32(3, 45)},
            {1: conv_words(*PAIRS[:2])},
            {1: conv_words(*PAIRS, count=44)},
            {1: conv_words([0 | 5 << 16, 0], *PAIRS[1:])},
            {1: conv_words([0xFFFF, 0], *PAIRS[1:])},
            {1: conv_words([-1, 0], *PAIRS[1:])},
            {1: conv_words([0, 9], *PAIRS[1:])},
            {1: conv_words([0, -1], *PAIRS[1:])},
            {2: 1},  # the shape is not Winograd's
            {2: 2},
            {2: 3},
            {2: -1},
            {3: [2, 1]},
            {3: [0, 1]},
            {4: [0, 1]},
            {5: [2, 1]},
            {6: 129},
            {8: [3, 1]},
            {8: [0, 3]},
            {8: [32767, 32767]},
            {9: 2},
            {9: 0},
            {10: -129},
            {11: 128},
            {13: image(1, 7, 5, 6)},
        )
    ),
    *(
        (CONV, WINOGRAD | changes)
        for changes in (
            {1: conv_words([0, 0], count=85)},
            {1: conv_words([0, 0], count=87)},
            {3: [2, 2]},
            {5: [2, 2]},
            {0: image(1, 5, 4, 4)},
            {0: image(1, 4, 3, 4), 13: image(1, 2, 3, 4)},
            {0: image(1, 4, 4, 6), 13: image(1, 2, 4, 6)},
            {13: image(1, 1, 4, 4)},
            {8: [1, 3]},
        )
    ),
    *(
        (CONV, WINOGRAD_4 | changes)
        for changes in (
            {1: conv_words([0, 0], count=36 * 4 + 19)},
            {1: conv_words([0, 0], count=36 * 4 + 21)},
            {2: 1},
            {3: [2, 2]},
            {5: [2, 2]},
            {0: image(1, 5, 3, 5)},
            {0: image(1, 4, 3, 4)},
            {4: [3, 3], 13: image(1, 2, 7, 9)},
            {13: image(1, 1, 3, 5)},
            {13: image(1, 3, 3, 5)},
            {8: [1, 3]},
        )
    ),
    *(
        (JOINED, changes)
        for changes in (
            {0: image(1, 3, 5, 6)},
            {0: image(1, 5, 5, 6)},
            {0: image(2, 4, 5, 6)},
            {1: joined_words(2)},
            {1: joined_words(3, taps=35)},
            {1: s32(3, 60)},
            {1: joined_words(3), 14: image(1, 5, 5, 6)},
            {2: 2},
            {2: 0},
            {2: 3},
            {3: [2, 1]},
            {3: [0, 1]},
            {4: [0, 1]},
            {4: [1, 2]},
            {5: [2, 1]},
            {6: 129},
            {8: [3, 1]},
            {8: [0, 3]},
            {8: [32767, 32767]},
            {9: [0, 1]},
            {9: [2, 2]},
            {9: [2, 2], 14: image(1, 6, 7, 8)},
            {9: [-1, -1], 14: image(1, 6, 1, 2)},
            {10: -129},
            {11: 128},
            {12: 2},
            {12: -1},
            {14: image(1, 8, 5, 6)},
            {14: image(1, 6, 5, 5)},
        )
    ),
    (LINEAR_5X4, {0: s8(2, 9)}),  # twelve inputs' words
    (LINEAR_5X4, {0: s8(3, 7)}),
    (LINEAR_5X4, {1: words(6, -3, -128, 127, 0, groups=40)}),
    (LINEAR_5X4, {1: words(5, -3, -128, 127, 0, groups=2 * 40)}),
    (LINEAR_5X4, {1: words(6, 128, -128, 127, 0, groups=2 * 40)}),
    (LINEAR_5X4, {1: words(6, -3, -128, 128, 0, groups=2 * 40)}),
    (LINEAR_5X4, {1: words(4, -3, -128, 127, 0, groups=40), 3: s8(2, 4)}),
    (ADD, {0: s8(1, 2, 3, 4)}),
    (ADD, {1: s8(1, 2, 3, 1)}),
    (ADD, {2: 1 << 31}),
    (ADD, {5: 32}),
    (ADD, {5: -1}),
]
