# SPDX-License-Identifier: BSD-3-Clause
"""Steps on series, [length] or [length, channels]: window, fit_length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.steps.step import Step, at_least


@dataclass(frozen=True)
class Window(Step):
    """A long series becomes windows of `length` steps, one beginning every `hop` steps.

    Each window has the label of its series. What is left at the end is dropped.
    """

    name = "window"
    length: int
    hop: int

    def __post_init__(self) -> None:
        """Raise ConfigError for lengths that are none."""
        at_least(self, 1, "length", "hop")

    def each(self, sample: np.ndarray) -> list[np.ndarray]:
        """Return the windows of a series."""
        if sample.ndim < 1 or len(sample) < self.length:
            raise ConfigError(f"shorter than a window of {self.length} steps")
        return [
            sample[start : start + self.length]
            for start in range(0, len(sample) - self.length + 1, self.hop)
        ]


@dataclass(frozen=True)
class FitLength(Step):
    """A series of exactly `length` steps: its middle, or itself with zeros after it."""

    name = "fit_length"
    length: int

    def __post_init__(self) -> None:
        """Raise ConfigError for a length that is none."""
        at_least(self, 1, "length")

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return [length, ...] of the same type."""
        if sample.ndim < 1:
            raise ConfigError("one number: not a series")
        more = self.length - len(sample)
        if more > 0:
            return np.pad(sample, [(0, more)] + [(0, 0)] * (sample.ndim - 1))
        start = -more // 2
        return sample[start : start + self.length]
