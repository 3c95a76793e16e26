# SPDX-License-Identifier: BSD-3-Clause
"""Fixed-point softmax on int8: the algorithm of TFLite's int8 softmax in gemmlowp's arithmetic.

Written from gemmlowp's fixed-point definitions: Qm.n numbers are int32; a product is the high half
of twice the 64-bit product, rounded; a division by a power of two rounds half away from zero.
Everything is computed in int64 on whole arrays, where no intermediate can overflow, and brought
back into int32 range at the places where the algorithm saturates.
"""

from __future__ import annotations

import numpy as np

_INT32_MAX = 2**31 - 1
_INT32_MIN = -(2**31)
_INPUT_INTEGER_BITS = 5  #: scaled differences are Q5.26
_ACCUMULATION_INTEGER_BITS = 12  #: the sum of exponentials is Q12.19: up to 4095 terms

# exp(-2**e) as Q0.31 for e = -2 .. 4: the bits of Q5.26 that the Taylor step leaves.
_EXP_BITS = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)


def _saturate(x: np.ndarray) -> np.ndarray:
    return np.clip(x, _INT32_MIN, _INT32_MAX)


def _multiply(a: np.ndarray | int, b: np.ndarray | int) -> np.ndarray:
    """Return the saturating rounding doubling high product: round(a * b / 2**31)."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    nudge = np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    # Truncating division, as C's; only (-2**31)**2 can leave the int32 range.
    total = product + nudge
    return _saturate(np.where(total >= 0, total >> 31, -((-total) >> 31)))


def _divide_pot(x: np.ndarray, exponent: np.ndarray | int) -> np.ndarray:
    """Return x / 2**exponent, halves away from zero; exponent >= 0."""
    exponent = np.asarray(exponent, np.int64)
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    return (x >> exponent) + ((x & mask) > threshold)


def _exp_on_interval(a: np.ndarray) -> np.ndarray:
    """Return exp(a) for Q0.31 a in [-1/4, 0), as Q0.31: a Taylor series around -1/8."""
    x = a + (1 << 28)
    x2 = _multiply(x, x)
    x3 = _multiply(x2, x)
    x4_over_4 = _divide_pot(_multiply(x2, x2), 2)
    series = _divide_pot(_multiply(x4_over_4 + x3, 715827883) + x2, 1)  # 1/3
    return _saturate(1895147668 + _multiply(1895147668, x + series))  # exp(-1/8)


def _exp_on_negative(a: np.ndarray) -> np.ndarray:
    """Return exp(a) for Q5.26 a <= 0, as Q0.31."""
    fraction_bits = 31 - _INPUT_INTEGER_BITS
    quarter = 1 << (fraction_bits - 2)
    minus_quarter = (a & (quarter - 1)) - quarter
    result = _exp_on_interval(_saturate(minus_quarter << _INPUT_INTEGER_BITS))
    remainder = minus_quarter - a
    for exponent, factor in _EXP_BITS:
        bit = 1 << (fraction_bits + exponent)
        result = np.where(remainder & bit, _multiply(result, factor), result)
    return np.where(a == 0, _INT32_MAX, result)


def _one_over_one_plus(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + x) for Q0.31 x in [0, 1], as Q0.31: three Newton-Raphson steps in Q2.29."""
    half_denominator = (x + _INT32_MAX + 1) >> 1  # rounded (x + 1) / 2; the sum is positive
    estimate = 1515870810 + _multiply(half_denominator, -1010580540)  # 48/17 - 32/17 * d
    for _ in range(3):
        error = (1 << 29) - _multiply(half_denominator, estimate)
        estimate = estimate + _saturate(_multiply(estimate, error) << 2)
    return _saturate(estimate << 1)


def softmax_s8(x: np.ndarray, multiplier: int, shift: int, diff_min: int) -> np.ndarray:
    """Return softmax along the last axis, int8[...] to int8[...] with scale 1/256, zero point -128.

    Args:
        x: int8, any shape.
        multiplier: Q31 input scale.
        shift: its left shift.
        diff_min: differences to the largest element below this count as exp(...) = 0.
    """
    diff = x.astype(np.int64) - x.max(axis=-1, keepdims=True).astype(np.int64)
    counts = diff >= diff_min
    scaled = _multiply(np.where(counts, diff, 0) << shift, multiplier)
    exponentials = np.where(counts, _exp_on_negative(scaled), 0)
    total = np.where(counts, _divide_pot(exponentials, _ACCUMULATION_INTEGER_BITS), 0)
    total = total.sum(axis=-1, keepdims=True)

    # total = 2**(12 - headroom) * (1 + fraction): normalise, then one reciprocal for the row.
    headroom = 32 - np.array([int(t).bit_length() for t in total.ravel()], np.int64)
    headroom = headroom.reshape(total.shape)
    fraction = (total << headroom) - (1 << 31)
    reciprocal = _one_over_one_plus(fraction)
    over_unit = _ACCUMULATION_INTEGER_BITS - headroom
    quotient = _divide_pot(_multiply(reciprocal, exponentials), over_unit + 31 - 8)
    return np.where(counts, np.clip(quotient - 128, -128, 127), -128).astype(np.int8)
