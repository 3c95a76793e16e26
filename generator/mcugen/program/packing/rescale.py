# SPDX-License-Identifier: BSD-3-Clause
"""Two nested roundings as one floor: what firmware/kernels/packed_linear_s8.h rescales with."""

from __future__ import annotations

#: Sums are multiplied by 2**BITS before they are rescaled.
BITS = 8

#: Above it every result is 0; above `_MOST_SHIFT` a zero point does not fit into the offset.
_ALL_ZERO_SHIFT = 31
_MOST_SHIFT = 24


def is_exact(shifts: list[int], output_zero_point: int, activation_min: int) -> bool:
    """Return whether results of either sign must be right, or those at the zero point and above.

    shifts: as `requantize` takes them, positive to the left.
    """
    wide = any(_MOST_SHIFT < BITS - shift <= _ALL_ZERO_SHIFT for shift in shifts)
    return output_zero_point > activation_min or wide


def scaling(multiplier: int, shift: int, zero_point: int) -> tuple[int, int, int]:
    """Return multiplier, offset and shift for sums times 2**BITS.

    zero_point: of the output, or 0 in the exact form, which adds it behind the shift.
    """
    right = BITS - shift
    if right > _ALL_ZERO_SHIFT:
        return 0, zero_point << BITS, BITS
    offset = (1 << (BITS - 2)) + (1 << (right - 2)) + (zero_point << (right - 1))
    return multiplier, offset, right - 1


def scaling_exact(multiplier: int, shift: int) -> tuple[int, int, int]:
    """Return the same for the exact form, which takes 2**(BITS - 1) from what is negative."""
    if BITS - shift > _ALL_ZERO_SHIFT:
        return 0, 1 << (BITS - 1), BITS
    return scaling(multiplier, shift, 0)
