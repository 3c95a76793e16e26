# SPDX-License-Identifier: BSD-3-Clause
"""Layer, group, instance and RMS norm give what they give in PyTorch, in int8 alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from norm_models import NORM_MODELS
from plain_models import Together
from signal_to_noise import measure

from mcugen.export.passes.norms import epsilon_of
from mcugen.program.norm_limits import LEAST_SPREAD_BITS, MOST_EPSILON, most_spread_bits
from mcugen.program.reference.norms import quantized_group_norm, quantized_layer_norm

pytestmark = pytest.mark.torch

#: dB that are left against the float module. Most have 35 to 45.
LEAST = 30.0
#: Calls of each kind's models.
CALLS = {
    "layer norm": {"layer": 16},
    "group norm": {"group": 9},  # statistics of training are a batch norm's
    "transformer": {"layer": 2 + 4},
}


@pytest.mark.parametrize("kind", CALLS)
def test_norms_run_in_int8(kind: str) -> None:
    models = {name: model for name, model in NORM_MODELS.items() if model.kind == kind}
    module = Together(models.values())

    measured = measure(module, module.rows(64, 1), module.rows(8, 2))

    names = [name for name, model in models.items() for _ in range(1 + ("weights" in name))]
    faults = {
        name: fault
        for name, figures in zip(names, measured.outputs, strict=True)
        if (fault := figures.faults(LEAST))
    }
    assert not faults
    assert not [each for each in measured.report.fallbacks if "quantize_per" not in each.operator]
    calls = Counter({use.name: use.calls for use in measured.artifact.operators})
    for which in ("layer", "group"):
        assert calls[f"mcugen::quantized_{which}_norm.out"] == CALLS[kind].get(which, 0)


def int32(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.int32))


@pytest.mark.parametrize("count", [1, 2, 3, 8, 100, 4097])
@pytest.mark.parametrize("eps", [0.0, 1e-7, 1e-3, 1.0, 300.0, 1e6])
@pytest.mark.parametrize("subtract_mean", [True, False])
def test_the_integers_round_what_reals_give(count: int, eps: float, subtract_mean: bool) -> None:
    """Of int8 inputs with the scale 1; the output's scale is a tenth."""
    rng = np.random.default_rng(count)
    spread = np.array([0.4, 1, 5, 40, 200])[:, None]
    rows = (rng.normal(0, 1, (40, count)) * np.repeat(spread, 8, 0)).round() + 11
    rows = rows.clip(-128, 127).astype(np.int8)
    zero_point = -7
    weight, bias = rng.normal(0, 8, count), rng.normal(0, 30, count)
    centred = rows.astype(float) - (rows.mean(1, keepdims=True) if subtract_mean else zero_point)
    with np.errstate(invalid="ignore"):
        z = centred / np.sqrt((centred**2).mean(1, keepdims=True) + eps)
    want = (np.nan_to_num(z) * weight + bias + 5).clip(-128, 127)
    epsilon, bits = epsilon_of(count, eps)

    got = quantized_layer_norm(
        torch.from_numpy(rows),
        int32(weight * 2**20),
        int32(bias * 2**20),
        1,
        subtract_mean,
        zero_point,
        *(epsilon, bits, 20, 5, -128, 127),
    ).numpy()

    # Rounded to nearest, but for what is nearer to a half than the fixed point is fine.
    assert np.abs(got - want).max() < 0.5 + 1e-4


def test_groups_are_neighbouring_channels() -> None:
    """Against torch, in float."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(-128, 128, (2, 6, 3, 5), generator=generator, dtype=torch.int8)
    weight, bias = torch.rand(6, generator=generator) * 20, torch.rand(6, generator=generator) * 9
    want = torch.nn.functional.group_norm(x.float(), 3, weight, bias, 2.0)
    epsilon, bits = epsilon_of(2 * 3 * 5, 2.0)
    parameters = (int32(each.numpy() * 2**20) for each in (weight, bias))

    got = quantized_group_norm(x, *parameters, 3, epsilon, bits, 20, 0, -128, 127)

    assert (got - want).abs().max() < 0.5 + 1e-4


@pytest.mark.parametrize("value", [-128, -1, 0, 127])
@pytest.mark.parametrize("eps", [0.0, 1e-9, 10.0])
def test_equal_elements_give_the_bias(value: int, eps: float) -> None:
    """Whatever is beside the bias: a tiny deviation would be a large factor."""
    rows = torch.full((3, 7), value, dtype=torch.int8)
    bias = np.arange(-3, 4) * 4 + 0.499
    epsilon, bits = epsilon_of(7, eps)
    parameters = (int32(np.full(7, 2**31 - 1)), int32(bias * 2**20))

    got = quantized_layer_norm(rows, *parameters, 1, True, 0, epsilon, bits, 20, 1, -128, 127)

    assert got.tolist() == [[int(each) for each in np.round(bias) + 1]] * 3


@pytest.mark.parametrize("count", [1, 2, 3, 1000, 131_072, 1 << 22])
@pytest.mark.parametrize("eps", [0.0, 1e-30, 1e-6, 1.0, 1e5, 1e12, 1e30])
def test_epsilon_is_as_fine_as_there_is_room(count: int, eps: float) -> None:
    epsilon, bits = epsilon_of(count, eps)

    assert LEAST_SPREAD_BITS <= bits <= most_spread_bits(count)
    assert 0 <= epsilon <= MOST_EPSILON
    assert 255**2 * count**2 * 4.0**bits + epsilon < 2**63
    # To a part in 2**16 of the smallest spread there is, or of itself.
    real = count**2 * eps
    if real < 2**94:
        error = abs(epsilon / 4.0**bits - real)
        assert error <= max(max(count - 1, 1) / 2**16, real * 2**-40) or bits < 0
