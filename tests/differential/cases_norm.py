# SPDX-License-Identifier: BSD-3-Clause
"""Random calls of `mcugen::quantized_layer_norm` and `quantized_group_norm`; integers: exact."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from op_case import OpCase, Out, T

NHWC = (0, 2, 3, 1)
MOST_EPSILON = 1 << 62


def cases(rng: np.random.Generator) -> Iterator[OpCase]:
    """Yield calls without end, each operator in turn."""
    while True:
        yield _layer(rng)
        yield _group(rng)


def _int(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _values(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Whole range, its ends alone, around a mean with little or no spread, or one that differs."""
    kind = _int(rng, 0, 5)
    if kind == 0:
        return rng.choice(np.array([-128, 127], np.int8), shape)
    if kind == 1:
        return np.full(shape, _int(rng, -128, 127), np.int8)
    if kind == 2:
        return rng.integers(0, 2, shape).astype(np.int8) + np.int8(_int(rng, -128, 126))
    if kind == 3:
        values = np.full(shape, _int(rng, -128, 127), np.int8)
        values.reshape(-1)[_int(rng, 0, values.size - 1)] = _int(rng, -128, 127)
        return values
    if kind == 4:
        wide = rng.normal(_int(rng, -90, 90), rng.uniform(1, 60), shape)
        return wide.round().clip(-128, 127).astype(np.int8)
    return rng.integers(-128, 128, shape).astype(np.int8)


def _numbers(rng: np.random.Generator, count: int, channels: int) -> tuple[T, T, tuple[int, ...]]:
    """Return weight, bias, and the numbers at the end of the schema."""
    entries = 1 if rng.random() < 0.2 else channels
    most = 23 - (count - 1).bit_length()
    low, high = -128, 127
    if rng.random() < 0.4:
        low, high = sorted((_int(rng, -128, 127), _int(rng, -128, 127)))
    if rng.random() < 0.2:  # any number, as a damaged file has
        parameters = rng.integers(-(1 << 31), 1 << 31, (2, entries)).astype(np.int32)
        ends = rng.choice(np.array([-(1 << 31), (1 << 31) - 1], np.int32), (2, entries))
        parameters = np.where(rng.random((2, entries)) < 0.2, ends, parameters)
        shift, bits = _int(rng, 0, 30), _int(rng, -16, most)
        epsilon = [0, 1, MOST_EPSILON, _int(rng, 0, MOST_EPSILON)][_int(rng, 0, 3)]
    else:
        shift, bits = _int(rng, 15, 24), most
        scale = rng.uniform(15, 60) * 2.0**shift
        parameters = (rng.normal(1, 0.4, (2, entries)) * scale).clip(-(2**31), 2**31 - 1)
        # Next to nothing beside a spread, about one, or all there is.
        epsilon = round(count**2 * 4.0**bits * 10 ** rng.uniform(-9, 4))
        epsilon = min(epsilon, MOST_EPSILON) if rng.random() < 0.9 else 0
    weight, bias = (T(each.astype(np.int32)) for each in parameters)
    return weight, bias, (epsilon, bits, shift, _int(rng, -128, 127), low, high)


def _layer(rng: np.random.Generator) -> OpCase:
    rank = _int(rng, 1, 4)
    axes = _int(rng, 1, min(rank, 3))
    most = 300 if axes == 1 else 12
    shape = tuple(_int(rng, 1, most if axis >= rank - axes else 4) for axis in range(rank))
    count = math.prod(shape[rank - axes :])
    weight, bias, numbers = _numbers(rng, count, count)
    own = (axes, bool(rng.random() < 0.7), _int(rng, -128, 127))
    args = (T(_values(rng, *shape)), weight, bias, *own, *numbers)
    return OpCase("mcugen::quantized_layer_norm.out", args, (Out("int8", shape),))


def _group(rng: np.random.Generator) -> OpCase:
    groups, per_group = _int(rng, 1, 5), _int(rng, 1, 4)
    shape = (_int(rng, 1, 2), groups * per_group, _int(rng, 1, 12), _int(rng, 1, 12))
    count = per_group * shape[2] * shape[3]
    weight, bias, numbers = _numbers(rng, count, shape[1])
    args = (T(_values(rng, *shape), NHWC), weight, bias, groups, *numbers)
    return OpCase("mcugen::quantized_group_norm.out", args, (Out("int8", shape, NHWC),))
