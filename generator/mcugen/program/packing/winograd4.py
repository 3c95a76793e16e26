# SPDX-License-Identifier: BSD-3-Clause
"""Weights of 3x3 convolutions, transformed for Winograd's F(4x4, 3x3).

The words of firmware/kernels/winograd4_s8.h. In integers: what the transforms of the image and of
the weights give is 576 times the outputs modulo 2**32, whatever is lost above.
"""

from __future__ import annotations

import numpy as np

from mcugen.program.conv_words import takes_winograd_4
from mcugen.program.packing.conv_layer import ConvLayer

#: Transforms of the image, of the weights, and of their products; see loops_winograd4_dsp.S.
B = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 6]])
A = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 4]])
#: Rows of positions in the order in which they are read.
ROWS = (3, 4, 0, 1, 2, 5)
#: What V of every channel k with k % 4 < 2 is raised by: never negative, it borrows nothing from
#: the channel k + 2 in the upper half of its word.
RAISED = 0x3300
#: Words of a pair of output channels behind its transformed weights.
SCALING_WORDS = 20
#: Results are shifted right by so much in the end.
_SHIFT = 16
#: 64 times a sum is what the factor 1 / 9 leaves of 576 times it.
_LEAST_BITS = 6
_INVERSE_OF_9 = 0x38E38E39


def of_layer(layer: ConvLayer) -> np.ndarray | None:
    """Return the words of a layer, None for what is not taken."""
    w = layer.window
    if not takes_winograd_4(w):
        return None
    words = winograd4_words(
        layer.weights,
        layer.bias,
        layer.multipliers,
        layer.shifts,
        input_zero_point=layer.input_zero_point,
        output_zero_point=layer.output_zero_point,
        exact=layer.activation_min < layer.output_zero_point,
    )
    return None if words is None else words.reshape(-1)


def winograd4_words(
    weights: np.ndarray,
    bias: np.ndarray,
    multipliers: np.ndarray,
    shifts: np.ndarray,
    *,
    input_zero_point: int,
    output_zero_point: int,
    exact: bool,
) -> np.ndarray | None:
    """Return the words [out_ch / 2, 36 in_ch + 20] as int32, None where a sum might not fit.

    Args:
        weights: int8[out_ch, 3, 3, in_ch], out_ch even, in_ch a multiple of four.
        bias: of the sums, [out_ch].
        multipliers: as `requantize` takes them, and `shifts`, positive to the left.
        input_zero_point: of the image, and what lies around it.
        output_zero_point: of the results.
        exact: whether results below the output's zero point matter.
    """
    taps = weights.astype(np.int64)
    start = bias.astype(np.int64) - (input_zero_point + 128) * taps.sum((1, 2, 3))
    found = _scaling(taps, bias, multipliers, shifts, input_zero_point)
    if found is None:
        return None
    bits, multipliers, halves_up = found
    # The outputs of a tile that see the raised pixels, in rows and columns 4 and 5.
    low = RAISED * taps[..., np.arange(taps.shape[3]) % 4 < 2].sum(3)
    seen = np.stack(
        [low[:, 2, 2], low[:, 2, 1:].sum(1), low[:, 1:, 2].sum(1), low[:, 1:, 1:].sum((1, 2))],
        axis=1,
    ).reshape(-1, 2, 2)
    starts = (start[:, None, None] - seen) << bits[:, None, None]
    # [out_ch, 5, 2]: what the words of a pair have for each of its channels.
    scaling = np.stack(
        [
            np.stack([_INVERSE_OF_9 << (bits - _LEAST_BITS), start << bits], axis=1),
            starts[:, 0],
            starts[:, 1],
            np.stack([multipliers, halves_up + (output_zero_point << _SHIFT)], axis=1),
            np.stack([(1 << (bits - 1)) * (multipliers != 0) * exact, np.zeros_like(bits)], axis=1),
        ],
        axis=1,
    )
    pairs = len(taps) // 2
    by_pair = scaling.reshape(pairs, 2, 5, 2).transpose(0, 2, 1, 3).reshape(pairs, SCALING_WORDS)
    words = np.concatenate([_transformed(taps), by_pair], axis=1)
    return (words & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def _transformed(taps: np.ndarray) -> np.ndarray:
    """Return the words of U = G w G' [out_ch / 2, 36 in_ch], without sign."""
    u = np.einsum("ir,orsc,js->ojic", G, taps, G)[:, :, ROWS] & 0xFFFF
    # [pair, channel, column, row, four, k // 2, k % 2]
    fours = u.reshape(len(u) // 2, 2, 6, 6, -1, 2, 2)
    halves = fours[..., 0, :] | fours[..., 1, :] << 16
    return halves.transpose(0, 2, 3, 4, 1, 5).reshape(len(halves), -1)


def _scaling(
    taps: np.ndarray,
    bias: np.ndarray,
    multipliers: np.ndarray,
    shifts: np.ndarray,
    input_zero_point: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return by channel: 2**bits times a sum is rescaled, by what, and what makes a floor round."""
    rows = taps.reshape(len(taps), -1, 1)
    ends = rows * (-128 - input_zero_point, 127 - input_zero_point)
    furthest = np.maximum(ends.max(2).sum(1) + bias, -ends.min(2).sum(1) - bias)
    if shifts.max() > -1 or multipliers.min() < 0:
        return None
    right = -shifts.astype(np.int64)
    bits = _SHIFT + 1 - right
    # Of a channel with a greater shift nothing may be left: it is the zero point throughout.
    nothing = (furthest * multipliers >> 31) + 2 <= np.int64(1) << (right - 1).clip(0, 40)
    few = bits < _LEAST_BITS
    if (few & ~nothing).any():
        return None
    bits = np.where(few, _LEAST_BITS, bits)
    if (furthest >= np.int64(1) << (31 - bits)).any():
        return None
    halves_up = (np.int64(1) << (bits - 2)) + (1 << (_SHIFT - 1))
    return bits, np.where(few, 0, multipliers.astype(np.int64)), halves_up
