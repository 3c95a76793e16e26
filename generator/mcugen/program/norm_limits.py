# SPDX-License-Identifier: BSD-3-Clause
"""What mcugen::quantized_layer_norm and quantized_group_norm take (firmware/kernels/norm_s8.h)."""

from __future__ import annotations

from collections.abc import Sequence

#: Most elements that are normalised together.
MOST_ELEMENTS = 1 << 22
#: Bits behind the point of a spread: no fewer, and of one element no more.
LEAST_SPREAD_BITS = -16
MOST_SPREAD_BITS = 23
MOST_EPSILON = 1 << 62


def most_spread_bits(count: int) -> int:
    """Return how many bits behind the point the spread of `count` elements may have."""
    return MOST_SPREAD_BITS - (count - 1).bit_length()


def fault(count: int, channels: int, spread_bits: int | None, entries: Sequence[int]) -> str:
    """Return why the device would refuse a norm; "" if it would not.

    Args:
        count: how many elements are normalised together.
        channels: how many factors and terms they have.
        spread_bits: the argument, None if it is not known.
        entries: how many there are of weight and bias.
    """
    if not 1 <= count <= MOST_ELEMENTS:
        return f"{count:,} elements are normalised, 1 to {MOST_ELEMENTS:,} are taken"
    if spread_bits is not None and spread_bits > most_spread_bits(count):
        most = most_spread_bits(count)
        return f"'spread_bits' is {spread_bits}, of {count:,} elements at most {most}"
    if len(set(entries)) != 1 or entries[0] not in (1, channels):
        numbers = " and ".join(map(str, entries))
        return f"'weight' and 'bias' have {numbers} entries for {channels} channels"
    return ""
