# SPDX-License-Identifier: BSD-3-Clause
"""Operators with constants prepared ahead of time: the integers of firmware/kernels/packed_*.h.

They define what the device computes; that a program gives the same bytes with them as without is
for `program/packing` to see to, and for its tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from mcugen.program.reference.registry import computes
from mcugen.program.reference.requantize import scalar_requantize

#: Rows of a group, and where weights have 16 bits each.
ROWS, WIDE_ROWS = 4, 5


@computes("mcugen::packed_linear")
def packed_linear(x: Any, words: Any, scratch: Any) -> Any:
    """Return int8[..., rows] of `x` int8[..., in_ch].

    words: int32, five numbers and groups of four rows, the last of the last four; see
    firmware/kernels/packed_linear_s8.h.
    """
    del scratch
    shape = tuple(x.shape)
    numbers, words = _split(words, 5, 16 + -(-shape[-1] // 4) * 4)
    padded = words.shape[1] - 16
    inputs = np.zeros((x.numel() // shape[-1], padded), np.int64)
    inputs[:, : shape[-1]] = x.numpy().reshape(-1, shape[-1])
    inputs -= numbers[1]
    # Per four inputs: rows a, b and c, d of inputs k and k + 2, then of k + 1 and k + 3.
    halves = words[:, 4:-12].copy().view(np.int16).reshape(len(words), -1, 2, 2, 2)
    pairs = halves.transpose(0, 3, 1, 4, 2).reshape(len(words), 2, padded).astype(np.int64)
    starts = words[:, :4].astype(np.int64).reshape(-1, 2, 2)
    first = _int32(starts[:, :, 0] + np.einsum("bk,gpk->bgp", inputs, pairs.astype(np.int8)))
    both = _int32(starts[:, :, 1] + np.einsum("bk,gpk->bgp", inputs, pairs))
    sums = np.stack([_int32(first << 8), _int32(both - first)], axis=3)
    scalings = words[:, -12:].astype(np.int64).reshape(-1, ROWS, 3).transpose(2, 0, 1)
    return _rescaled(x, numbers, sums.reshape(len(inputs), -1, ROWS), scalings)


@computes("mcugen::packed_linear_5x4")
def packed_linear_5x4(x: Any, words: Any, scratch: Any) -> Any:
    """Return int8[..., rows] of `x` int8[..., in_ch].

    words: int32, five numbers and groups of five rows, the last of the last five; see
    firmware/kernels/packed_linear_s8.h.
    """
    del scratch
    fours = -(-x.shape[-1] // 4)
    numbers, words = _split(words, 5, 20 + 10 * fours)
    inputs = np.zeros((x.numel() // x.shape[-1], 4 * fours), np.int64)
    inputs[:, : x.shape[-1]] = x.numpy().reshape(-1, x.shape[-1])
    inputs -= numbers[1]
    # Per four inputs: a word of each row with k and k + 2, then with k + 1 and k + 3.
    halves = words[:, 5:-15].copy().view(np.int16).reshape(len(words), fours, 2, WIDE_ROWS, 2)
    rows = halves.transpose(0, 3, 1, 4, 2).reshape(len(words), WIDE_ROWS, -1).astype(np.int64)
    sums = _int32(words[:, :5].astype(np.int64) + np.einsum("bk,grk->bgr", inputs, rows))
    scalings = words[:, -15:].astype(np.int64).reshape(-1, WIDE_ROWS, 3).transpose(2, 0, 1)
    return _rescaled(x, numbers, sums, scalings)


def _rescaled(x: Any, numbers: Any, sums: np.ndarray, scalings: Any) -> Any:
    """Return the results of sums [batch, groups, rows]; the last group is the last rows."""
    rows, _, activation_min, activation_max, exact = numbers
    multipliers, offsets, shifts = scalings
    products = sums * multipliers
    high = _int32((products >> 32) + offsets)
    if exact:
        high = _int32(high - 128 * (products < 0))
    results = (high >> (shifts & 31)).clip(-128, 127).clip(activation_min, activation_max)
    by_group = results.astype(np.int8)
    out = np.empty((len(sums), rows), np.int8)
    size = sums.shape[2]
    for group in range(sums.shape[1]):
        at = min(size * group, rows - size)
        out[:, at : at + size] = by_group[:, group]
    return torch.from_numpy(out.reshape(*x.shape[:-1], rows))


@computes("mcugen::packed_linear_4x4")
def packed_linear_4x4(x: Any, words: Any, scratch: Any) -> Any:
    """Return int8[..., rows] of `x` int8[..., in_ch].

    words: int32, four numbers and groups of four rows; see
    firmware/kernels/packed_linear_blocks_s8.h.
    """
    del scratch
    in_ch = x.shape[-1]
    padded = -(-in_ch // 4) * 4
    numbers, groups = _split(words, 4, 12 + padded)
    inputs = np.zeros((x.numel() // in_ch, padded), np.int64)
    inputs[:, :in_ch] = x.numpy().reshape(-1, in_ch)
    weights = groups[:, 4:-8].copy().view(np.uint8).reshape(len(groups), -1, ROWS, 2, 2)
    # Inputs k + 2, k + 3, k, k + 1 of each four -> [row, four, k % 2, k // 2 % 2]
    by_row = weights[:, :, :, ::-1].transpose(0, 2, 1, 4, 3).reshape(-1, padded // 4, 2, 2)
    taps = inputs.reshape(len(inputs), -1, 2, 2).transpose(0, 1, 3, 2)
    pairs = np.einsum("bfij,rfij->brfi", taps, by_row.astype(np.int64) - 128).astype(np.int16)
    sums = pairs.astype(np.int64).sum((2, 3))
    columns = (groups[:, :4], groups[:, -8:-4], groups[:, -4:])
    return _requantized(x, numbers, sums, *(each.reshape(-1) for each in columns))


@computes("mcugen::packed_linear_8x16")
def packed_linear_8x16(x: Any, words: Any) -> Any:
    """Return int8[..., rows] of `x` int8[..., in_ch].

    words: int32, four numbers and groups of eight rows; see
    firmware/kernels/packed_linear_blocks_s8.h.
    """
    in_ch = x.shape[-1]
    chunks, first = -(-in_ch // 16), (in_ch - 1) % 16 + 1
    numbers, groups = _split(words, 4, 24 + 32 * chunks)
    weights = groups[:, 8:-16].copy().view(np.int8).reshape(len(groups), chunks, 8, 16)
    by_row = weights.transpose(0, 2, 1, 3).reshape(-1, 16 * chunks).astype(np.int64)
    taps = np.delete(by_row, slice(first, 16), axis=1)
    sums = x.numpy().reshape(-1, in_ch).astype(np.int64) @ taps.T
    # Rows 0, 2, 4, 6, 1, 3, 5, 7 of each group.
    columns = (groups[:, :8], groups[:, -16:-8], groups[:, -8:])
    by_row = [each.reshape(-1, 2, 4).transpose(0, 2, 1).reshape(-1) for each in columns]
    return _requantized(x, numbers, sums, *by_row)


def _split(words: Any, count: int, group_words: int) -> tuple[list[int], Any]:
    """Return the numbers of a packed layer and its groups."""
    row = words.numpy().astype(np.int32)
    return [int(each) for each in row[:count]], row[count:].reshape(-1, group_words)


def _requantized(
    x: Any, numbers: list[int], sums: Any, starts: Any, multipliers: Any, shifts: Any
) -> Any:
    """Return the results of sums [batch, row], of as many rows as there are."""
    rows, zero_point, *limits = numbers
    out = np.empty((len(sums), rows), np.int8)
    for row in range(rows):
        total = torch.from_numpy(_int32(sums[:, row] + int(starts[row])))
        right = -int(shifts[row]) & 31
        scaled = scalar_requantize(total, int(multipliers[row]), -right).to(torch.int32)
        out[:, row] = (scaled + zero_point).clamp(*limits).numpy()
    return torch.from_numpy(out.reshape(*x.shape[:-1], rows))


@computes("mcugen::scaled_add")
def scaled_add(a: Any, b: Any, by_a: int, by_b: int, offset: int, shift: int, *limits: int) -> Any:
    """Return clamp(saturate8((a * by_a + b * by_b + offset) >> shift)) of int8 tensors."""
    sums = (a.to(torch.int64) * by_a + b.to(torch.int64) * by_b + offset).to(torch.int32)
    return (sums >> shift).clamp(-128, 127).clamp(*limits).to(torch.int8)


def _int32(values: Any) -> Any:
    """Return int64 values wrapped at 32 bits."""
    return values.astype(np.int32).astype(np.int64)
