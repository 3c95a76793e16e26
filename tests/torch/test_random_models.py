# SPDX-License-Identifier: BSD-3-Clause
"""Whole models drawn by a seed: each is refused in words, or the device computes the user's.

Within 1 dB of what the quantized graph has against the float module, on held-out inputs. `--models
N` tries N of them, `--seed` others, `--model SEED` one alone. Several are lowered as one model, an
output each: an export costs seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from random_models import Drawn
from signal_to_noise import Measured, measure
from torch import nn

from mcugen.base.errors import LoweringError, QuantizationError, UnsupportedOperatorError

pytestmark = pytest.mark.torch

#: Less is what int8 leaves of no small model of a few layers; what went wrong had 0 to 10.
LEAST = 12.0
TOGETHER = 6
CALIBRATION, HELD_OUT = 32, 16
#: Refused with words of our own, which tests/torch/test_refusals.py reads.
REFUSED = (QuantizationError, LoweringError, UnsupportedOperatorError)


class SideBySide(nn.Module):
    """Models with an input each."""

    def __init__(self, models: Sequence[Drawn]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(model(x) for model, x in zip(self.models, inputs, strict=True))


def measured(models: Sequence[Drawn]) -> Measured:
    generator = torch.Generator().manual_seed(1)
    rows = [
        tuple(torch.randn(model.shape, generator=generator) * 0.7 for model in models)
        for _ in range(CALIBRATION + HELD_OUT)
    ]
    return measure(SideBySide(models), rows[:CALIBRATION], rows[CALIBRATION:])


def faults_of(seeds: Sequence[int]) -> tuple[dict[int, str], dict[int, str]]:
    """Return what is wrong with models, and what is refused, by seed."""
    models = [Drawn(seed).eval() for seed in seeds]
    try:
        figures = measured(models).outputs
    except REFUSED as error:
        if len(seeds) == 1:
            return {}, {seeds[0]: str(error)}
        found = [faults_of(part) for part in (seeds[: len(seeds) // 2], seeds[len(seeds) // 2 :])]
        return {**found[0][0], **found[1][0]}, {**found[0][1], **found[1][1]}
    faults = {
        seed: f"{model}: {fault}"
        for seed, model, each in zip(seeds, models, figures, strict=True)
        if (fault := each.faults(LEAST))
    }
    return faults, {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    options = metafunc.config.option
    first = options.seed * 1_000_000
    seeds = [options.model] if options.model is not None else range(first, first + options.models)
    groups = [list(seeds[at : at + TOGETHER]) for at in range(0, len(seeds), TOGETHER)]
    metafunc.parametrize("seeds", groups, ids=[str(group[0]) for group in groups])


def test_random_models_are_the_users(
    seeds: list[int], count: Callable[[str, str, int, int], None]
) -> None:
    faults, refused = faults_of(seeds)

    count("random models", "host reference", len(seeds) - len(faults) - len(refused), len(faults))
    count("random models refused", "host", len(refused), 0)
    assert not faults, "\n".join(f"--model {seed}: {fault}" for seed, fault in faults.items())
    assert len(refused) <= 2, "\n".join(f"{seed}: {words}" for seed, words in refused.items())
