# SPDX-License-Identifier: BSD-3-Clause
"""A small CNN for handwritten digits: trained here, on real data, in seconds.

Training is deterministic on one machine (seeds, deterministic algorithms, one thread); the weights
are cached by the hash of this file, of the dataset and of the versions that can change them.
"""

from __future__ import annotations

import torch
from torch import nn

from mcugen.base import cache
from mcugen.model.bundled import training
from mcugen.model.bundled.digits_data import DATASET, preprocess
from mcugen.model.bundled.training import Progress, Recipe
from mcugen.model.data import load_tfds

#: Files that decide the weights.
SOURCES = (
    "model/bundled/digits.py",
    "model/bundled/digits_data.py",
    "model/bundled/training.py",
    "model/datasets/digits8/digits8_dataset_builder.py",
)


class DigitsNet(nn.Module):
    """float32[1, 1, 8, 8] in [-1, 1] to float32[1, 10] logits; 91 k multiply-accumulates."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        )
        self.block1 = _separable(16, 32)
        self.pool1 = nn.MaxPool2d(2)
        self.block2 = _separable(32, 64)
        self.pool2 = nn.AvgPool2d(2)
        self.classifier = nn.Linear(64 * 2 * 2, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of digits 0 to 9."""
        x = self.pool1(self.block1(self.stem(x)))
        x = self.pool2(self.block2(x))
        return self.classifier(torch.flatten(x, 1))


def _separable(in_ch: int, out_ch: int) -> nn.Sequential:
    """A depthwise 3 x 3 and a pointwise convolution, each with batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_ch, in_ch, 3, padding=1, groups=in_ch, bias=False),
        nn.BatchNorm2d(in_ch),
        nn.ReLU(),
        nn.Conv2d(in_ch, out_ch, 1, bias=False),
        nn.BatchNorm2d(out_ch),
        nn.ReLU(),
    )


def build(progress: Progress | None = None) -> DigitsNet:
    """Return the trained network in eval mode, from the cache or trained now."""
    model = DigitsNet()
    key = weights_key()
    files = cache.load("weights", key)
    state = training.unpack(files["weights.npz"], model) if files else None
    if state is None:
        train(model, progress)
        cache.store("weights", key, {"weights.npz": training.pack(model)})
    else:
        model.load_state_dict(state)
    return model.eval()


def weights_key() -> str:
    """Return the cache key of the trained weights."""
    return cache.make_key(
        what="digits weights",
        source=cache.source_hash(SOURCES),
        versions=cache.package_versions(("torch", "scikit-learn", "numpy")),
    )


def train(model: DigitsNet, progress: Progress | None = None, *, epochs: int | None = None) -> None:
    """Train `model` in place on the train split: the same weights each time on one machine."""
    samples = load_tfds(DATASET, "train")
    assert samples.labels is not None
    inputs = torch.from_numpy(preprocess(samples.inputs))
    labels = torch.from_numpy(samples.labels)
    training.train(
        model,
        inputs,
        labels,
        RECIPE,
        epochs=epochs,
        progress=progress,
        what="training digits",
    )


def _shifted(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Move each image by -1, 0 or 1 pixel along each axis; what moves in is background (-1)."""
    count, _, height, width = images.shape
    padded = nn.functional.pad(images, (1, 1, 1, 1), value=-1.0)
    offset = torch.randint(0, 3, (2, count), generator=generator)
    rows = (offset[0, :, None] + torch.arange(height))[:, None, :, None]
    columns = (offset[1, :, None] + torch.arange(width))[:, None, None, :]
    samples = torch.arange(count)[:, None, None, None]
    return padded[samples, 0, rows, columns]


RECIPE = Recipe(seed=20, epochs=40, batch=32, rate=1e-2, decay=1e-2, augment=_shifted)
