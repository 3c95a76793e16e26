# SPDX-License-Identifier: BSD-3-Clause
"""A model of your own, complete: which way do the stripes of a 16 x 16 image run?

    mcugen run docs/example_model.py:make --board qemu-m4

A factory takes no arguments and returns (module, example_inputs, calibration).
"""

from __future__ import annotations

import math

import torch
from torch import nn

SIZE = 16
DIRECTIONS = 3  # horizontal, vertical, diagonal


def images(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return float32[count, 1, 16, 16] in about [-1, 1], and the direction of each image."""
    random = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    position = torch.stack([y, x, (x + y) / math.sqrt(2)])  # along which the brightness changes
    labels = torch.randint(0, DIRECTIONS, (count,), generator=random)
    phase, noise = (
        torch.rand(count, 1, 1, generator=random),
        torch.rand(count, SIZE, SIZE, generator=random),
    )
    stripes = torch.sin(2 * math.pi * (position[labels] / 5 + phase))
    return (0.7 * stripes + 0.6 * (noise - 0.5)).unsqueeze(1), labels


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(4),
        nn.Flatten(),
        nn.Linear(16, DIRECTIONS),
    )


def make() -> tuple[nn.Module, tuple[torch.Tensor], list[torch.Tensor]]:
    """The factory. A real one would load weights here: network().load_state_dict(torch.load(…))."""
    torch.manual_seed(1)
    module = network()
    inputs, labels = images(512, seed=2)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(inputs), labels).backward()
        optimizer.step()
    # Calibration: real inputs, one sample each, with the batch axis. int8 ranges come from them.
    calibration = list(images(64, seed=3)[0].unsqueeze(1))
    return module.eval(), (torch.zeros(1, 1, SIZE, SIZE),), calibration
