# SPDX-License-Identifier: BSD-3-Clause
"""`--tune`: look for the calibration method, and for layers of their own kind. Imports torch.

Every trial is prepared and calibrated as a build is, and judged beside the model in float on
samples that it was not calibrated with: by the share of equal top classes, then by SQNR.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from mcugen.base.errors import ConfigError
from mcugen.base.quiet import aloud, quiet
from mcugen.export.calibration import Calibration, Progress
from mcugen.export.layer_figures import PreparedRun, followers, measure_layers
from mcugen.export.layer_report import LayerFigures, Trial
from mcugen.export.prepared import captured_for, channels_last, prepared_for
from mcugen.export.qat import prepared_by_training
from mcugen.export.quantization import CalibrationMethod, QuantizationOptions
from mcugen.model.source import ModelSource

_METHODS = ("histogram", "minmax", "percentile:99.99", "percentile:99.9")
#: For one layer, where outliers make its range or where they do not.
_LAYER_METHODS = ("percentile:99.9", "minmax")
#: One sample in so many judges, where there are enough; and no more than that.
_HELD_OUT = 5
_MOST_JUDGES = 32
_FEWEST_SAMPLES = 20
#: As good as int8 gets without a search: nothing more is tried.
GOAL_DB = 30.0
GOAL_TOP_CLASS = 0.99
#: Layers that get a choice of their own, and trials altogether.
_MOST_LAYERS = 4
_MOST_TRIALS = 14
#: What a range of its own has to gain, and what a layer in float, which costs time.
_RANGE_GAIN_DB = 1.0
_FLOAT_GAIN_DB = 3.0


@dataclass(frozen=True)
class _Judged:
    """A trial with the graph that was tried."""

    trial: Trial
    prepared: Any

    @property
    def figures(self) -> tuple[float, float]:
        """What is compared, the larger the better."""
        trial = self.trial
        decibels = math.inf if trial.sqnr_db is None else trial.sqnr_db
        return (1.0 if trial.top_class is None else trial.top_class), decibels

    @property
    def good(self) -> bool:
        """Whether there is nothing to look for."""
        top_class, decibels = self.figures
        return top_class >= GOAL_TOP_CLASS and decibels >= GOAL_DB

    def beats(self, other: _Judged, gain_db: float) -> bool:
        """Whether this is better than another by more than chance, and than it costs."""
        (top_class, decibels), (others, others_decibels) = self.figures, other.figures
        return top_class >= others and (decibels >= others_decibels + gain_db)


def tune(
    source: ModelSource,
    calibration: Calibration,
    start: QuantizationOptions,
    *,
    progress: Progress | None = None,
    verbose: bool = False,
) -> tuple[QuantizationOptions, tuple[Trial, ...]]:
    """Return the options that bring int8 nearest to float, and all that was tried.

    Calibration methods first; then, while the result is below GOAL_DB, the layers that cost most
    one by one: a range of their own, then in float, then in float with the layers behind them.

    Args:
        source: the model.
        calibration: samples, of which some judge.
        start: options of the user's; they stay unless a trial replaces them.
        progress: called as progress(what, done, total).
        verbose: let torch print.

    Raises ConfigError for a model whose ranges were trained.
    """
    if prepared_by_training(source.module) is not None:
        raise ConfigError(f"{source.name} was trained with int8 in place: nothing is left to tune")
    with quiet(verbose=verbose):
        return _Search(source, calibration, progress).run(start)


class _Search:
    def __init__(
        self, source: ModelSource, calibration: Calibration, progress: Progress | None
    ) -> None:
        samples = calibration.samples
        few = len(samples) < _FEWEST_SAMPLES
        judges = samples if few else samples[::_HELD_OUT]
        seen = [each for at, each in enumerate(samples) if few or at % _HELD_OUT]
        self._judges = [channels_last(sample) for sample in judges[:_MOST_JUDGES]]
        self._calibration = replace(calibration, samples=tuple(seen))
        self._captured = captured_for(source, calibration)
        self._progress = progress
        self._tried: list[Trial] = []

    def run(self, start: QuantizationOptions) -> tuple[QuantizationOptions, tuple[Trial, ...]]:
        best = self._judge(start)
        if not best.good:
            for word in _METHODS:
                method = CalibrationMethod.parse(word)
                if method != start.method:
                    best = self._better(best, replace(start, method=method), _RANGE_GAIN_DB)
        best = self._by_layers(best)
        if self._progress:
            with aloud():
                self._progress("tuning", _MOST_TRIALS, _MOST_TRIALS)
        return best.trial.options, tuple(self._tried)

    def _by_layers(self, best: _Judged) -> _Judged:
        seen: set[str] = set()
        while not best.good and len(seen) < _MOST_LAYERS:
            report = measure_layers(best.prepared, self._judges, best.trial.options, 0)
            worst = next((layer for layer in report.layers if layer.name not in seen), None)
            if worst is None or worst.effect_db is None:
                break
            seen.add(worst.name)
            behind = followers(best.prepared).get(worst.name, ())
            for options, gain in _choices(worst, behind, best.trial.options):
                if len(self._tried) >= _MOST_TRIALS or best.good:
                    return best
                best = self._better(best, options, gain)
        return best

    def _better(self, best: _Judged, options: QuantizationOptions, gain_db: float) -> _Judged:
        judged = self._judge(options)
        return judged if judged.beats(best, gain_db) else best

    def _judge(self, options: QuantizationOptions) -> _Judged:
        if self._progress:
            with aloud():
                self._progress("tuning", len(self._tried), _MOST_TRIALS)
        prepared, _ = prepared_for(copy.deepcopy(self._captured), self._calibration, options)
        run = PreparedRun(prepared)
        pairs = [
            (run.outputs(sample), run.outputs(sample, run.observers)) for sample in self._judges
        ]
        trial = Trial(options, _sqnr_db(pairs), _top_class(pairs))
        self._tried.append(trial)
        return _Judged(trial, prepared)


def _choices(
    layer: LayerFigures, behind: Sequence[str], options: QuantizationOptions
) -> Iterator[tuple[QuantizationOptions, float]]:
    """Yield what to try for a layer, and how much it has to gain."""
    for word in _LAYER_METHODS:
        method = CalibrationMethod.parse(word)
        if method != options.method:
            methods = ((layer.name, method), *options.layer_methods)
            yield replace(options, layer_methods=methods), _RANGE_GAIN_DB
    if layer.operators == "input":
        return
    names = [layer.name, *behind]
    for count in sorted({1, len(names)}):
        kept = dict.fromkeys((*options.float_layers, *names[:count]))
        yield replace(options, float_layers=tuple(kept)), _FLOAT_GAIN_DB


Pairs = Sequence[tuple[Sequence[torch.Tensor], Sequence[torch.Tensor]]]


def _sqnr_db(pairs: Pairs) -> float | None:
    """Return the worst output's ratio over all samples; None if all are equal."""
    worst = math.inf
    for index in range(len(pairs[0][0])):
        signal = noise = 0.0
        for want, got in ((float_out[index], out[index]) for float_out, out in pairs):
            if want.is_floating_point():
                both = torch.isfinite(want) & torch.isfinite(got)
                signal += float((want[both].double() ** 2).sum())
                noise += float(((want - got)[both].double() ** 2).sum())
        if signal and noise:
            worst = min(worst, 10 * math.log10(signal / noise))
    return round(worst, 2) if math.isfinite(worst) else None


def _top_class(pairs: Pairs) -> float | None:
    """Return the share of samples whose largest value is the same, of the first output."""
    first = pairs[0][0][0]
    if first.dim() != 2 or first.shape[0] != 1 or first.shape[1] < 2:
        return None
    equal = [int(want[0].argmax()) == int(got[0].argmax()) for want, got in pairs]
    return round(sum(equal) / len(equal), 4)
