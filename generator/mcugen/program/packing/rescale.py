# SPDX-License-Identifier: BSD-3-Clause
"""Two nested roundings as one floor: what firmware/kernels/packed_linear_s8.h rescales with."""

from __future__ import annotations

#: Sums are multiplied by 2**BITS before they are rescaled.
BITS = 8

#: Above it a zero point does not fit into the offset.
_MOST_SHIFT = 24


def scaling(multiplier: int, shift: int, zero_point: int, most: int) -> tuple[int, int, int] | None:
    """Return multiplier, offset and shift for sums times 2**BITS, None if there are none.

    shift: as `requantize` takes it, positive to the left; zero_point: of the output; most: what a
    sum is, at most, positive or negative. Right for results that are not below the zero point; for
    others, too, once 2**(BITS - 1) is taken from them before the shift.
    """
    right = BITS - shift
    if right > _MOST_SHIFT:
        all_zero = (most * multiplier >> 31) + 2 <= 1 << (-shift - 1)
        return (0, zero_point << BITS, BITS) if all_zero else None
    offset = (1 << (BITS - 2)) + (1 << (right - 2)) + (zero_point << (right - 1))
    return multiplier, offset, right - 1
