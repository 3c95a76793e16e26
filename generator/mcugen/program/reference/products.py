# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions and products of matrices on int8."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from mcugen.program.reference.registry import computes
from mcugen.program.reference.requantize import finish, requantize


def _convolve(
    x: Any,
    weight_oihw: Any,
    bias: Any,
    geometry: tuple[list[int], list[int], list[int], int],
    offsets: tuple[int, int],
    rescale: tuple[Any, Any],
    clamp: tuple[int, int],
) -> Any:
    """Return the convolution of int8 in float64, where it is exact, requantized per channel."""
    stride, padding, dilation, groups = geometry
    # Padding with 0 after the offset is added equals padding with the zero point before.
    acc = functional.conv2d(
        (x.to(torch.int32) + offsets[0]).to(torch.float64),
        weight_oihw,
        None if bias is None else bias.to(torch.float64),
        stride=tuple(stride),
        padding=tuple(padding),
        dilation=tuple(dilation),
        groups=groups,
    ).to(torch.int64)
    multipliers, shifts = (t.to(torch.int64).reshape(1, -1, 1, 1) for t in rescale)
    return finish(requantize(acc, multipliers, shifts), offsets[1], *clamp)


@computes("cortex_m::quantized_conv2d")
@computes("mcugen::conv2d_in_place")
def quantized_conv2d(
    x: Any,
    weight: Any,
    bias: Any,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    input_offset: int,
    output_offset: int,
    multipliers: Any,
    shifts: Any,
    low: int,
    high: int,
    scratch: Any,
) -> Any:
    """Return the convolution of `x` [N, C, H, W] with OHWI weights; groups by their sizes."""
    del scratch
    groups = x.shape[1] // weight.shape[3]
    return _convolve(
        x,
        weight.permute(0, 3, 1, 2).to(torch.float64),  # OHWI to OIHW
        bias,
        (stride, padding, dilation, groups),
        (input_offset, output_offset),
        (multipliers, shifts),
        (low, high),
    )


@computes("cortex_m::quantized_depthwise_conv2d")
@computes("mcugen::depthwise_conv2d_in_place")
def quantized_depthwise_conv2d(
    x: Any,
    weight: Any,
    bias: Any,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    depth_multiplier: int,
    input_offset: int,
    output_offset: int,
    multipliers: Any,
    shifts: Any,
    low: int,
    high: int,
    scratch: Any,
) -> Any:
    """Return the convolution of each channel of `x` [N, C, H, W] with IHWO weights."""
    del depth_multiplier, scratch
    return _convolve(
        x,
        weight.permute(3, 0, 1, 2).to(torch.float64),  # IHWO to OIHW
        bias,
        (stride, padding, dilation, x.shape[1]),
        (input_offset, output_offset),
        (multipliers, shifts),
        (low, high),
    )


@computes("cortex_m::quantized_linear")
@computes("mcugen::quantized_linear")
def quantized_linear(
    x: Any,
    weights: Any,
    bias: Any,
    kernel_sum: Any,
    input_offset: int,
    filter_offset: int,
    output_offset: int,
    multipliers: Any,
    shifts: Any,
    high: int,
    low: int,
) -> Any:
    """Return `x` times the transposed weights, with Helium's `kernel_sum` or a bias.

    multipliers, shifts: one number or one per output, as a list or a tensor.
    """
    rows = x.reshape(-1, x.shape[-1]).to(torch.float64)
    columns = weights.to(torch.float64).T
    if kernel_sum is not None:
        # MVE: kernel_sum holds input_offset times each weight row's sum, plus the bias.
        acc = rows @ columns + rows.sum(-1, keepdim=True) * filter_offset
        acc = acc + kernel_sum.to(torch.float64)
    else:
        acc = (rows + input_offset) @ (columns + filter_offset)
        if bias is not None:
            acc = acc + bias.to(torch.float64)
    acc = acc.to(torch.int64).reshape(*x.shape[:-1], -1)
    per_output = (torch.as_tensor(each, dtype=torch.int64) for each in (multipliers, shifts))
    return finish(requantize(acc, *per_output), output_offset, low, high)
