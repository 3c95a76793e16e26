# SPDX-License-Identifier: BSD-3-Clause
"""From accumulators to int8, as the device rounds."""

from __future__ import annotations

from typing import Any

import torch


def requantize(acc: Any, multiplier: Any, shift: Any) -> Any:
    """Return acc * multiplier * 2**(shift - 31), rounded twice, as `requantize_cmsis` does.

    acc: int64; multiplier, shift: int64 tensors that broadcast against it.
    """
    left = shift.clamp(min=0)
    right = (-shift).clamp(min=0)
    result = ((acc << left) * multiplier + (1 << 30)) >> 31
    mask = (torch.ones_like(right) << right) - 1
    remainder = result & mask
    result = result >> right
    threshold = (mask >> 1) + (result < 0)
    # Without a right shift the mask, and so the remainder, is 0 and nothing is added.
    return result + (remainder > threshold)


def scalar_requantize(acc: Any, multiplier: int, shift: int) -> Any:
    """Return `requantize` with one multiplier and shift for all of `acc`."""
    return requantize(acc, torch.tensor(int(multiplier)), torch.tensor(int(shift)))


def finish(acc: Any, offset: int, low: int, high: int) -> Any:
    """Return acc + offset, limited to low … high, as int8."""
    return (acc + offset).clamp(low, high).to(torch.int8)
