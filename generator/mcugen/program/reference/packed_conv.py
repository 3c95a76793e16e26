# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions of weights prepared ahead of time: firmware/kernels/packed_conv2d_s8.h, from words.

Nothing here knows the layer that they were made of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from mcugen.program.conv_words import ConvForm, Runs, of_pair
from mcugen.program.packing.conv_dsp import tap_order
from mcugen.program.reference.registry import computes
from mcugen.program.reference.winograd4 import by_winograd_4

_TWICE, _SHIFT = 0, 3


@dataclass(frozen=True)
class Conv:
    """A call: its input and output in memory order, the output to be filled."""

    image: np.ndarray  #: int64[batch, in_h, in_w, in_ch]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    zero_point: int
    out_ch: int


@computes("mcugen::packed_conv2d")
def packed_conv2d(x: Any, words: Any, form: int, *rest: Any) -> Any:
    """Return the convolution of `x` [N, C, H, W]."""
    return packed_conv2d_nhwc(x.permute(0, 2, 3, 1), words, form, *rest).permute(0, 3, 1, 2)


@computes("mcugen::packed_conv2d_nhwc")
def packed_conv2d_nhwc(
    x: Any,
    words: Any,
    form: int,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    input_offset: int,
    output_offset: int,
    kernel: list[int],
    groups: int,
    low: int,
    high: int,
    scratch: Any,
) -> Any:
    """Return the convolution of `x` [N, H, W, C]."""
    del scratch, output_offset, groups
    image = x.contiguous().numpy().astype(np.int64)
    sides = (_pair(kernel), _pair(stride), _pair(padding), _pair(dilation))
    rows = words.numpy().reshape(-1, of_pair(form, image.shape[3], sides[0], sides[3]))
    results = _FORMS[ConvForm(form)](Conv(image, *sides, -input_offset, 0), rows)
    limited = results.clip(-128, 127).clip(low, high).astype(np.int8)
    return torch.from_numpy(np.ascontiguousarray(limited))


def _pair(numbers: list[int]) -> tuple[int, int]:
    return numbers[0], numbers[-1]


def in_int32(values: Any) -> Any:
    """Return values modulo 2^32, signed."""
    return values.astype(np.int32).astype(np.int64)


def halves_of(words: np.ndarray) -> np.ndarray:
    """Return what lies in the halves of words [...], as [..., 2]."""
    return _int16(np.stack([words, words >> 16], axis=-1))


def _halves(words: np.ndarray) -> np.ndarray:
    """Return the taps of words [..., 2]: k and k + 2, k + 1 and k + 3, as [..., 4]."""
    return halves_of(words).swapaxes(-2, -1).reshape(*words.shape[:-1], 4)


def _int16(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int16).astype(np.int64)


def _again(values: np.ndarray, factors: np.ndarray, zero_points: np.ndarray) -> np.ndarray:
    """Return the second of two roundings."""
    lowered = in_int32(values + (values >> 31))
    return in_int32(zero_points + (((1 << 31) - lowered * factors) >> 32))


def _by_pairs(conv: Conv, rows: np.ndarray) -> np.ndarray:
    runs = Runs.of(conv.image.shape[3], conv.kernel, conv.dilation)
    words = rows.astype(np.int64)
    weights = weights_of(words[:, 4:-5], runs)
    sums = convolved(conv, weights.reshape(2 * len(words), *conv.kernel, -1))
    sums = sums.reshape(*sums.shape[:3], len(words), 2)
    sums = in_int32(sums + words[:, 2:4])
    scaling = words[:, -5:-1].reshape(-1, 2, 2)
    multipliers, others = scaling[..., 0], scaling[..., 1]
    products = sums * multipliers
    roundings = words[:, 1:2]
    one = in_int32((products >> 32) + others) >> (7 + _SHIFT + roundings)
    twice = in_int32(sums + ((products + (1 << 31)) >> 32))
    results = np.where(roundings == _TWICE, _again(twice, others, words[:, -1:]), one)
    channels = np.stack([words[:, 0] & 0xFFFF, words[:, 0] >> 16 & 0xFFFF], axis=1)
    out = np.zeros((*sums.shape[:3], int(channels.max()) + 1), np.int64)
    out[..., channels.reshape(-1)] = results.reshape(*sums.shape[:3], -1)
    return out


