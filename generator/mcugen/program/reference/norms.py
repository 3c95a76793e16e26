# SPDX-License-Identifier: BSD-3-Clause
"""Layer, group and RMS norm on int8: the integers of firmware/kernels/norm_s8.h."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from mcugen.program.reference.registry import computes


@computes("mcugen::quantized_layer_norm")
def quantized_layer_norm(
    x: Any,
    weight: Any,
    bias: Any,
    axes: int,
    subtract_mean: bool,
    input_zero_point: int,
    *numbers: int,
) -> Any:
    """Return `x` int8[...], normalised over its last `axes` axes.

    weight, bias: int32, one an element of these axes, or one. numbers: epsilon, spread_bits, shift,
    output_zero_point, activation_min, activation_max.
    """
    shape = tuple(x.shape)
    rows = x.numpy().reshape(-1, math.prod(shape[len(shape) - axes :]))
    centre = None if subtract_mean else input_zero_point
    factors, terms = (each.numpy().astype(np.int64).reshape(-1) for each in (weight, bias))
    return torch.from_numpy(_norm(rows, factors, terms, centre, *numbers).reshape(shape))


@computes("mcugen::quantized_group_norm")
def quantized_group_norm(x: Any, weight: Any, bias: Any, groups: int, *numbers: int) -> Any:
    """Return images `x` int8[N, C, H, W], normalised in groups of neighbouring channels.

    weight, bias: int32, one a channel, or one. numbers: as of quantized_layer_norm.
    """
    batch, channels, height, width = x.shape
    pixels = height * width
    rows = x.numpy().reshape(batch * groups, -1)

    def spread_out(parameter: Any) -> Any:
        """Return it for each of the rows, and each of their elements."""
        values = parameter.numpy().astype(np.int64).reshape(-1)
        if len(values) == 1:
            return values
        by_row = np.repeat(values, pixels).reshape(groups, -1)
        return np.tile(by_row, (batch, 1))

    result = _norm(rows, spread_out(weight), spread_out(bias), None, *numbers)
    return torch.from_numpy(result.reshape(batch, channels, height, width))


def _norm(
    rows: Any,
    weight: Any,
    bias: Any,
    centre: int | None,
    epsilon: int,
    spread_bits: int,
    shift: int,
    output_zero_point: int,
    low: int,
    high: int,
) -> Any:
    """Return int8 rows [groups, n], each normalised; centre: a number in place of the mean."""
    values = rows.astype(np.int64)
    count = values.shape[1]
    fraction = 27 - (count - 1).bit_length() // 2
    sums = values.sum(1)
    centres = sums if centre is None else np.full_like(sums, count * centre)
    spreads = (values * values).sum(1) * count - (2 * sums - centres) * centres
    by = [_normaliser(int(each), epsilon, spread_bits, fraction) for each in spreads]
    factors, shifts = np.array(by, np.int64).reshape(-1, 2).T[:, :, None]
    z = _rounded((values * count - centres[:, None]) * factors, shifts)
    sized = _rounded(z * weight + (bias << fraction), np.int64(fraction + shift))
    return (sized + output_zero_point).clip(low, high).astype(np.int8)


def _normaliser(spread: int, epsilon: int, spread_bits: int, fraction: int) -> tuple[int, int]:
    """Return what a group's differences are multiplied with, and shifted right by then."""
    bits = 2 * spread_bits
    scaled = (spread << bits if bits >= 0 else spread >> -bits) + epsilon
    if spread == 0 or scaled == 0:
        return 0, 1
    halves = (62 - scaled.bit_length()) // 2  # to 61 or 62 bits; -1 if there are 63
    scaled = scaled << 2 * halves if halves >= 0 else scaled >> 2
    return ((1 << 61) - 1) // math.isqrt(scaled), 61 - fraction - spread_bits - halves


def _rounded(value: Any, shift: Any) -> Any:
    """Return value / 2**shift, halves up."""
    return (value + (np.int64(1) << (shift - 1))) >> shift
