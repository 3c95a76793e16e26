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

#: Rows of a group.
ROWS = 4


@computes("mcugen::packed_linear")
def packed_linear(
    x: Any,
    groups: Any,
    rows: int,
    input_zero_point: int,
    output_zero_point: int,
    exact: bool,
    activation_min: int,
    activation_max: int,
    scratch: Any,
) -> Any:
    """Return int8[..., rows] of `x` int8[..., in_ch].

    groups: int32[ceil(rows / 4), 16 + in_ch rounded up to a multiple of four], of four rows each,
    the last of the last four; see firmware/kernels/packed_linear_s8.h.
    """
    del scratch
    shape = tuple(x.shape)
    words = groups.numpy().astype(np.int32).reshape(-(-rows // ROWS), -1)
    padded = words.shape[1] - 16
    inputs = np.zeros((x.numel() // shape[-1], padded), np.int64)
    inputs[:, : shape[-1]] = x.numpy().reshape(-1, shape[-1])
    inputs -= input_zero_point
    # Per four inputs: rows a, b and c, d of inputs k and k + 2, then of k + 1 and k + 3.
    halves = words[:, 4:-12].copy().view(np.int16).reshape(len(words), -1, 2, 2, 2)
    pairs = halves.transpose(0, 3, 1, 4, 2).reshape(len(words), 2, padded).astype(np.int64)
    starts = words[:, :4].astype(np.int64).reshape(-1, 2, 2)
    first = _int32(starts[:, :, 0] + np.einsum("bk,gpk->bgp", inputs, pairs.astype(np.int8)))
    both = _int32(starts[:, :, 1] + np.einsum("bk,gpk->bgp", inputs, pairs))
    sums = np.stack([_int32(first << 8), _int32(both - first)], axis=3)
    multipliers, offsets, shifts = (
        words[:, -12:].astype(np.int64).reshape(-1, 2, 2, 3).transpose(3, 0, 1, 2)
    )
    products = sums * multipliers
    high = _int32((products >> 32) + offsets)
    if exact:
        high = _int32(high - 128 * (products < 0))
    results = high >> (shifts & 31)
    if exact:
        results = _int32(results + output_zero_point)
    results = results.clip(-128, 127).clip(activation_min, activation_max)
    by_group = results.reshape(len(inputs), len(words), ROWS).astype(np.int8)
    out = np.empty((len(inputs), rows), np.int8)
    for group in range(len(words)):
        at = min(ROWS * group, rows - ROWS)
        out[:, at : at + ROWS] = by_group[:, group]
    return torch.from_numpy(out.reshape(*shape[:-1], rows))


@computes("mcugen::scaled_add")
def scaled_add(a: Any, b: Any, by_a: int, by_b: int, offset: int, shift: int, *limits: int) -> Any:
    """Return clamp(saturate8((a * by_a + b * by_b + offset) >> shift)) of int8 tensors."""
    sums = (a.to(torch.int64) * by_a + b.to(torch.int64) * by_b + offset).to(torch.int32)
    return (sums >> shift).clamp(-128, 127).clamp(*limits).to(torch.int8)


def _int32(values: Any) -> Any:
    """Return int64 values wrapped at 32 bits."""
    return values.astype(np.int32).astype(np.int64)
