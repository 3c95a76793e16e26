# SPDX-License-Identifier: BSD-3-Clause
"""Linear layers, with weights laid out for the loop that reads them.

For the DSP extension two rows of weights are in each halfword: 256 * b + a as one signed number
makes three instructions of four products. See firmware/kernels/packed_linear_s8.h, and for other
cores packed_linear_blocks_s8.h. Weights take the flash of int8 ones, but for five rows by four
inputs: a halfword each, for `--optimize speed`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcugen.program.packing import rescale
from mcugen.program.packing.edit import Call, Method

_NAMES = ("cortex_m::quantized_linear.out", "mcugen::quantized_linear.out")
_ROWS, _WIDE_ROWS = 4, 5
#: Sums, times 2**rescale.BITS, fit into 32 bits.
_MOST_SUM = 1 << (31 - rescale.BITS)


def pack_linear(method: Method) -> int:
    """Rewrite the linear layers that meet the conditions, for DSP; return how many."""
    return sum(_pack(call) for call in method.calls() if call.name in _NAMES)


def pack_linear_5x4(method: Method) -> int:
    """The same with twice the bytes, for fewer instructions."""
    return sum(_pack_5x4(call) for call in method.calls() if call.name in _NAMES)


def pack_linear_4x4(method: Method) -> int:
    """The same for cores without it."""
    return sum(_pack_4x4(call) for call in method.calls() if call.name in _NAMES)


def pack_linear_8x16(method: Method) -> int:
    """The same for Helium."""
    return sum(_pack_8x16(call) for call in method.calls() if call.name in _NAMES)


def _weights(call: Call) -> np.ndarray | None:
    weights = call.constant("weights")
    if weights is None or not call.is_static or call.integer("filter_offset") != 0:
        return None
    return weights if weights.size else None


@dataclass(frozen=True)
class _Rows:
    """The rows of a layer whose rescale is one floor."""

    weights: np.ndarray
    starts: np.ndarray
    scalings: np.ndarray  #: multiplier, offset and shift of each
    numbers: tuple[int, ...]  #: before the groups


def _rows(call: Call, least: int) -> _Rows | None:
    """Return the rows of a layer of at least so many, None if there is no such form."""
    weights = _weights(call)
    if weights is None:
        return None
    rows = len(weights)
    if rows < least or int(np.prod(call.sizes("input")[:-1], dtype=np.int64)) != 1:
        return None
    sums = _sums(call, weights)
    scalings = _scalings(call, rows)
    if sums is None or scalings is None:
        return None
    starts, ends = sums
    zero_point = call.integer("output_offset")
    low, high = call.integer("activation_min"), call.integer("activation_max")
    found = [
        rescale.scaling(int(m), int(s), zero_point, int(most))
        for m, s, most in zip(*scalings, ends, strict=True)
    ]
    if None in found:
        return None
    numbers = (rows, _input_zero_point(call), low, high, int(zero_point > low))
    return _Rows(weights, starts, np.array(found, np.int64), numbers)


def _order(rows: int, size: int) -> np.ndarray:
    """Return the rows of each group; the last group is the last so many."""
    taken = np.array([min(first, rows - size) for first in range(0, rows, size)])
    return taken[:, None] + np.arange(size)


def _pack_5x4(call: Call) -> bool:
    layer = _rows(call, _WIDE_ROWS)
    if layer is None:
        return False
    order = _order(len(layer.weights), _WIDE_ROWS)
    # k = 4 * i + 2 * high + odd: per i and odd, a word of each row, with k and k + 2.
    padded = _filled(layer.weights, 1, 4)[order].astype(np.int16) << rescale.BITS
    parts = padded.reshape(*order.shape, -1, 2, 2).transpose(0, 2, 4, 1, 3)
    laid = np.ascontiguousarray(parts).view(np.int32).reshape(len(order), -1)
    starts = layer.starts[order] << rescale.BITS
    scalings = layer.scalings[order].reshape(len(order), -1)
    groups = np.concatenate([starts, laid.astype(np.int64), scalings], axis=1)
    _replace(call, "mcugen::packed_linear_5x4.out", layer.numbers, groups, scratch=True)
    return True


def _pack(call: Call) -> bool:
    layer = _rows(call, _ROWS)
    if layer is None:
        return False
    starts = layer.starts
    # a, b, c, d of each group.
    order = _order(len(layer.weights), _ROWS)
    by_group = layer.weights[order].astype(np.int64)
    signs = _signs(by_group[:, 0::2], by_group[:, 1::2])
    if signs is None:
        return False
    words = layer.scalings[order]
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
    _replace(call, "mcugen::packed_linear.out", layer.numbers, groups, scratch=True)
    return True


def _replace(
    call: Call, name: str, numbers: tuple[int, ...], groups: np.ndarray, *, scratch: bool
) -> None:
    """Make it a call of operator `name`, whose numbers and weights are one row of words."""
    words = np.concatenate([np.array(numbers, np.int64), groups.reshape(-1)]).astype(np.int32)
    arguments = [call.index("input"), call.method.add_constant(words)]
    call.becomes(name, [*arguments, call.method.add_scratch()] if scratch else arguments)


def _input_zero_point(call: Call) -> int:
    # A kernel_sum holds the zero point's part already.
    return 0 if not call.is_none("kernel_sum") else -call.integer("input_offset")


def _bias(call: Call, rows: int) -> np.ndarray | None:
    name = "bias" if call.is_none("kernel_sum") else "kernel_sum"
    if call.is_none(name):
        return np.zeros(rows, np.int64)
    bias = call.constant(name)
    return None if bias is None else bias.reshape(-1).astype(np.int64)


def _sums(call: Call, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return what each row's sum starts from and ends at, at most; None if one might not fit."""
    starts = _bias(call, len(weights))
    if starts is None:
        return None
    zero_point = _input_zero_point(call)
    # Sums wrap on the way, so only where they end matters.
    ends = weights.astype(np.int64)[:, :, None] * (-128 - zero_point, 127 - zero_point)
    most, least = ends.max(2).sum(1) + starts, ends.min(2).sum(1) + starts
    furthest = np.maximum(most, -least)
    return (starts, furthest) if furthest.max() < _MOST_SUM else None


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


