# SPDX-License-Identifier: BSD-3-Clause
"""Steps on images, [height, width] or [height, width, channels]: resize, centre_crop, grey, rgb.

Bytes stay bytes, so that what follows (a scale of 1/255, say) is the same with or without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcugen.base.errors import ConfigError, ToolMissingError
from mcugen.model.steps.step import Step, at_least, one_of

#: Rec. 601 luma in 16 bits, as Pillow's "L": 0.299 R + 0.587 G + 0.114 B.
_LUMA = (19595, 38470, 7471)


@dataclass(frozen=True)
class Resize(Step):
    """An image of another size, by Pillow.

    `bilinear` averages over all of the pixels that become one, as torchvision's Resize does
    (antialias); `nearest` takes the pixel at the centre.
    """

    name = "resize"
    height: int
    width: int
    method: str = "bilinear"

    def __post_init__(self) -> None:
        """Raise ConfigError for a size or method that is none."""
        at_least(self, 1, "height", "width")
        one_of(self, "method", ("bilinear", "nearest"))

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return the image, [height, width, ...], uint8 as uint8, all else as float32."""
        _check_image(sample)
        if sample.shape[:2] == (self.height, self.width):
            return sample
        image = pillow()
        how = getattr(image.Resampling, self.method.upper())
        values = sample if sample.dtype == np.uint8 else sample.astype(np.float32)
        planes = values[..., np.newaxis] if values.ndim == 2 else values
        resized = [
            np.asarray(
                image.fromarray(np.ascontiguousarray(planes[..., i])).resize(
                    (self.width, self.height), how
                )
            )
            for i in range(planes.shape[-1])
        ]
        return resized[0] if values.ndim == 2 else np.stack(resized, axis=-1)


@dataclass(frozen=True)
class CentreCrop(Step):
    """The middle of an image. Of an odd margin, the smaller half is above and left."""

    name = "centre_crop"
    height: int
    width: int

    def __post_init__(self) -> None:
        """Raise ConfigError for a size that is none."""
        at_least(self, 1, "height", "width")

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return the image's middle, [height, width, ...]."""
        _check_image(sample)
        high, wide = sample.shape[0] - self.height, sample.shape[1] - self.width
        if high < 0 or wide < 0:
            raise ConfigError(f"smaller than the middle of {self.height} x {self.width}")
        top, left = high // 2, wide // 2
        return sample[top : top + self.height, left : left + self.width]


@dataclass(frozen=True)
class Grey(Step):
    """One channel, [height, width, 1]: Rec. 601 luma, of bytes as Pillow's "L" rounds it."""

    name = "grey"

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return the image with one channel."""
        _check_image(sample)
        if sample.ndim == 2 or sample.shape[-1] == 1:
            return sample.reshape(*sample.shape[:2], 1)
        if sample.shape[-1] != 3:
            raise ConfigError(f"{sample.shape[-1]} channels, not red, green and blue")
        if sample.dtype == np.uint8:
            luma = (sample.astype(np.uint32) * np.array(_LUMA, np.uint32)).sum(axis=-1)
            return ((luma + 0x8000) >> 16).astype(np.uint8)[..., np.newaxis]
        weights = np.array(_LUMA, np.float32) / np.float32(65536)
        return (sample.astype(np.float32) @ weights)[..., np.newaxis]


@dataclass(frozen=True)
class Rgb(Step):
    """Three channels, [height, width, 3]: of a grey image, three equal ones."""

    name = "rgb"

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return the image with three channels."""
        _check_image(sample)
        if sample.ndim == 3 and sample.shape[-1] == 3:
            return sample
        if sample.ndim == 3 and sample.shape[-1] != 1:
            raise ConfigError(f"{sample.shape[-1]} channels, neither 1 nor 3")
        return np.repeat(sample.reshape(*sample.shape[:2], 1), 3, axis=-1)


def pillow() -> Any:
    """Return Pillow's `Image`. Raises ToolMissingError, naming the extra."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ToolMissingError(
            "reading and resizing images needs Pillow",
            hint="pip install pillow, or mcugen's extra: 'mcugen[images]'.",
        ) from error
    return Image


def _check_image(sample: np.ndarray) -> None:
    if sample.ndim not in (2, 3):
        raise ConfigError("not an image: [height, width] or [height, width, channels]")
