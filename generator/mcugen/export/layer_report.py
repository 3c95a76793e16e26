# SPDX-License-Identifier: BSD-3-Clause
"""What quantizing does to each layer, and what to try: figures and words. No torch.

Measured by `mcugen.export.layer_figures`; kept with the artifact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from mcugen.export.provenance import place
from mcugen.export.quantization import DEFAULTS, HISTOGRAM, MethodKind, QuantizationOptions

#: A layer is worth a word if it alone takes the model below: the error is 3 % of the signal.
TELLING_DB = 30.0
#: Share of a layer's values outside of its range that is worth a word.
_TELLING_SHARE = 0.01
#: How many times as wide as 99.9 % of the values need a range is that outliers made.
_OUTLIER_RATIO = 4.0
#: How many times as large as the middle one is a channel that takes the others their resolution.
_CHANNEL_RATIO = 16.0
#: Fewer samples do not show the range.
_FEW_SAMPLES = 32


@dataclass(frozen=True)
class LayerFigures:
    """A layer: what has one range at its end, an input or one operator and those fused with it.

    Ratios are of the float values' power to that of the difference, in dB; None: no difference.
    """

    layer: str  #: "body.4"; "" for the model's own forward, and for inputs
    node: str  #: of the captured graph, whose value has the range; the name of an input
    operators: str  #: "conv2d+relu"; "input"
    line: str | None  #: of the user's source: "net.py, line 12"
    low: float  #: the least number that the range has, in the layer's own unit
    high: float
    scale: float
    zero_point: int
    bits: int
    clipped: float  #: share of the float values that lie outside of the range
    at_limits: float  #: share of the int8 values at -128 or 127, outside of the range or not
    sqnr_db: float | None  #: of the layer's values, with every earlier layer quantized, too
    alone_db: float | None  #: of the layer's values, with only this layer quantized
    effect_db: float | None  #: of the model's outputs, the worst, with only this layer quantized
    outlier_ratio: float  #: the range, in terms of what 99.9 % of the values need
    channel_ratio: float  #: the largest channel, in terms of the middle one; 1 without channels
    channel: int | None  #: the largest channel
    advice: tuple[str, ...] = ()  #: what to try, the best first

    @property
    def name(self) -> str:
        """Return what options call it."""
        return self.layer or self.node

    @property
    def where(self) -> str:
        """Return "layer body.4 (net.py, line 12)"."""
        return place(self.layer, self.line) if self.layer else self.node

    @property
    def telling(self) -> bool:
        """Whether this layer alone costs the model something."""
        return self.effect_db is not None and self.effect_db < TELLING_DB


@dataclass(frozen=True)
class Trial:
    """What `--tune` tried, and what came of it on samples of its own."""

    options: QuantizationOptions
    sqnr_db: float | None  #: of the worst output; None: no difference
    top_class: float | None  #: share of samples with the same largest value; None: no classes


@dataclass(frozen=True)
class QuantizationReport:
    """How a model was quantized, and what that does layer by layer."""

    options: QuantizationOptions = DEFAULTS
    samples: int = 0  #: that the layers were measured with
    layers: tuple[LayerFigures, ...] = ()  #: those that cost the model most first
    trials: tuple[Trial, ...] = ()  #: of `--tune`; the first is what was asked for

    @property
    def worst(self) -> tuple[LayerFigures, ...]:
        """The layers that are worth a word; at most three."""
        return tuple(layer for layer in self.layers if layer.telling)[:3]

    @property
    def blame(self) -> str | None:
        """What to say where a model lost too much; None if no layer alone costs anything."""
        if not self.worst:
            return None
        first, *others = self.worst
        more = f", then {' and '.join(layer.name for layer in others)}" if others else ""
        return (
            f"{first.where} alone takes the output to {first.effect_db:.1f} dB{more} "
            f"({first.advice[0]})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return {
            **self.options.to_json(),
            "samples": self.samples,
            "layers": [{"name": layer.name, **asdict(layer)} for layer in self.layers],
            "trials": [
                {
                    **trial.options.to_json(),
                    "sqnr_db": trial.sqnr_db,
                    "top_class": trial.top_class,
                }
                for trial in self.trials
            ],
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> QuantizationReport:
        """Rebuild what `to_json` gave."""
        layers = [
            {key: value for key, value in layer.items() if key != "name"}
            for layer in document["layers"]
        ]
        return cls(
            QuantizationOptions.from_json(document),
            document["samples"],
            tuple(LayerFigures(**{**layer, "advice": tuple(layer["advice"])}) for layer in layers),
            tuple(
                Trial(QuantizationOptions.from_json(each), each["sqnr_db"], each["top_class"])
                for each in document["trials"]
            ),
        )


def advice(
    layer: LayerFigures, options: QuantizationOptions, calibrated_with: int
) -> Iterator[str]:
    """Yield what to try for a layer that costs the model something."""
    if layer.channel_ratio > _CHANNEL_RATIO:
        yield (
            f"channel {layer.channel} is {layer.channel_ratio:,.0f} x as large as the middle one, "
            "and all have one scale: give it a factor in this layer's weights and the inverse in "
            "the next one's, normalise (BatchNorm, weight decay), or keep this layer and the next "
            "in float"
        )
    method = dict(options.layer_methods).get(layer.name, options.method)
    if layer.outlier_ratio > _OUTLIER_RATIO:
        yield (
            f"its range is {layer.outlier_ratio:,.0f} x as wide as 99.9 % of the values need: "
            f"--layer-method {layer.name}=percentile:99.9, or clip the activation (ReLU6)"
        )
    if layer.clipped > _TELLING_SHARE:
        again = "" if method.kind is MethodKind.MINMAX else f"--layer-method {layer.name}=minmax, "
        yield (
            f"{100 * layer.clipped:.1f} % of its values are cut off: {again}"
            "or calibrate with samples like those of later use"
        )
    if calibrated_with < _FEW_SAMPLES:
        yield f"calibrate with more than {calibrated_with} samples"
    if method == HISTOGRAM and layer.outlier_ratio <= _OUTLIER_RATIO:
        yield f"--layer-method {layer.name}=minmax or =percentile:99.99"
    if layer.operators != "input":
        yield f"--float-layer {layer.name}"
    yield "--tune tries these; mcugen.qat() trains the model with int8 in place"
