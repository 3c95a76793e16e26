# SPDX-License-Identifier: BSD-3-Clause
"""Pools, padding and softmax on int8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from mcugen.program.reference.fixed_point import softmax_s8
from mcugen.program.reference.registry import computes


@computes("cortex_m::quantized_avg_pool2d")
def quantized_avg_pool2d(
    x: Any,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    ceil_mode: bool,
    zero_point: int,
    multiplier: int,
    shift: int,
    scratch: Any,
) -> Any:
    """Return the mean of each window, halves away from zero, padding not counted."""
    del zero_point, multiplier, shift, scratch  # The average of q needs no scale.

    def window_sum(values: Any) -> Any:
        return functional.avg_pool2d(
            values.to(torch.float64).contiguous(),
            _pair(kernel),
            stride=_pair(stride),
            padding=_pair(padding),
            ceil_mode=ceil_mode,
            divisor_override=1,
        ).to(torch.int64)

    acc = window_sum(x)
    count = window_sum(torch.ones_like(x))
    half = count // 2
    rounded = torch.div(acc + torch.where(acc > 0, half, -half), count, rounding_mode="trunc")
    return rounded.clamp(-128, 127).to(torch.int8)


@computes("cortex_m::quantized_max_pool2d")
def quantized_max_pool2d(
    x: Any,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    ceil_mode: bool,
    input_zero_point: int,
    output_zero_point: int,
    low: int,
    high: int,
) -> Any:
    """Return the largest element of each window, limited to low … high."""
    del input_zero_point, output_zero_point  # Equal, or the exporter would not have used it.
    result = functional.max_pool2d(
        x.to(torch.float32).contiguous(),
        _pair(kernel),
        stride=_pair(stride),
        padding=_pair(padding),
        dilation=_pair(dilation),
        ceil_mode=ceil_mode,
    )
    return result.clamp(low, high).to(torch.int8)


@computes("cortex_m::pad")
def pad(x: Any, pre: list[int], post: list[int], value: int) -> Any:
    """Return `x` with `pre` and `post` elements of `value` around, in memory order of an image."""
    rank = x.dim()
    nhwc = rank == 4 and (
        x.shape[1] == 1 or x.shape[2] == x.shape[3] == 1 or x.dim_order()[:2] == (0, 2)
    )
    order = (0, 3, 1, 2) if nhwc else (0, 1, 2, 3)  # padding comes in memory order
    before, after = ([pad[i] for i in order][4 - rank :] for pad in (pre, post))
    padding = [p for pair in reversed(list(zip(before, after, strict=True))) for p in pair]
    return functional.pad(x, padding, mode="constant", value=value)


@computes("cortex_m::softmax")
def softmax(
    x: Any,
    dim: int,
    input_zero_point: int,
    output_zero_point: int,
    multiplier: int,
    shift: int,
    diff_min: int,
) -> Any:
    """Return the fixed-point softmax along `dim`."""
    del input_zero_point, output_zero_point  # Differences only; the output's is always -128.
    rows = x.movedim(dim, -1).contiguous().numpy()
    result = torch.from_numpy(softmax_s8(rows, multiplier, shift, diff_min))
    return result.movedim(-1, dim)


def _pair(value: Sequence[int]) -> tuple[int, int]:
    return (value[0], value[0]) if len(value) == 1 else (value[0], value[1])
