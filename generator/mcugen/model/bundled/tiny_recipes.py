# SPDX-License-Identifier: BSD-3-Clause
"""How the MLPerf Tiny networks are trained on data that has to be downloaded. Needs torch.

The recipes are ours, and no figure is claimed for them: hubs could not be reached where they were
written, so they have been tried on made data only (`tests/torch/test_tiny_training.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from mcugen.model.bundled.training import Recipe
from mcugen.model.preprocess import FitLength, Mfcc, Normalize, Preprocess, Resize, Scale


@dataclass(frozen=True)
class TinyRecipe:
    """One of the networks of mlperf_tiny, and what it is trained on."""

    data: str  #: where nobody says
    preprocess: Preprocess
    recipe: Recipe
    #: The most samples, where nobody says: what memory holds of a set of millions.
    samples: int | None = None


def _shift_in_time(features: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Begin up to five frames (100 ms) earlier or later."""
    count, _, frames, coefficients = features.shape
    shift = torch.randint(-5, 6, (count, 1), generator=generator)
    order = (torch.arange(frames) + shift).clamp(0, frames - 1)
    return torch.gather(features, 2, order[:, None, :, None].expand(-1, 1, -1, coefficients))


def _move_and_mirror(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirror every other image, and move all of them by up to an eighth; edges are repeated."""
    count, _, height, width = images.shape
    mirrored = torch.rand(count, generator=generator) < 0.5
    images = torch.where(mirrored[:, None, None, None], images.flip(3), images)

    def places(size: int) -> torch.Tensor:
        shift = torch.randint(-(size // 8), size // 8 + 1, (count, 1), generator=generator)
        return (torch.arange(size) + shift).clamp(0, size - 1)

    rows = places(height)[:, None, :, None].expand(images.shape)
    columns = places(width)[:, None, None, :].expand(images.shape)
    return torch.gather(torch.gather(images, 2, rows), 3, columns)


_PIXELS = Scale(1 / 127.5, -1)
RECIPES = {
    "kws": TinyRecipe(
        "tfds:speech_commands",
        Preprocess(
            FitLength(16_000),
            Scale(1 / 32_768),  # 16-bit samples
            Mfcc(),
            Normalize((-20.0, *[0.0] * 9), (40.0, *[12.0] * 9)),
        ),
        Recipe(seed=1, epochs=30, batch=100, rate=5e-3, decay=1e-3, augment=_shift_in_time),
    ),
    "ic": TinyRecipe(
        "tfds:cifar10",
        Preprocess(_PIXELS),
        Recipe(seed=1, epochs=80, batch=64, rate=5e-3, decay=5e-3, augment=_move_and_mirror),
    ),
    "vww": TinyRecipe(
        "tfds:wake_vision",
        Preprocess(Resize(96, 96), _PIXELS),
        Recipe(seed=1, epochs=40, batch=64, rate=5e-3, decay=5e-3, augment=_move_and_mirror),
        samples=40_000,
    ),
}


def classes(module: nn.Module) -> int:
    """Return how many the last layer tells apart."""
    return [each for each in module.modules() if isinstance(each, nn.Linear)][-1].out_features
