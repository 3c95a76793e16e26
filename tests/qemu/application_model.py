# SPDX-License-Identifier: BSD-3-Clause
"""A model with two inputs and two named outputs, one of them by a word that C++ has taken."""

from __future__ import annotations

import torch


class Camera(torch.nn.Module):
    """An image and a vector to a map and to classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.linear = torch.nn.Linear(4, 5)

    def forward(self, image: torch.Tensor, light: torch.Tensor) -> dict[str, torch.Tensor]:
        """image [1, 3, 6, 5], light [1, 4]."""
        found = torch.relu(self.conv(image))
        return {"map": found, "class": self.linear(found.mean((2, 3)) + light)}


def make():
    """Return the module, its example inputs, and samples."""
    torch.manual_seed(0)
    samples = [(torch.rand(1, 3, 6, 5), torch.rand(1, 4)) for _ in range(16)]
    return Camera().eval(), samples[0], samples