def weights_of(words: np.ndarray, runs: Runs) -> np.ndarray:
    """Return the weights of pairs of channels [pair, channel, tap] from their words."""
    # [pair, four, k % 2, channel] -> [pair, channel, four, k]
    by_four = words.reshape(len(words), -1, 2, 2).transpose(0, 3, 1, 2)
    taps = _halves(by_four).reshape(len(words), 2, -1)
    order = tap_order(runs)
    weights = np.zeros((len(words), 2, runs.runs * runs.run))
    weights[:, :, order[order >= 0]] = taps[:, :, order >= 0]
    return weights


def convolved(conv: Conv, weights: np.ndarray) -> np.ndarray:
    """Return sums over taps [N, H, W, O] of weights OHWI, in float64, where they are exact."""
    x = torch.from_numpy(conv.image - conv.zero_point).permute(0, 3, 1, 2).to(torch.float64)
    sums = functional.conv2d(
        x,
        torch.from_numpy(weights).permute(0, 3, 1, 2),
        stride=conv.stride,
        padding=conv.padding,
        dilation=conv.dilation,
    )
    return sums.permute(0, 2, 3, 1).numpy().astype(np.int64)


#: B' of F(2x2, 3x3), and how results come of positions.
_B = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
_A = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])
_TWICE_ROWS = np.array([2, 1, 1, 2])
_ROWS = (1, 0, 2, 3)


def _by_winograd_2(conv: Conv, rows: np.ndarray) -> np.ndarray:
    image, in_ch = conv.image, conv.image.shape[3]
    words = rows.astype(np.int64)
    columns = words[:, :-6].reshape(len(words), 4, -1)
    starts = columns[:, :, :4].reshape(len(words), 4, 2, 2)  # [pair, column, tile % 2, channel]
    # [pair, column, row, four, channel, k % 2] -> [pair, column, row, channel, in_ch]
    laid = columns[:, :, 4:].reshape(len(words), 4, 4, in_ch // 4, 2, 2)
    weights = np.empty((len(words), 4, 4, 2, in_ch), np.int64)
    weights[:, :, _ROWS] = _halves(laid).transpose(0, 1, 2, 4, 3, 5).reshape(weights.shape)
    batch = len(image)
    height, width = (image.shape[1 + axis] + 2 * conv.padding[axis] - 2 for axis in (0, 1))
    padded = np.pad(
        image,
        ((0, 0), *((pad, pad) for pad in conv.padding), (0, 0)),
        constant_values=conv.zero_point,
    )
    tiles = np.lib.stride_tricks.sliding_window_view(padded, (4, 4), axis=(1, 2))[:, ::2, ::2]  # type: ignore[call-overload]
    by_rows = (_B * _TWICE_ROWS[:, None]).astype(np.float64)
    moved = np.einsum("ir,byxcrs,js->ijbyxc", by_rows, tiles, _B.astype(np.float64), optimize=True)
    moved = moved.reshape(4, 4, -1, in_ch)
    by_position = weights.transpose(2, 1, 0, 3, 4).reshape(4, 4, -1, in_ch).astype(np.float64)
    products = (moved @ by_position.transpose(0, 1, 3, 2)).astype(np.int64)
    sums = np.einsum("ri,ijto->rjto", _A, products).reshape(2, 4, -1, 2, 2 * len(words))
    sums = in_int32(sums + starts.transpose(1, 2, 0, 3).reshape(1, 4, 1, 2, -1))
    sums = sums.reshape(2, 4, -1, 2 * len(words))
    left = in_int32(sums[:, 0] + (in_int32(sums[:, 1] + sums[:, 2]) >> 1))
    right = in_int32((in_int32(sums[:, 1] - sums[:, 2]) >> 1) - sums[:, 3])
    twice = np.stack([left, right], axis=1)  # [row, column, tile, channel]
    scaling = words[:, -6:].reshape(-1, 3)
    values = (twice * scaling[:, 0] + (1 << 31)) >> 32
    results = _again(values, scaling[:, 1], scaling[:, 2])
    laid_out = results.reshape(2, 2, batch, height // 2, width // 2, -1)
    out = laid_out.transpose(2, 3, 0, 4, 1, 5).reshape(batch, height, width, -1)
    return out


_FORMS: dict[ConvForm, Callable[[Conv, np.ndarray], np.ndarray]] = {
    ConvForm.PAIRS: _by_pairs,
    ConvForm.WINOGRAD_2: _by_winograd_2,
    ConvForm.WINOGRAD_4: lambda conv, rows: by_winograd_4(
        conv.image, rows, conv.padding, conv.zero_point
    ),
}
