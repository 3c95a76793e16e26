# SPDX-License-Identifier: BSD-3-Clause
"""Models as people write them give what they give in PyTorch, but for what int8 costs."""

from __future__ import annotations

import pytest
from plain_models import MODELS, Model, Together
from signal_to_noise import measure

#: dB that int8 leaves of small random models; what went wrong had 0 to 20.
LEAST = 25.0

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("kind", dict.fromkeys(model.kind for model in MODELS.values()))
def test_lowered_model_is_the_users(kind: str) -> None:
    models = {name: model for name, model in MODELS.items() if model.kind == kind}

    faults = faults_of(models)

    assert not faults, "\n".join(faults)


def faults_of(models: dict[str, Model]) -> list[str]:
    module = Together(models.values())
    figures = measure(module, module.rows(6, 1), module.rows(4, 2)).outputs
    found = zip(models, (each.faults(LEAST) for each in figures), strict=True)
    return [f"{name}: {fault}" for name, fault in found if fault]
