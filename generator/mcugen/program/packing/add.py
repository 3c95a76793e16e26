# SPDX-License-Identifier: BSD-3-Clause
"""Sums of two tensors in their linear form: (a * m + b * n + offset) >> shift.

The published form rounds three times. Often there are two factors and an offset that give the same
byte for all 65,536 pairs of inputs; see firmware/kernels/scaled_add_s8.h.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from mcugen.program.packing.edit import Call, Method

_NAME = "cortex_m::quantized_add.out"
_HEADROOM_BITS = 20
#: Factors below 2**22 leave room for two products of 9 bits.
_FACTOR_BITS = 22
#: How far from the ratio of the scales factors are tried.
_REACH = 6
_FAR = np.int64(1) << 60


def pack_add(method: Method) -> int:
    """Rewrite the sums of two tensors of one shape for which there are such numbers."""
    return sum(_pack(call) for call in method.calls() if call.name == _NAME)


def _pack(call: Call) -> bool:
    tensors = [call.value(name) for name in ("self", "other", "out")]
    if not call.is_static or any(
        tuple(each.sizes) != tuple(tensors[2].sizes)
        or list(each.dim_order) != list(tensors[2].dim_order)
        for each in tensors
    ):
        return False
    names = ("zero_point", "multiplier", "shift")
    a, b, out = (
        tuple(call.integer(f"{which}_{name}") for name in names)
        for which in ("self", "other", "output")
    )
    low, high = call.integer("activation_min"), call.integer("activation_max")
    found = linear_form(a, b, out)
    if found is None:
        return False
    method = call.method
    numbers = [method.add_number(each) for each in (*found, low, high)]
    call.becomes("mcugen::scaled_add.out", [call.index("self"), call.index("other"), *numbers])
    return True


@cache
def linear_form(
    a: tuple[int, int, int], b: tuple[int, int, int], out: tuple[int, int, int]
) -> tuple[int, int, int, int] | None:
    """Return two factors, an offset and a shift that give every pair of inputs its byte.

    a, b, out: zero point, multiplier, shift as add_s8 takes them. None if none were found.
    """
    q = np.arange(-128, 128, dtype=np.int64)
    terms = [
        _requantize((q - zero_point) << _HEADROOM_BITS, multiplier, shift)
        for zero_point, multiplier, shift in (a, b)
    ]
    sums = terms[0][:, None] + terms[1][None, :]
    if np.abs(sums).max() >= 1 << 30:
        return None
    wanted = np.clip(_requantize(sums, out[1], out[2]) + out[0], -128, 127)
    ratios = [
        each[1] * 2.0 ** (each[2] - 31 + _HEADROOM_BITS) * out[1] * 2.0 ** (out[2] - 31)
        for each in (a, b)
    ]
    most = max(abs(each) for each in ratios)
    if not most:
        return None
    # Sums of two products, and the zero point, stay below 2**31.
    shift = min(_FACTOR_BITS - 1 - int(np.ceil(np.log2(most))), 22)
    if not 1 <= shift <= 30:
        return None
    steps = sorted(
        itertools.product(range(-_REACH, _REACH + 1), repeat=2), key=lambda s: (max(map(abs, s)), s)
    )
    for step in steps:
        by = [round(ratio * 2.0**shift) + each for ratio, each in zip(ratios, step, strict=True)]
        products = by[0] * q[:, None] + by[1] * q[None, :]
        least = np.where(wanted == -128, -_FAR, (wanted << shift) - products).max()
        most_offset = np.where(wanted == 127, _FAR, ((wanted + 1) << shift) - 1 - products).min()
        if least <= most_offset:
            offset = int(np.clip((least + most_offset) // 2, -(1 << 31), (1 << 31) - 1))
            fits = np.abs(products + offset).max() < 1 << 31
            if least <= offset <= most_offset and fits:
                return by[0], by[1], offset, shift
    return None


def _requantize(value: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
    """Return int64 `value` rescaled as firmware/kernels/requantize.h does, without its wrapping."""
    if shift > 0:
        return ((value << shift) * multiplier + (1 << 30)) >> 31
    high = (value * multiplier + (1 << 30)) >> 31
    right = min(-shift, 40)
    if right == 0:
        return high
    return (high + (high >> 63) + (np.int64(1) << (right - 1))) >> right
