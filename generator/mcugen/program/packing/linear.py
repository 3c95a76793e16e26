# SPDX-License-Identifier: BSD-3-Clause
"""Linear layers of one row of inputs, with two rows of weights in each halfword.

256 * b + a as one signed number makes three instructions of four products, and takes no more flash
than int8 weights do. See firmware/kernels/packed_linear_s8.h.
"""

from __future__ import annotations

import numpy as np

from mcugen.program.packing import rescale
from mcugen.program.packing.edit import Call, Method

_NAMES = ("cortex_m::quantized_linear.out", "mcugen::quantized_linear.out")
_ROWS = 4
#: Sums, times 2**rescale.BITS, fit into 32 bits.
_MOST_SUM = 1 << (31 - rescale.BITS)


def pack_linear(method: Method) -> int:
    """Rewrite the linear layers that meet the conditions; return how many."""
    return sum(_pack(call) for call in method.calls() if call.name in _NAMES)


def _pack(call: Call) -> bool:
    weights = call.constant("weights")
    if weights is None or not call.is_static or call.integer("filter_offset") != 0:
        return False
    rows = len(weights)
    sizes = call.sizes("input")
    if rows < _ROWS or int(np.prod(sizes[:-1], dtype=np.int64)) != 1:
        return False
    starts = _starts(call, weights)
    scalings = _scalings(call, rows)
    if starts is None or scalings is None:
        return False
    multipliers, shifts = scalings
    # a, b, c, d of each group; the last group is the last four.
    taken = np.array([min(first, rows - _ROWS) for first in range(0, rows, _ROWS)])
    order = taken[:, None] + np.arange(_ROWS)
    by_group = weights[order].astype(np.int64)
    zero_point = call.integer("output_offset")
    low, high = call.integer("activation_min"), call.integer("activation_max")
    exact = rescale.is_exact([int(each) for each in shifts], zero_point, low)
    signs = _signs(by_group[:, 0::2], by_group[:, 1::2])
    if signs is None:
        return False
    words = np.array(
        [
            rescale.scaling_exact(int(m), int(s))
            if exact
            else rescale.scaling(int(m), int(s), zero_point)
            for m, s in zip(multipliers, shifts, strict=True)
        ],
        np.int64,
    )[order]
    words[:, 1::2, 0] *= signs
    by_start = starts[order]
    first = by_start[:, 0::2]
    both_start = by_start[:, 1::2] * signs * 256 + first
    both = by_group[:, 1::2] * signs[:, :, None] * 256 + by_group[:, 0::2]
    groups = np.concatenate(
        [
            np.stack([first, both_start], axis=2).reshape(len(order), -1),
            _halfwords(both),
            words.reshape(len(order), -1),
        ],
        axis=1,
    )
    method = call.method
    numbers = (rows, _input_zero_point(call), zero_point)
    call.becomes(
        "mcugen::packed_linear.out",
        [
            call.index("input"),
            method.add_constant(groups.astype(np.int32)),
            *(method.add_number(each) for each in (*numbers, exact, low, high)),
            method.add_scratch(),
        ],
    )
    return True


def _input_zero_point(call: Call) -> int:
    # A kernel_sum holds the zero point's part already.
    return 0 if not call.is_none("kernel_sum") else -call.integer("input_offset")


def _starts(call: Call, weights: np.ndarray) -> np.ndarray | None:
    """Return what each row's sum starts from, None if a sum might not fit."""
    name = "bias" if call.is_none("kernel_sum") else "kernel_sum"
    starts = np.zeros(len(weights), np.int64)
    if not call.is_none(name):
        bias = call.constant(name)
        if bias is None:
            return None
        starts = bias.reshape(-1).astype(np.int64)
    zero_point = _input_zero_point(call)
    # Sums wrap on the way, so only where they end matters.
    ends = weights.astype(np.int64)[:, :, None] * (-128 - zero_point, 127 - zero_point)
    most, least = ends.max(2).sum(1) + starts, ends.min(2).sum(1) + starts
    return starts if most.max() < _MOST_SUM and least.min() >= -_MOST_SUM else None


def _scalings(call: Call, rows: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return a multiplier and a shift per row, None if one is not of the form that is rewritten."""
    found = []
    for name in ("requantize_multipliers", "requantize_shifts"):
        constant = (
            call.constant(name) if call.name.startswith("mcugen::") else np.array(call.ints(name))
        )
        if constant is None:
            return None
        found.append(np.broadcast_to(constant.reshape(-1).astype(np.int64), (rows,)))
    multipliers, shifts = found
    return (multipliers, shifts) if shifts.max() <= -1 and multipliers.min() >= 0 else None


def _signs(first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """Return 1 or -1 for each second row [groups, 2, in_ch], or None if neither will do.

    256 * second + first must fit into 16 bits, which it does not where a weight of -128 meets a
    negative one. Negated, with a negated multiplier, it does not where it meets another.
    """
    extreme = second == -128
    meets_negative = (extreme & (first < 0)).any(2)
    meets_other = (extreme & (first >= 0)).any(2)
    if (meets_negative & meets_other).any():
        return None
    return np.where(meets_negative, -1, 1)


def _halfwords(both: np.ndarray) -> np.ndarray:
    """Return words of `both` [groups, 2, in_ch], in the order in which they are read."""
    groups, pairs, in_ch = both.shape
    padded = np.zeros((groups, pairs, -(-in_ch // 4) * 4), np.int16)
    padded[:, :, :in_ch] = both
    # k = 4 * i + 2 * high + odd: per i and odd, both pairs, with k and k + 2 in a word.
    parts = padded.reshape(groups, pairs, -1, 2, 2).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(parts).view(np.int32).reshape(groups, -1).astype(np.int64)
