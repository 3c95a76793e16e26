# SPDX-License-Identifier: BSD-3-Clause
"""How a model is to be quantized: where ranges come from, and what stays in float. No torch."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mcugen.base.errors import ConfigError

#: Of the values, where `percentile` says no more.
DEFAULT_PERCENT = 99.9
#: Less than that is no range any more.
_LEAST_PERCENT = 50.0


class MethodKind(StrEnum):
    """What a range is made of."""

    MINMAX = "minmax"  #: all values that calibration has seen
    HISTOGRAM = "histogram"  #: the least square error, with room for what few samples did not show
    PERCENTILE = "percentile"  #: a share of the values; the rest is cut off, half at each end


@dataclass(frozen=True)
class CalibrationMethod:
    """How the range of a layer's output is found."""

    kind: MethodKind = MethodKind.HISTOGRAM
    percent: float | None = None  #: of the values, with `percentile` only

    def __str__(self) -> str:
        """Return it as it is written on the command line."""
        return self.kind.value if self.percent is None else f"{self.kind.value}:{self.percent:g}"

    @classmethod
    def parse(cls, text: str, *, where: str = "--calibration-method") -> CalibrationMethod:
        """Return what "minmax", "histogram", "percentile" or "percentile:99.9" stands for.

        Raises ConfigError.
        """
        word, colon, number = text.partition(":")
        kinds = [kind.value for kind in MethodKind]
        if word not in kinds:
            close = difflib.get_close_matches(word, kinds, n=1, cutoff=0.4)
            raise ConfigError(
                f"{where} must be {', '.join(kinds)}, not '{text}'"
                + (f"; did you mean '{close[0]}'?" if close else "")
            )
        kind = MethodKind(word)
        if kind is not MethodKind.PERCENTILE:
            if colon:
                raise ConfigError(f"{where}: {word} takes no number, and '{text}' has one")
            return cls(kind)
        try:
            percent = float(number) if colon else DEFAULT_PERCENT
        except ValueError:
            percent = 0.0
        if not _LEAST_PERCENT <= percent <= 100:
            raise ConfigError(
                f"{where}: '{text}' must be percentile:P with a P of {_LEAST_PERCENT:g} to 100"
            )
        return cls(kind, percent)


HISTOGRAM = CalibrationMethod()


@dataclass(frozen=True)
class QuantizationOptions:
    """What a user chooses about quantization."""

    method: CalibrationMethod = HISTOGRAM
    samples: int | None = None  #: to calibrate with; None: as many as are usual
    layer_methods: tuple[tuple[str, CalibrationMethod], ...] = ()  #: by name of layer; first wins
    float_layers: tuple[str, ...] = ()  #: names of layers that stay in float

    @classmethod
    def parse(
        cls,
        method: str | None = None,
        samples: int | None = None,
        layer_methods: Sequence[str] = (),
        float_layers: Sequence[str] = (),
    ) -> QuantizationOptions:
        """Return the options from their words.

        Args:
            method: "minmax", "histogram" or "percentile:99.9".
            samples: to calibrate with.
            layer_methods: "body.4=percentile:99.9", each for a layer or a pattern of layers.
            float_layers: "head", "body.*".

        Raises ConfigError.
        """
        if samples is not None and samples < 1:
            raise ConfigError(f"--calibration-samples must be at least 1, not {samples}")
        pairs = []
        for text in layer_methods:
            name, equals, word = text.rpartition("=")
            if not equals or not name:
                raise ConfigError(
                    f"--layer-method must be NAME=METHOD, not '{text}'",
                    hint="--layer-method body.4=percentile:99.9, say.",
                )
            pairs.append((name, CalibrationMethod.parse(word, where=f"--layer-method {name}")))
        return cls(
            HISTOGRAM if method is None else CalibrationMethod.parse(method),
            samples,
            tuple(pairs),
            tuple(float_layers),
        )

    def to_json(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return {
            "calibration_method": str(self.method),
            "calibration_samples": self.samples,
            "layer_method": [f"{name}={method}" for name, method in self.layer_methods],
            "float_layer": list(self.float_layers),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> QuantizationOptions:
        """Rebuild what `to_json` gave."""
        return cls.parse(
            document["calibration_method"],
            document["calibration_samples"],
            document["layer_method"],
            document["float_layer"],
        )

    @property
    def as_arguments(self) -> str:
        """Return the command line's options that ask for the same; "" for the defaults."""
        words = []
        if self.method != HISTOGRAM:
            words += ["--calibration-method", str(self.method)]
        if self.samples is not None:
            words += ["--calibration-samples", str(self.samples)]
        for name, method in self.layer_methods:
            words += ["--layer-method", f"{name}={method}"]
        for name in self.float_layers:
            words += ["--float-layer", name]
        return shlex.join(words)

    @property
    def as_toml(self) -> tuple[str, ...]:
        """Return the lines of a `mcugen.toml` that ask for the same."""
        lines = []
        if self.method != HISTOGRAM:
            lines.append(f'calibration_method = "{self.method}"')
        if self.samples is not None:
            lines.append(f"calibration_samples = {self.samples}")
        if self.layer_methods:
            pairs = ", ".join(f'"{name}={method}"' for name, method in self.layer_methods)
            lines.append(f"layer_method = [{pairs}]")
        if self.float_layers:
            names = ", ".join(f'"{name}"' for name in self.float_layers)
            lines.append(f"float_layer = [{names}]")
        return tuple(lines)


#: What applies where nothing is chosen.
DEFAULTS = QuantizationOptions()
