# SPDX-License-Identifier: BSD-3-Clause
"""Weights transformed for Winograd's F(4x4, 3x3) against the convolution that they are of."""

from __future__ import annotations

import numpy as np
import pytest

from mcugen.program.packing.winograd4 import SCALING_WORDS, winograd4_words
from mcugen.program.reference.winograd4 import by_winograd_4


def layer(rng: np.random.Generator, **other: object) -> dict:
    """Return a layer that can be transformed, but for `other`."""
    in_ch, out_ch = 4 * int(rng.integers(1, 5)), 2 * int(rng.integers(1, 5))
    made = {
        "weights": rng.integers(-128, 128, (out_ch, 3, 3, in_ch)).astype(np.int8),
        "bias": rng.integers(-20_000, 20_000, out_ch),
        "multipliers": rng.integers(1 << 30, 1 << 31, out_ch),
        "shifts": -rng.integers(8, 12, out_ch),
        "input_zero_point": int(rng.integers(-128, 128)),
        "output_zero_point": int(rng.choice([-128, 127, rng.integers(-128, 128)])),
        "exact": True,
    }
    return made | other


def convolved(layer: dict, image: np.ndarray, padding: tuple[int, int]) -> np.ndarray:
    """Return the results of the plain convolution, not limited."""
    sides = ((0, 0), *((pad, pad) for pad in padding), (0, 0))
    padded = np.pad(image.astype(np.int64) - layer["input_zero_point"], sides)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
    sums = np.einsum("byxcrs,orsc->byxo", windows, layer["weights"].astype(np.int64))
    sums += layer["bias"]
    high = (sums * layer["multipliers"] + (1 << 30)) >> 31
    right = -layer["shifts"]
    rounded = (high + (high >> 63) + (np.int64(1) << (right - 1))) >> right
    return rounded + layer["output_zero_point"]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("exact", [False, True])
def test_results_are_those_of_the_convolution(seed: int, exact: bool) -> None:
    """Of any image size and padding; not exact: but for what is below the zero point."""
    rng = np.random.default_rng(seed)
    # Every second one has extremes only.
    made = layer(rng, exact=exact)
    image = rng.integers(-128, 128, (2, *rng.integers(3, 13, 2), made["weights"].shape[3]))
    if seed % 2:
        made["weights"] = np.where(made["weights"] < 0, -128, 127).astype(np.int8)
        image = np.where(image < 0, -128, 127)
        made["shifts"][:] = -11
    padding = tuple(int(each) for each in rng.integers(0, 3, 2))

    words = winograd4_words(**made)

    assert words is not None
    assert words.shape[1] == 36 * image.shape[3] + SCALING_WORDS
    results = by_winograd_4(image, words, padding, made["input_zero_point"])
    least = -128 if exact else made["output_zero_point"]
    wanted = convolved(made, image, padding)
    assert np.array_equal(results.clip(least, 127), wanted.clip(least, 127))


@pytest.mark.parametrize(
    "other",
    [
        {"shifts": np.array([-8, 0])},
        {"multipliers": np.array([1 << 30, -1])},
        {"shifts": np.array([-8, -12])},
        {"bias": np.array([1 << 22, 0]), "shifts": np.array([-8, -8])},
    ],
    ids=["not to the right", "negative", "too far to the right", "sum too large"],
)
def test_a_layer_that_might_not_be_exact_is_refused(other: dict) -> None:
    """What the loop cannot rescale stays as it is."""
    rng = np.random.default_rng(1)
    plain = {
        "weights": rng.integers(-20, 20, (2, 3, 3, 4)),
        "bias": np.array([5, -9]),
        "multipliers": np.array([1 << 30, 1 << 30]),
        "shifts": np.array([-8, -9]),
    }

    assert winograd4_words(**layer(rng, **plain)) is not None
    assert winograd4_words(**layer(rng, **(plain | other))) is None


def test_a_channel_of_which_nothing_is_left_is_the_zero_point() -> None:
    """Exporters give (nearly) zero weights a shift far to the right."""
    rng = np.random.default_rng(2)
    weights = rng.integers(-128, 128, (2, 3, 3, 4))
    weights[1] = 0
    made = layer(
        rng, weights=weights, bias=np.array([3, -1]), multipliers=np.array([1 << 30, 1 << 30])
    )
    made["shifts"] = np.array([-9, -45])
    words = winograd4_words(**made)

    assert words is not None
    image = rng.integers(-128, 128, (1, 5, 6, 4))
    results = by_winograd_4(image, words, (1, 1), made["input_zero_point"])
    assert (results[..., 1] == made["output_zero_point"]).all()
    assert np.array_equal(results, convolved(made, image, (1, 1)))