def _pack_4x4(call: Call) -> bool:
    weights = _weights(call)
    columns = None if weights is None else _columns(call, weights)
    if weights is None or columns is None:
        return False
    padded = _filled(_filled(weights, 0, 4), 1, 4).reshape(-1, 4, weights.shape[1] + 3 >> 2, 4)
    pairs = padded.reshape(*padded.shape[:3], 2, 2)  # [..., k / 2 % 2, k % 2]
    if (pairs == -128).all(axis=-2).any():  # their sum has no room
        return False
    words = (pairs[..., ::-1, :].astype(np.int64) + 128).astype(np.uint8).reshape(padded.shape)
    laid = np.ascontiguousarray(words.transpose(0, 2, 1, 3)).view(np.int32)
    starts, multipliers, shifts = (_filled(each, 0, 4).reshape(-1, 4) for each in columns)
    groups = np.concatenate([starts, laid.reshape(len(laid), -1), multipliers, shifts], axis=1)
    _replace(call, "mcugen::packed_linear_4x4.out", _numbers(call, weights), groups, scratch=True)
    return True


def _pack_8x16(call: Call) -> bool:
    weights = _weights(call)
    columns = None if weights is None else _columns(call, weights)
    if weights is None or columns is None:
        return False
    inputs = weights.shape[1]
    first = (inputs - 1) % 16 + 1
    chunks = [_filled(weights[:, :first], 1, 16), weights[:, first:]]
    padded = _filled(np.concatenate(chunks, axis=1), 0, 8).reshape(-1, 8, inputs + 15 >> 4, 16)
    laid = np.ascontiguousarray(padded.transpose(0, 2, 1, 3)).view(np.int32)
    scalings = [_filled(each, 0, 8).reshape(-1, 4, 2).transpose(0, 2, 1) for each in columns]
    starts, multipliers, shifts = scalings
    groups = [each.reshape(len(laid), -1) for each in (starts, laid, multipliers, shifts)]
    by_group = np.concatenate(groups, axis=1)
    _replace(
        call, "mcugen::packed_linear_8x16.out", _numbers(call, weights), by_group, scratch=False
    )
    return True


def _numbers(call: Call, weights: np.ndarray) -> tuple[int, ...]:
    names = ("output_offset", "activation_min", "activation_max")
    return (len(weights), *(call.integer(name) for name in names))


def _columns(call: Call, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return where the sums of raw inputs start, multipliers and shifts; None if there is none."""
    bias, scalings = _bias(call, len(weights)), _scalings(call, len(weights))
    if bias is None or scalings is None:
        return None
    starts = bias - _input_zero_point(call) * weights.astype(np.int64).sum(1)
    multipliers, shifts = scalings
    wrapped = starts.astype(np.uint32).view(np.int32).astype(np.int64)
    return wrapped, np.where(shifts < -31, 0, multipliers), shifts.clip(-31)


def _filled(array: np.ndarray, axis: int, step: int) -> np.ndarray:
    """Return it with zeros behind the end of an axis, up to a multiple of `step`."""
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, -array.shape[axis] % step)
    return np.pad(array, widths)
