# SPDX-License-Identifier: BSD-3-Clause
"""Random calls of operators with constants prepared ahead of time; integers: always exact."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from op_case import OpCase, Out, T

from mcugen.program import conv_words
from mcugen.program.conv_words import ConvForm
from mcugen.program.packing.conv_dsp import tap_order

NHWC = (0, 2, 3, 1)


def cases(rng: np.random.Generator) -> Iterator[OpCase]:
    """Yield calls without end, each operator in turn."""
    while True:
        yield _linear(rng)
        yield _linear_5x4(rng)
        yield _blocks(rng, rows=4, columns=4)
        yield _blocks(rng, rows=8, columns=16)
        yield _add(rng)
        yield _conv(rng, nhwc=False)
        yield _conv(rng, nhwc=True)
        yield _joined(rng, nhwc=False)
        yield _joined(rng, nhwc=True)


def _int(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _int8s(rng: np.random.Generator, *shape: int) -> np.ndarray:
    values = rng.integers(-128, 128, shape, dtype=np.int8)
    return np.where(
        rng.random(shape) < 0.1, rng.choice(np.array([-128, 127], np.int8), shape), values
    )


def _limits(rng: np.random.Generator) -> tuple[int, int]:
    if rng.random() < 0.5:
        return -128, 127
    low, high = sorted((_int(rng, -128, 127), _int(rng, -128, 127)))
    return low, high


def _linear(rng: np.random.Generator) -> OpCase:
    in_ch, rows, batch = _int(rng, 1, 70), _int(rng, 4, 19), _int(rng, 1, 3)
    count, padded = -(-rows // 4), -(-in_ch // 4) * 4
    groups = rng.integers(-(1 << 31), 1 << 31, (count, 16 + padded), dtype=np.int64)
    groups = groups.astype(np.int32)
    groups[:, -12:].reshape(count, 4, 3)[:, :, 2] = rng.integers(0, 32, (count, 4))
    small = rng.random() < 0.7
    if small:  # sums that stay in range, scalings that leave something of them
        rounds = groups[:, 4:-12].copy().view(np.int16) // 64
        groups[:, 4:-12] = rounds.reshape(count, -1).view(np.int32)
        groups[:, :4] >>= 12
        scalings = groups[:, -12:].reshape(count, 4, 3)
        scalings[:, :, 0] |= 1 << 30
        scalings[:, :, 1] >>= 6
        scalings[:, :, 2] = rng.integers(10, 18, (count, 4))
    halves = groups[:, 4:-12].copy().view(np.int16).reshape(count, padded // 4, 2, 2, 2)
    for k in range(in_ch, padded):  # zeros behind the last input
        halves[:, k // 4, k % 2, :, k % 4 // 2] = 0
    groups[:, 4:-12] = halves.reshape(count, -1).view(np.int32)
    scratch = T(np.zeros(_int(rng, 0, 300), np.uint8))
    numbers = (rows, _int(rng, -128, 127), *_limits(rng), int(rng.random() < 0.5))
    args = (T(_int8s(rng, batch, in_ch)), T(_words(numbers, groups)), scratch)
    return OpCase("mcugen::packed_linear.out", args, (Out("int8", (batch, rows)),))


def _linear_5x4(rng: np.random.Generator) -> OpCase:
    in_ch, rows, batch = _int(rng, 1, 70), _int(rng, 5, 19), _int(rng, 1, 3)
    count, fours = -(-rows // 5), -(-in_ch // 4)
    groups = rng.integers(-(1 << 31), 1 << 31, (count, 20 + 10 * fours), dtype=np.int64)
    groups = groups.astype(np.int32)
    scalings = groups[:, -15:].reshape(count, 5, 3)
    scalings[:, :, 2] = rng.integers(0, 32, (count, 5))
    halves = groups[:, 5:-15].copy().view(np.int16).reshape(count, fours, 2, 5, 2)
    if rng.random() < 0.7:  # sums that stay in range, scalings that leave something of them
        halves //= 64
        groups[:, :5] >>= 12
        scalings[:, :, 0] |= 1 << 30
        scalings[:, :, 1] >>= 6
        scalings[:, :, 2] = rng.integers(10, 18, (count, 5))
    for k in range(in_ch, 4 * fours):  # zeros behind the last input
        halves[:, k // 4, k % 2, :, k % 4 // 2] = 0
    groups[:, 5:-15] = halves.reshape(count, -1).view(np.int32)
    groups[:, -15:] = scalings.reshape(count, -1)
    scratch = T(np.zeros(_int(rng, 0, 300), np.uint8))
    numbers = (rows, _int(rng, -128, 127), *_limits(rng), int(rng.random() < 0.5))
    args = (T(_int8s(rng, batch, in_ch)), T(_words(numbers, groups)), scratch)
    return OpCase("mcugen::packed_linear_5x4.out", args, (Out("int8", (batch, rows)),))


def _words(numbers: tuple[int, ...], groups: np.ndarray) -> np.ndarray:
    return np.concatenate([np.array(numbers, np.int32), groups.reshape(-1)])


def _blocks(rng: np.random.Generator, *, rows: int, columns: int) -> OpCase:
    in_ch, out_ch, batch = _int(rng, 1, 70), _int(rng, 1, 19), _int(rng, 1, 3)
    count, weights = -(-out_ch // rows), -(-in_ch // columns) * columns * rows // 4
    groups = rng.integers(-(1 << 31), 1 << 31, (count, weights + 3 * rows), dtype=np.int64)
    groups[:, :rows] >>= _int(rng, 0, 16)
    groups[:, -2 * rows : -rows] |= 1 << 30
    groups[:, -rows:] = -rng.integers(1, 32 if rng.random() < 0.2 else 14, (count, rows))
    numbers = (out_ch, _int(rng, -128, 127), *_limits(rng))
    args = [T(_int8s(rng, batch, in_ch)), T(_words(numbers, groups.astype(np.int32)))]
    if rows == 4:
        args.append(T(np.zeros(_int(rng, 0, 300), np.uint8)))
    outs = (Out("int8", (batch, out_ch)),)
    return OpCase(f"mcugen::packed_linear_{rows}x{columns}.out", tuple(args), outs)


_SCALING = {
    ConvForm.PAIRS: (-5, -5, -3),
    ConvForm.WINOGRAD_2: (-6, -6, -3),
    ConvForm.WINOGRAD_4: (-20, -8, -6),
}


def _conv(rng: np.random.Generator, *, nhwc: bool) -> OpCase:
    """Any words in one of the forms; where a tap does not count, no weight."""
    form = ConvForm(_int(rng, 0, len(ConvForm) - 1))
    (in_ch, out_ch, batch), dilation, stride = (_int(rng, 1, 9) for _ in range(3)), 1, 1
    batch = 1 + (batch > 7)
    kernel, pad = (3, 3), _int(rng, 0, 1)
    height, width = 2 * _int(rng, 1, 4) + 2 - 2 * pad, 4 * _int(rng, 1, 3) + 2 - 2 * pad
    if form is not ConvForm.PAIRS:
        in_ch, out_ch = 4 * _int(rng, 1, 5), 2 * -(-out_ch // 2)
        if form is ConvForm.WINOGRAD_4:
            pad, height, width = _int(rng, 0, 2), _int(rng, 3, 12), _int(rng, 3, 20)
    else:
        in_ch = 3 if rng.random() < 0.2 else in_ch
        kernel = (3, 3) if rng.random() < 0.5 else (_int(rng, 1, 4), _int(rng, 1, 4))
        dilation, stride = 1 + (rng.random() < 0.2), _int(rng, 1, 2)
        height, width = height + 2 * max(kernel), width + 2 * max(kernel)
    pairs, words = -(-out_ch // 2), conv_words.of_pair(form, in_ch, kernel, (dilation, dilation))
    rows = rng.integers(-(1 << 31), 1 << 31, (pairs, words), dtype=np.int64).astype(np.int32)
    # Where the rescaling begins, and the multipliers in it.
    begin, *multipliers = _SCALING[form]
    scaling = slice(begin, None)
    if rng.random() < 0.7:  # sums that leave something of results
        small = rows.view(np.int16) >> 8
        rows = small.astype(np.int16).view(np.int32)
        rows[:, scaling] = rng.integers(-(1 << 16), 1 << 16, rows[:, scaling].shape)
        rows[:, multipliers] |= 1 << 30
    if form is ConvForm.PAIRS:
        first = np.arange(0, out_ch, 2)
        rows[:, 0] = first | np.minimum(first + 1, out_ch - 1) << 16
        rows[:, 1] = rng.integers(0, 9, pairs)
        order = tap_order(conv_words.Runs.of(in_ch, kernel, (dilation, dilation)))
        laid = rows[:, 4:-5].copy().view(np.int16).reshape(pairs, -1, 2, 2, 2)
        laid *= (order >= 0).reshape(-1, 2, 2).transpose(0, 2, 1)[None, :, :, None]
        rows[:, 4:-5] = laid.reshape(pairs, -1).view(np.int32)
    outputs = [
        (size + 2 * pad - dilation * (side - 1) - 1) // stride + 1
        for size, side in zip((height, width), kernel, strict=True)
    ]
    image, order = _int8s(rng, batch, in_ch, height, width), None if nhwc else NHWC
    shape = (batch, *outputs, out_ch) if nhwc else (batch, out_ch, *outputs)
    args = (
        T(image.transpose(0, 2, 3, 1) if nhwc else image, order),
        *(T(rows.reshape(-1)), int(form), [stride] * 2, [pad] * 2, [dilation] * 2),
        *(_int(rng, -127, 128), _int(rng, -128, 127), [*kernel], 1, *_limits(rng)),
        T(np.zeros(_int(rng, 0, 9000), np.uint8)),
    )
    name = "mcugen::packed_conv2d_nhwc.out" if nhwc else "mcugen::packed_conv2d.out"
    return OpCase(name, args, (Out("int8", shape, order),))


def _joined(rng: np.random.Generator, *, nhwc: bool) -> OpCase:
    """A convolution and a depthwise one, of any words; what stands twice among them is the same."""
    in_ch, pairs, batch = _int(rng, 1, 9), _int(rng, 1, 4), 1 + (rng.random() < 0.2)
    kernel, pad = ((1, 1), 0) if rng.random() < 0.5 else ((3, _int(rng, 1, 4)), _int(rng, 0, 1))
    stride, second_stride, second_pad = (_int(rng, low, low + 1) for low in (1, 1, 0))
    height, width = (stride * _int(rng, 3, 9) + side for side in kernel)
    words = conv_words.of_joined_pair(in_ch, kernel, (1, 1))
    rows = rng.integers(-(1 << 31), 1 << 31, (pairs, words), dtype=np.int64).astype(np.int32)
    if rng.random() < 0.7:  # sums that leave something of results
        rows = (rows.view(np.int16) >> 8).astype(np.int16).view(np.int32)
        for at in (*range(-22, -18), -11, -10, -2, -1):
            rows[:, at] = rng.integers(-(1 << 18), 1 << 20, pairs)
        for at in (-22, -20, -11, -2):
            rows[:, at] |= 1 << 30
    order = tap_order(conv_words.Runs.of(in_ch, kernel, (1, 1)))
    laid = rows[:, 2:-22].copy().view(np.int16).reshape(pairs, -1, 2, 2, 2)
    laid *= (order >= 0).reshape(-1, 2, 2).transpose(0, 2, 1)[None, :, :, None]
    rows[:, 2:-22] = laid.reshape(pairs, -1).view(np.int32)
    halves = rows[:, -18:].copy().view(np.int16).reshape(2 * pairs, 9, 2)
    halves[:, 1:6:2, 0] = halves[:, 0:6:2, 1]
    rows[:, -18:] = halves.reshape(pairs, -1).view(np.int32)
    outputs = []
    for size, side in zip((height, width), kernel, strict=True):
        between = (size + 2 * pad - side) // stride + 1
        outputs.append((between + 2 * second_pad - 3) // second_stride + 1)
    image, layout = _int8s(rng, batch, in_ch, height, width), None if nhwc else NHWC
    shape = (batch, *outputs, 2 * pairs) if nhwc else (batch, 2 * pairs, *outputs)
    args = (
        T(image.transpose(0, 2, 3, 1) if nhwc else image, layout),
        *(T(rows.reshape(-1)), second_stride, [stride] * 2, [pad] * 2, [1, 1]),
        *(_int(rng, -127, 128), _int(rng, -128, 127), [*kernel], [second_pad] * 2),
        *(*_limits(rng), _int(rng, 0, 1), T(np.zeros(_int(rng, 0, 9000), np.uint8))),
    )
    suffix = "_nhwc" if nhwc else ""
    name = f"mcugen::packed_conv_depthwise{suffix}.out"
    return OpCase(name, args, (Out("int8", shape, layout),))


def _add(rng: np.random.Generator) -> OpCase:
    shape = (1, *(_int(rng, 1, 6) for _ in range(3)))
    order = NHWC if rng.random() < 0.5 else None
    factors = _int(rng, -(1 << 22), 1 << 22), _int(rng, -(1 << 22), 1 << 22)
    offset = _int(rng, -(1 << 31), (1 << 31) - 1) >> _int(rng, 0, 6)
    numbers = (*factors, offset, _int(rng, 0, 31), *_limits(rng))
    tensors = (T(_int8s(rng, *shape), order), T(_int8s(rng, *shape), order))
    return OpCase("mcugen::scaled_add.out", (*tensors, *numbers), (Out("int8", shape, order),))
