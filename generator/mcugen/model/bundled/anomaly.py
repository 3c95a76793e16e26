# SPDX-License-Identifier: BSD-3-Clause
"""Whether a heart beats as it did: an autoencoder that has seen normal beats only.

What it cannot reproduce is unlike what it has seen: the mean squared error is the score.
"""

from __future__ import annotations

import torch
from torch import nn

from mcugen.model.bundled.anomaly_data import preprocess
from mcugen.model.bundled.training import Recipe, Workload

_STEPS = 128


class AnomalyNet(nn.Module):
    """float32[1, 128] in deviations to its reproduction; 27 k parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(_STEPS, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 12)
        )
        self.decoder = nn.Sequential(
            nn.Linear(12, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, _STEPS)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the window as twelve numbers can tell it."""
        return self.decoder(self.encoder(x))


def _augment(windows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw the beats larger or smaller, and move the baseline."""
    size = 1 + 0.1 * torch.randn(len(windows), 1, generator=generator)
    return windows * size + 0.1 * torch.randn(len(windows), 1, generator=generator)


WORKLOAD = Workload(
    name="anomaly",
    network=AnomalyNet,
    input_shape=(1, _STEPS),
    preprocess=preprocess,
    recipe=Recipe(
        seed=1,
        epochs=120,
        batch=64,
        rate=5e-3,
        decay=1e-3,
        augment=_augment,
        reproduce=True,
    ),
)
