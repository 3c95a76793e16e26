# SPDX-License-Identifier: BSD-3-Clause
"""Operators between float and int8, and copies."""

from __future__ import annotations

from typing import Any

import torch

from mcugen.program.artifact import DTYPES
from mcugen.program.reference.registry import computes


@computes("cortex_m::quantize_per_tensor")
def quantize_per_tensor(
    x: Any, scale: float, zero_point: int, low: int, high: int, dtype: int
) -> Any:
    """Return round(x / scale) + zero_point, halves to even, limited to low … high."""
    q = torch.round(x * (1.0 / scale)) + zero_point
    return q.clamp(low, high).to(getattr(torch, DTYPES[int(dtype)][0]))


@computes("cortex_m::dequantize_per_tensor")
def dequantize_per_tensor(
    x: Any, scale: float, zero_point: int, low: int, high: int, dtype: int
) -> Any:
    """Return (x - zero_point) * scale in float32."""
    del low, high, dtype
    return (x.to(torch.float32) - zero_point) * scale


@computes("dim_order_ops::_clone_dim_order")
@computes("dim_order_ops::_to_dim_order_copy")
def copy(x: Any, *_: Any) -> Any:
    """Return `x`: `out` says in which order and type its values are kept."""
    return x
