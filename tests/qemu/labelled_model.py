# SPDX-License-Identifier: BSD-3-Clause
"""A small classifier with labelled data of its own: in which third of an image is it brighter?"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

CLASSES = ("bottom", "middle", "top")  # in the order of their names, as folders are
SAMPLES = 300


def images(count: int = SAMPLES, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8[count, 8, 8], noisy enough to be mistaken for others, and their classes."""
    random = np.random.RandomState(seed)
    labels = random.randint(0, len(CLASSES), count)
    pixels = random.rand(count, 8, 8) * 0.8
    for image, label in zip(pixels, labels, strict=True):
        rows = 3 * (2 - label)
        image[rows : rows + 3] += 0.12
    return (np.clip(pixels, 0, 1) * 255).astype(np.uint8), labels


class Images(torch.utils.data.Dataset):
    """(image, class), as torchvision's data sets are."""

    classes = CLASSES

    def __init__(self) -> None:
        self.images, self.labels = images()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(self.images[index]).unsqueeze(0) / 255, int(self.labels[index])


def make() -> SimpleNamespace:
    torch.manual_seed(1)
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, len(CLASSES)))
    pixels, labels = images(400, seed=2)
    inputs, wanted = torch.from_numpy(pixels).unsqueeze(1) / 255, torch.from_numpy(labels)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(inputs), wanted).backward()
        optimizer.step()
    return SimpleNamespace(
        module=module.eval(),
        example_inputs=(torch.zeros(1, 1, 8, 8),),
        calibration=inputs[:64],
        evaluation=Images(),
    )
