# SPDX-License-Identifier: BSD-3-Clause
"""Models as people write them give what they give in PyTorch, but for what int8 costs."""

from __future__ import annotations

import pytest
from int8_models import INT8_MODELS
from plain_models import MODELS, Model, Together
from signal_to_noise import Measured, measure

#: dB that int8 leaves of small random models; what went wrong had 0 to 20.
LEAST = 25.0
#: A number within a step of what it is compared with may fall to the other side; wrong had 1.
LEAST_OF = {"compare": 15.0}

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("kind", dict.fromkeys(model.kind for model in MODELS.values()))
def test_lowered_model_is_the_users(kind: str) -> None:
    models = {name: model for name, model in MODELS.items() if model.kind == kind}

    faults = faults_of(measured_of(models), models)

    assert not faults, "\n".join(faults)


def measured_of(models: dict[str, Model]) -> Measured:
    module = Together(models.values())
    return measure(module, module.rows(64, 1), module.rows(8, 2))


def faults_of(measured: Measured, models: dict[str, Model]) -> list[str]:
    return [
        f"{name}: {fault}"
        for (name, model), figures in zip(models.items(), measured.outputs, strict=True)
        if (fault := figures.faults(LEAST_OF.get(model.kind, LEAST)))
    ]


@pytest.mark.parametrize("kind", sorted({model.kind for model in INT8_MODELS.values()}))
def test_all_of_it_runs_in_int8(kind: str) -> None:
    models = {name: model for name, model in INT8_MODELS.items() if model.kind == kind}

    measured = measured_of(models)

    assert not faults_of(measured, models)
    assert not [each for each in measured.report.fallbacks if "quantize_per" not in each.operator]
