# SPDX-License-Identifier: BSD-3-Clause
"""Operators on int8 that take their elements one by one."""

from __future__ import annotations

from typing import Any

import torch

from mcugen.program.reference.registry import computes
from mcugen.program.reference.requantize import finish, scalar_requantize


@computes("cortex_m::quantized_add")
def quantized_add(
    a: Any,
    a_zero_point: int,
    a_multiplier: int,
    a_shift: int,
    b: Any,
    b_zero_point: int,
    b_multiplier: int,
    b_shift: int,
    zero_point: int,
    multiplier: int,
    shift: int,
    low: int,
    high: int,
) -> Any:
    """Return a + b: each brought to 20 more bits of a common scale, their sum to the output's."""
    int64 = torch.int64
    left = scalar_requantize((a.to(int64) - a_zero_point) << 20, a_multiplier, a_shift)
    right = scalar_requantize((b.to(int64) - b_zero_point) << 20, b_multiplier, b_shift)
    scaled = scalar_requantize(left + right, multiplier, shift)
    return finish(scaled, zero_point, low, high)


@computes("cortex_m::quantized_mul")
def quantized_mul(
    a: Any,
    a_zero_point: int,
    b: Any,
    b_zero_point: int,
    zero_point: int,
    multiplier: int,
    shift: int,
) -> Any:
    """Return a * b at the output's scale."""
    int64 = torch.int64
    product = (a.to(int64) - a_zero_point) * (b.to(int64) - b_zero_point)
    return finish(scalar_requantize(product, multiplier, shift), zero_point, -128, 127)


@computes("cortex_m::quantized_activation")
def quantized_activation(x: Any, table: Any) -> Any:
    """Return table[x], -128 being the first entry."""
    return table[x.to(torch.int64) + 128]


@computes("cortex_m::minimum")
def minimum(a: Any, b: Any) -> Any:
    """Return the smaller of each pair."""
    return torch.minimum(a, b)


@computes("cortex_m::maximum")
def maximum(a: Any, b: Any) -> Any:
    """Return the larger of each pair."""
    return torch.maximum(a, b)


@computes("cortex_m::transpose")
def transpose(x: Any, perm: list[int]) -> Any:
    """Return `x` with its dimensions in the order `perm`."""
    return x.permute(tuple(perm))
