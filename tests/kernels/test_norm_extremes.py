# SPDX-License-Identifier: BSD-3-Clause
"""Norms of very many elements, and of numbers at their ends, under the sanitizers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from op_host import NHWC, OpHost, T

pytestmark = pytest.mark.torch

LARGEST = 1 << 22
ENDS = (-(1 << 31), (1 << 31) - 1)


def as_reference(name: str, arguments: list[Any]) -> np.ndarray:
    import torch

    from mcugen.program.reference import norms

    given = [torch.from_numpy(each.array) if isinstance(each, T) else each for each in arguments]
    return np.asarray(getattr(norms, f"quantized_{name}")(*given))


def rows_of(kind: str, count: int) -> np.ndarray:
    values = np.full(count, -128, np.int8)
    if kind == "halves":
        values[: count // 2] = 127
    elif kind == "one other":
        values[count // 3] = 127
    elif kind == "random":
        values = np.random.default_rng(count).integers(-128, 128, count).astype(np.int8)
    return values


@pytest.mark.parametrize("kind", ["equal", "halves", "one other", "random"])
@pytest.mark.parametrize("count", [1, 2, 3, 64 * 64 * 32])
def test_layer_norm(host: OpHost, count: int, kind: str) -> None:
    """One factor and one term for all, both at their ends, and an epsilon at its."""
    most = 23 - (count - 1).bit_length()
    x = T(rows_of(kind, count))
    out = T(np.zeros(count, np.int8))
    for subtract_mean in (True, False):
        for epsilon, bits in ((0, most), (1 << 62, most), (1, -16), (0, -16)):
            for weight, shift in ((ENDS[0], 0), (ENDS[1], 30), (20 << 20, 20)):
                parameters = (T(np.array([each], np.int32)) for each in (weight, ENDS[0]))
                arguments = [x, *parameters, 1, subtract_mean, 127, epsilon, bits, shift]
                arguments += [0, -128, 127]

                reply = host.call("mcugen::quantized_layer_norm.out", *arguments, out)

                assert np.array_equal(reply, as_reference("layer_norm", arguments))


@pytest.mark.parametrize("kind", ["halves", "one other"])
@pytest.mark.parametrize("subtract_mean", [True, False])
def test_the_most_elements(host: OpHost, kind: str, subtract_mean: bool) -> None:
    """All sums are as large as they can be, without the mean most of all."""
    parameters = (T(np.array([each], np.int32)) for each in ENDS)
    arguments = [T(rows_of(kind, LARGEST)), *parameters, 1, subtract_mean, 127, 1 << 62, 1, 0]
    arguments += [0, -128, 127]

    out = T(np.zeros(LARGEST, np.int8))
    reply = host.call("mcugen::quantized_layer_norm.out", *arguments, out)

    assert np.array_equal(reply, as_reference("layer_norm", arguments))


@pytest.mark.parametrize("groups", [1, 4, 32])
def test_group_norm_of_a_large_image(host: OpHost, groups: int) -> None:
    shape = (1, 32, 64, 64)
    x = T(rows_of("random", 64 * 64 * 32).reshape(shape), NHWC)
    parameters = (T(np.arange(32, dtype=np.int32) << 18) for _ in range(2))
    arguments = [x, *parameters, groups, 1 << 40, 2, 18, -5, -100, 100]

    out = T(np.zeros(shape, np.int8), NHWC)
    reply = host.call("mcugen::quantized_group_norm.out", *arguments, out)

    assert np.array_equal(reply, as_reference("group_norm", arguments))
