# SPDX-License-Identifier: BSD-3-Clause
"""Handwritten digits of 28 x 28 pixels: a small CNN on MNIST's images."""

from __future__ import annotations

import torch
from torch import nn

from mcugen.model.bundled.layers import image_convolution, separable_image_convolution
from mcugen.model.bundled.mnist_data import preprocess
from mcugen.model.bundled.training import Recipe, Workload


class MnistNet(nn.Module):
    """float32[1, 1, 28, 28] in [-1, 1] to float32[1, 10] logits; 13 k parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            image_convolution(1, 12, 3),
            nn.MaxPool2d(2),
            image_convolution(12, 24, 3),
            nn.MaxPool2d(2),
            *separable_image_convolution(24, 48, 3),
            *separable_image_convolution(48, 64, 3),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Linear(64 * 3 * 3, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of digits 0 to 9."""
        return self.classifier(torch.flatten(self.features(x), 1))


def _augment(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Turn, scale, slant and move each image a little; what moves in is background (-1)."""
    count = len(images)

    def drawn(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    angle, scale, slant = drawn(-0.2, 0.2), drawn(0.9, 1.12), drawn(-0.15, 0.15)
    sine, cosine = scale * angle.sin(), scale * angle.cos()
    rows = (
        torch.stack([cosine, slant - sine, drawn(-0.12, 0.12)], 1),
        torch.stack([sine, cosine, drawn(-0.12, 0.12)], 1),
    )
    grid = nn.functional.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return nn.functional.grid_sample(images + 1, grid, align_corners=False) - 1


WORKLOAD = Workload(
    name="mnist",
    network=MnistNet,
    input_shape=(1, 1, 28, 28),
    preprocess=preprocess,
    recipe=Recipe(seed=1, epochs=25, batch=32, rate=6e-3, decay=2e-2, augment=_augment),
)
