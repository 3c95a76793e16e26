# SPDX-License-Identifier: BSD-3-Clause
"""Weights of convolutions as the loops for the DSP extension read them.

The words of firmware/kernels/packed_conv2d_s8.h, forms kPairs and kWinograd2. What gemm_s8_dsp.cpp
and winograd_s8_dsp.cpp make of a layer's weights at run time is made here.
"""

from __future__ import annotations

import numpy as np

from mcugen.program.conv_words import Runs, takes_winograd_2
from mcugen.program.packing.conv_layer import ConvLayer

#: Weights are multiplied by 2**_BITS where results are rescaled by one rounding.
_BITS = 8
#: Sums, multiplied or not, stay inside 32 bits; four times those of Winograd's, with some room.
_MOST_SUM, _MOST_WINOGRAD_SUM = 1 << 31, 1 << 28
#: Multipliers but for 0: others are not normalized.
_LEAST_MULTIPLIER = 1 << 30
#: Roundings: two, or one and a shift from 4 on.
_TWICE, _SHIFT, _ROUNDINGS = 0, 3, 9
_G = np.array([[1, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 1]])
#: Rows of positions in the order in which they are read.
_ROWS = (1, 0, 2, 3)


def pairs(layer: ConvLayer) -> np.ndarray | None:
    """Return the words of kPairs, int32; None where no rounding is exact."""
    normal = (layer.multipliers == 0) | (layer.multipliers >= _LEAST_MULTIPLIER)
    furthest = layer.furthest
    if layer.shifts.max() > -1 or not normal.all() or furthest.max() >= _MOST_SUM:
        return None
    by_one = (layer.output_zero_point <= layer.activation_min) & (furthest < _MOST_SUM >> _BITS)
    roundings = -layer.shifts - _SHIFT
    roundings = np.where(by_one & (roundings > 0) & (roundings < _ROUNDINGS), roundings, _TWICE)
    taps = taps_in_order(layer)
    return _words([_pair(layer, taps, *each) for each in _paired(roundings)])


def _words(rows: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(rows).astype(np.uint32).view(np.int32)


def _paired(roundings: np.ndarray) -> list[tuple[int, int, int]]:
    """Return pairs of channels and their rounding; what is left over is rounded twice."""
    found: list[tuple[int, int, int]] = []
    waiting: dict[int, int] = {}
    for channel, rounding in enumerate(roundings.tolist()):
        if rounding in waiting:
            found.append((waiting.pop(rounding), channel, rounding))
        else:
            waiting[rounding] = channel
    left = sorted(waiting.values())
    left += left[-1:] * (len(left) % 2)
    return found + [(*each, _TWICE) for each in zip(left[::2], left[1::2], strict=True)]


def taps_in_order(layer: ConvLayer) -> np.ndarray:
    """Return the weights [out_ch, taps], with zeros for taps that do not count."""
    w = layer.window
    runs = Runs.of(w.in_ch, (w.kernel_h, w.kernel_w), (w.dilation_h, w.dilation_w))
    order = tap_order(runs)
    flat = layer.weights.reshape(len(layer.weights), -1)
    return np.where(order < 0, 0, flat[:, order])


def tap_order(runs: Runs) -> np.ndarray:
    """Return which tap, row by row of the kernel, comes where; -1 for none."""
    if runs.nine:
        rows = np.arange(27).reshape(3, 9)
        return np.array([*rows[:, :8].reshape(-1), *rows[:, 8], -1])
    order = np.full((runs.runs, runs.padded // runs.runs), -1)
    order[:, : runs.run] = np.arange(runs.runs * runs.run).reshape(runs.runs, runs.run)
    return order.reshape(-1)


def halves(taps: np.ndarray) -> np.ndarray:
    """Return words of `taps` [..., 4 n] as [..., n, 2]: k and k + 2, k + 1 and k + 3."""
    fours = np.asarray(taps, np.int64).reshape(*taps.shape[:-1], -1, 2, 2) & 0xFFFF
    return fours[..., 0, :] | fours[..., 1, :] << 16


def _pair(layer: ConvLayer, taps: np.ndarray, first: int, second: int, rounding: int) -> np.ndarray:
    both = [first, second]
    bits = 0 if rounding == _TWICE else _BITS
    starts = layer.bias[both] << bits
    weights = halves(taps[both] << bits).transpose(1, 2, 0)  # per four: k + 0, 2, then k + 1, 3
    multipliers = layer.multipliers[both]
    if rounding == _TWICE:
        factors = np.where(multipliers == 0, 0, factor(layer.shifts[both]))
        scaling = [*np.stack([2 * multipliers, factors], axis=1).reshape(-1)]
        scaling.append(layer.output_zero_point)
    else:
        right = -int(layer.shifts[first])
        offset = (1 << _BITS - 2) + (2 * layer.output_zero_point + 1 << _BITS + right - 2)
        scaling = [multipliers[0], offset, multipliers[1], offset, 0]
    row = [first | second << 16, rounding, *starts, *weights.reshape(-1), *scaling]
    return np.array(row, np.int64) & 0xFFFFFFFF


def factor(shifts: np.ndarray) -> np.ndarray:
    """Return second_rounding_factor() of shifts, negative to the right."""
    right = -np.asarray(shifts, np.int64)
    return np.where(right > 31, 0, -(np.int64(1) << (32 - right).clip(0)))


def winograd_2(layer: ConvLayer) -> np.ndarray | None:
    """Return the words of kWinograd2, int32; None for what it does not take."""
    w = layer.window
    if not takes_winograd_2(w) or layer.shifts.max() > -1 or layer.multipliers.min() < 0:
        return None
    most = max(layer.input_zero_point + 128, 127 - layer.input_zero_point) * 128 * 9 * w.in_ch
    if most + np.abs(layer.bias).max() >= _MOST_WINOGRAD_SUM:
        return None
    # [out_ch, column, row in the order that is read, in_ch]
    positions = np.einsum("ir,orsc,js->ojic", _G, layer.weights, _G)[:, :, _ROWS]
    starts = 4 * (layer.bias - layer.input_zero_point * layer.weights.sum((1, 2, 3)))
    scaling = np.stack(
        [layer.multipliers, factor(layer.shifts), np.full(w.out_ch, layer.output_zero_point)],
        axis=1,
    )
    rows = []
    for first in range(0, w.out_ch, 2):
        both = slice(first, first + 2)
        # [column, row, four channels, channel of the output, k + 0, 2 or k + 1, 3]
        laid = halves(positions[both]).transpose(1, 2, 3, 0, 4).reshape(4, -1)
        begin = np.zeros((4, 4), np.int64)
        begin[1] = [*starts[both], *starts[both]]
        columns = np.concatenate([begin, laid], axis=1).reshape(-1)
        rows.append(np.concatenate([columns, scaling[both].reshape(-1)]) & 0xFFFFFFFF)
    return _words(rows)
