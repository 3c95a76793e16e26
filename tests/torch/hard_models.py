# SPDX-License-Identifier: BSD-3-Clause
"""Models that int8 ruins, at a layer that is known."""

from __future__ import annotations

import torch
from torch import nn


class Small(nn.Module):
    """Three convolutions and a linear layer; nothing hard yet."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.stem = nn.Conv2d(1, 8, 3, padding=1)
        self.hard = nn.Conv2d(8, 8, 3, padding=1)
        self.mid = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8 * 16, 10)
        self.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores: float32[n, 10] of images float32[n, 1, 8, 8]."""
        x = torch.relu(self.stem(x))
        x = torch.relu(self.hard(x))
        x = torch.relu(self.mid(x))
        return self.head(nn.functional.avg_pool2d(x, 2).flatten(1))


def with_large_channel(model: Small, factor: float = 1000.0) -> Small:
    """Return the same function, with a channel of `hard` that is `factor` x as large."""
    with torch.no_grad():
        model.hard.weight[5] *= factor
        model.hard.bias[5] *= factor
        model.mid.weight[:, 5] /= factor
    return model


def with_outliers(model: Small, largest: float = 300.0, share: float = 0.002) -> Small:
    """Return a model whose `hard` gives some few values up to `largest`, which `mid` ignores."""
    with torch.no_grad():
        x = model.hard(torch.relu(model.stem(torch.cat(images(64)))))[:, 7]
        limit = x.quantile(1 - share)
        factor = largest / (x.max() - limit)
        model.hard.weight[7] *= factor
        model.hard.bias[7] = (model.hard.bias[7] - limit) * factor
        model.mid.weight[:, 7] = 0
    return model


def images(count: int, seed: int = 1) -> list[torch.Tensor]:
    """Return inputs of one image each."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(1, 1, 8, 8, generator=generator) for _ in range(count)]
