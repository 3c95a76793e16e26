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
from firmware_faults import firmware_faults
from harness import HostProgram
from random_models import Drawn
from signal_to_noise import Measured, measure
from torch import nn

from mcugen.base.errors import LoweringError, QuantizationError, UnsupportedOperatorError

pytestmark = [pytest.mark.torch]

Count = Callable[[str, str, int, int], None]
#: Less is what int8 leaves of no small model of a few layers; what went wrong had 0 to 10.
LEAST = 12.0
TOGETHER = 6
#: Of the first 36 those that together take every step that these take.
SAMPLE = (2, 3, 5, 6, 12, 13, 14, 20, 22, 29, 33, 34)
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


class Found:
    """What came of models, by seed."""

    def __init__(self) -> None:
        self.faults: dict[int, str] = {}
        self.refused: dict[int, str] = {}


def examine(seeds: Sequence[int], found: Found, firmware: Callable[..., list[str]]) -> None:
    """Add what is wrong with models, and what is refused."""
    models = [Drawn(seed).eval() for seed in seeds]
    try:
        result = measured(models)
    except REFUSED as error:
        if len(seeds) == 1:
            found.refused[seeds[0]] = str(error)
            return
        for part in (seeds[: len(seeds) // 2], seeds[len(seeds) // 2 :]):
            examine(part, found, firmware)
        return
    for seed, model, figures in zip(seeds, models, result.outputs, strict=True):
        if fault := figures.faults(LEAST):
            found.faults[seed] = f"{model}: {fault}"
    for fault in firmware(result, [f"--model {seed}" for seed in seeds]):
        found.faults[seeds[0]] = fault


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    options = metafunc.config.option
    first = options.seed * 1_000_000
    if options.model is not None:
        seeds: Sequence[int] = [options.model]
    elif options.models is not None:
        seeds = range(first, first + options.models)
    else:
        seeds = [first + seed for seed in SAMPLE]
    groups = [list(seeds[at : at + TOGETHER]) for at in range(0, len(seeds), TOGETHER)]
    metafunc.parametrize("seeds", groups, ids=[str(group[0]) for group in groups])


def test_random_models_are_the_users(seeds: list[int], count: Count, our_host: HostProgram) -> None:
    found = Found()

    def firmware(result: Measured, names: list[str]) -> list[str]:
        what = "random models, firmware"
        return firmware_faults(result, "host", our_host, count, what, names)

    examine(seeds, found, firmware)

    faults, refused = found.faults, found.refused
    right = len(seeds) - len(faults) - len(refused)
    count("random models against PyTorch", "host reference", right, len(faults))
    count("random models refused", "host", len(refused), 0)
    assert not faults, "\n".join(f"--model {seed}: {fault}" for seed, fault in faults.items())
    assert len(refused) <= 2, "\n".join(f"{seed}: {words}" for seed, words in refused.items())
