# SPDX-License-Identifier: BSD-3-Clause
"""Steps on values and axes: scale, normalize, channels_first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.steps.step import Step


@dataclass(frozen=True)
class Scale(Step):
    """float32: sample * scale + offset, in this order."""

    name = "scale"
    scale: float = 1.0
    offset: float = 0.0

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return float32 of the same shape."""
        values = sample.astype(np.float32) * np.float32(self.scale)
        return np.asarray(values + np.float32(self.offset))


@dataclass(frozen=True)
class Normalize(Step):
    """float32: (sample - mean) / std, by channel.

    Channels are the last axis, as data are stored: [height, width, channels], [length, channels].
    One number for mean or std is that of every channel. Unlike torchvision's ToTensor, this does
    not divide bytes by 255: let a `scale` of 1/255 go before it.
    """

    name = "normalize"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        """Raise ConfigError for deviations that are no divisors."""
        if not self.mean or not self.std:
            raise ConfigError("normalize: mean and std need a number each, or one per channel")
        if not all(value > 0 for value in self.std):
            raise ConfigError(f"normalize: std must be greater than 0, not {list(self.std)}")
        if 1 < len(self.mean) != len(self.std) > 1:
            raise ConfigError(
                f"normalize: {len(self.mean)} numbers in mean, {len(self.std)} in std"
            )

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return float32 of the same shape."""
        many = max(len(self.mean), len(self.std))
        if many > 1 and (sample.ndim == 0 or sample.shape[-1] != many):
            raise ConfigError(f"mean and std are of {many} channels, which are the last axis")
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        return np.asarray((sample.astype(np.float32) - mean) / std)


@dataclass(frozen=True)
class ChannelsFirst(Step):
    """The last axis becomes the first: [height, width, channels] to [channels, height, width].

    Only needed where a sample's shape does not tell: otherwise this is done by the model's shape.
    """

    name = "channels_first"

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return the sample with its axes in the other order."""
        if sample.ndim < 2:
            raise ConfigError("it has one axis: no channels")
        return np.moveaxis(sample, -1, 0)
