# SPDX-License-Identifier: BSD-3-Clause
"""What turns stored samples into a model's input, declared once.

    from mcugen.model.preprocess import Normalize, Preprocess, Resize, Scale

    Preprocess(Resize(96, 96), Scale(1 / 255), Normalize((0.485, 0.456, 0.406), (0.23,)))

or in `mcugen.toml`, where each step's options are its fields:

    [preprocess]
    steps = [
      { do = "resize", height = 96, width = 96 },
      { do = "scale", scale = 0.00392156862745098 },
      { do = "normalize", mean = [0.485, 0.456, 0.406], std = [0.23] },
    ]

In Python any callable from [n, ...] stored samples to [n, ...] inputs does, too. No torch.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.samples import stacked
from mcugen.model.steps.audio import LogMel, Mfcc, Resample
from mcugen.model.steps.images import CentreCrop, Grey, Resize, Rgb
from mcugen.model.steps.series import FitLength, Window
from mcugen.model.steps.step import Step
from mcugen.model.steps.values import ChannelsFirst, Normalize, Scale

__all__ = [
    "FUNCTION",
    "AnyPreprocess",
    "CentreCrop",
    "ChannelsFirst",
    "Declared",
    "FitLength",
    "Grey",
    "LogMel",
    "Mfcc",
    "Normalize",
    "Preprocess",
    "Resample",
    "Resize",
    "Rgb",
    "Scale",
    "Step",
    "Window",
    "as_declared",
    "of_pixels",
    "scales",
]

#: From stored samples, [n, ...], to what the model takes.
AnyPreprocess = Callable[[np.ndarray], np.ndarray]

#: How preprocessing is kept with a build: its steps, as `mcugen.toml` has them; FUNCTION for one
#: that is Python code; None for none.
Declared = list[dict[str, Any]] | str | None
FUNCTION = "function"

STEPS: dict[str, type[Step]] = {
    step.name: step
    for step in (
        *(Scale, Normalize, ChannelsFirst, Resize, CentreCrop, Grey, Rgb),
        *(Window, FitLength, Resample, LogMel, Mfcc),
    )
}
_KINDS = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "str": ((str,), "a string"),
    "tuple[float, ...]": ((list, tuple, int, float), "a list of numbers"),
}
#: What a byte of 0 and one of 255 stand for, by the name in `--pixels`.
PIXELS = {"0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0), "0..255": (0.0, 255.0)}
DEFAULT_PIXELS = "0..1"


@dataclass(frozen=True, init=False)
class Preprocess:
    """Steps, in order. Equal declarations are equal."""

    steps: tuple[Step, ...]

    def __init__(self, *steps: Step) -> None:
        """Raise ConfigError for what is no step."""
        for step in steps:
            if not isinstance(step, Step):
                raise ConfigError(
                    f"a step of preprocessing cannot be a {type(step).__name__}",
                    hint=f"One of {', '.join(each.__name__ for each in STEPS.values())}; or give "
                    "a function of your own in the place of the whole Preprocess.",
                )
        object.__setattr__(self, "steps", tuple(steps))

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return [m, ...] of [n, ...]: m is n, but with windows.

        Samples that differ in shape come as object[n] of arrays, and leave so if they still do.
        Raises ConfigError, naming the sample and the step, if one does not suit.
        """
        return self.apply(samples)[0]

    def apply(
        self, samples: np.ndarray, names: Sequence[str] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the same, and int64[m]: which of the n samples each one comes from."""
        rows: list[np.ndarray] = []
        origin: list[int] = []
        for number in range(len(samples)):
            made = self._one(np.asarray(samples[number]), number, names)
            rows += made
            origin += [number] * len(made)
        return stacked(rows), np.array(origin, np.int64)

    def _one(
        self, sample: np.ndarray, number: int, names: Sequence[str] | None
    ) -> list[np.ndarray]:
        made = [sample]
        for place, step in enumerate(self.steps, 1):
            try:
                made = [each for one in made for each in step.each(one)]
            except ConfigError as error:
                which = f"sample {number}" if names is None else names[number]
                raise ConfigError(
                    f"preprocessing, step {place} ({step.name}): {which}, "
                    f"{list(made[0].shape)}: {error.message}",
                    hint=error.hint,
                ) from error
        return made

    @property
    def sample_rate_hz(self) -> int | None:
        """The rate of audio that the first step with one takes."""
        return next(filter(None, (step.sample_rate_hz for step in self.steps)), None)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the steps as `mcugen.toml` has them."""
        return [step.to_json() for step in self.steps]

    @classmethod
    def from_json(cls, document: Any, where: str = "preprocess") -> Preprocess:
        """Return what `to_json` gave, or `mcugen.toml` has.

        Raises ConfigError, naming step and option, for what is no declaration.
        """
        if not isinstance(document, (list, tuple)):
            raise ConfigError(
                f"{where}: steps must be a list of tables, not {document!r}",
                hint='steps = [{ do = "scale", scale = 0.0078, offset = -1 }]',
            )
        return cls(
            *(_step(each, f"{where}, step {place}") for place, each in enumerate(document, 1))
        )

    def __str__(self) -> str:
        """Return the steps in one line, for the report."""
        return "; ".join(map(str, self.steps)) or "as stored"


def as_declared(preprocess: AnyPreprocess | None) -> Declared:
    """Return what is kept of preprocessing with a build."""
    if isinstance(preprocess, Preprocess):
        return preprocess.to_json()
    return None if preprocess is None else FUNCTION


def scales(preprocess: AnyPreprocess) -> bool:
    """Return whether preprocessing may change the range of values; a function's code may."""
    if not isinstance(preprocess, Preprocess):
        return True
    return any(isinstance(step, (Scale, Normalize, LogMel)) for step in preprocess.steps)


def of_pixels(pixels: str | None) -> Preprocess:
    """Return what `--pixels` stands for: a scale for bytes; None: DEFAULT_PIXELS."""
    try:
        low, high = PIXELS[pixels or DEFAULT_PIXELS]
    except KeyError:
        raise ConfigError(
            f"pixels cannot be '{pixels}'", hint=f"One of {', '.join(PIXELS)}."
        ) from None
    return Preprocess(Scale((high - low) / 255, low))


def _step(document: Any, where: str) -> Step:
    if not isinstance(document, dict) or not isinstance(document.get("do"), str):
        raise ConfigError(
            f"{where}: {document!r} does not say what to do",
            hint=f"{{ do = NAME, ... }}: NAME is one of {', '.join(STEPS)}.",
        )
    name = document["do"]
    if name not in STEPS:
        raise ConfigError(
            f"{where}: unknown step '{name}'{_meant(name, list(STEPS))}",
            hint=f"Steps: {', '.join(STEPS)}.",
        )
    step, where = STEPS[name], f"{where} ({name})"
    kinds = {field.name: str(field.type) for field in fields(step)}
    values = {}
    for key, value in document.items():
        if key == "do":
            continue
        if key not in kinds:
            raise ConfigError(
                f"{where}: unknown option '{key}'{_meant(key, list(kinds))}",
                hint=f"Options: {', '.join(kinds) or 'none'}.",
            )
        values[key] = _value(value, kinds[key], f"{where}: '{key}'")
    missing = [
        field.name
        for field in fields(step)
        if field.default is MISSING and field.name not in values
    ]
    if missing:
        raise ConfigError(f"{where}: {' and '.join(missing)} not given")
    try:
        return step(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.message.removeprefix(name + ': ')}") from error


def _value(value: Any, kind: str, where: str) -> Any:
    kinds, words = _KINDS[kind]
    right = isinstance(value, kinds) and not isinstance(value, bool)
    if right and kind.startswith("tuple"):
        value = tuple(value) if isinstance(value, (list, tuple)) else (value,)
        right = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in value)
    if not right:
        raise ConfigError(f"{where} must be {words}, not {value!r}")
    if kind.startswith("tuple"):
        return tuple(map(float, value))
    return float(value) if kind == "float" else value


def _meant(word: str, choices: list[str]) -> str:
    close = difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""
