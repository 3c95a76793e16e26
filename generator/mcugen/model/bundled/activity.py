# SPDX-License-Identifier: BSD-3-Clause
"""What somebody with a smart watch is doing: convolutions along time, on ten seconds of motion."""

from __future__ import annotations

import torch
from torch import nn

from mcugen.model.bundled.activity_data import preprocess
from mcugen.model.bundled.layers import separable_signal_convolution, signal_convolution
from mcugen.model.bundled.training import Recipe, Workload


class ActivityNet(nn.Module):
    """float32[1, 6, 100] in deviations to float32[1, 4] logits."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            signal_convolution(6, 8, 5, stride=2),
            *separable_signal_convolution(8, 16, 5, stride=2),
            *separable_signal_convolution(16, 16, 3),
        )
        self.pool = nn.AvgPool1d(25)
        self.classifier = nn.Linear(16, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of standing, running, walking and badminton."""
        return self.classifier(torch.flatten(self.pool(self.features(x)), 1))


def _augment(windows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Begin elsewhere in the window, move more or less, and add noise: 40 recordings are few."""
    count, _, steps = windows.shape
    begin = torch.randint(0, steps, (count, 1), generator=generator)
    order = ((torch.arange(steps) + begin) % steps)[:, None].expand_as(windows)
    strength = 1 + 0.2 * torch.randn(count, 1, 1, generator=generator)
    noise = 0.02 * torch.randn(windows.shape, generator=generator)
    return torch.gather(windows, 2, order) * strength + noise


WORKLOAD = Workload(
    name="activity",
    network=ActivityNet,
    input_shape=(1, 6, 100),
    preprocess=preprocess,
    recipe=Recipe(seed=1, epochs=60, batch=8, rate=1e-2, decay=1e-2, augment=_augment),
)
