# SPDX-License-Identifier: BSD-3-Clause
"""What a step of preprocessing is, and how it is written down."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from mcugen.base.errors import ConfigError


@dataclass(frozen=True)
class Step:
    """One step. Its fields are its options, in `mcugen.toml` by the same names."""

    name: ClassVar[str]

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return one sample, as the step makes it.

        Raises ConfigError if the sample does not suit: its words follow "sample 3 [8, 8]: ".
        """
        raise NotImplementedError

    def each(self, sample: np.ndarray) -> list[np.ndarray]:
        """Return all samples that one becomes: one, but for windows."""
        return [self(sample)]

    @property
    def sample_rate_hz(self) -> int | None:
        """The rate of audio that the step takes; None if any."""
        return None

    def to_json(self) -> dict[str, Any]:
        """Return `{"do": name, option: value, ...}`, as `mcugen.toml` has it."""
        document: dict[str, Any] = {"do": self.name}
        for field in fields(self):
            value = getattr(self, field.name)
            document[field.name] = list(value) if isinstance(value, tuple) else value
        return document

    def __str__(self) -> str:
        """Return "resize height=96, width=96, method=bilinear"."""
        options = ", ".join(
            f"{key}={_brief(value)}" for key, value in self.to_json().items() if key != "do"
        )
        return f"{self.name} {options}".rstrip()


def _brief(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_brief(each) for each in value) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def at_least(step: Step, least: float, *names: str) -> None:
    """Raise ConfigError unless these options of a step are at least `least`."""
    for name in names:
        value = getattr(step, name)
        if not value >= least:
            raise ConfigError(f"{step.name}: {name} must be at least {least:g}, not {value:g}")


def one_of(step: Step, name: str, choices: tuple[str, ...]) -> None:
    """Raise ConfigError unless an option of a step is one of these."""
    value = getattr(step, name)
    if value not in choices:
        raise ConfigError(f"{step.name}: {name} must be {' or '.join(choices)}, not '{value}'")
