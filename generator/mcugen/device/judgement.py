# SPDX-License-Identifier: BSD-3-Clause
"""What the device's outputs are worth: beside the labels, and beside the model in float."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mcugen.model.catalog import Metric

if TYPE_CHECKING:
    import numpy as np

    from mcugen.model.scores import Errors

FLOAT, HOST, DEVICE = "float", "int8_host", "device"
SIDES = (FLOAT, HOST, DEVICE)
#: Whole numbers from here on are no classes.
_MOST_CLASSES = 2048


@dataclass(frozen=True)
class Scores:
    """A figure that says how good a model is; None where it is not known."""

    float_model: float | None = None
    int8_host: float | None = None
    device: float | None = None


@dataclass(frozen=True)
class Truth:
    """What outputs are judged by; of the first output only.

    labels: [n, ...]: classes, whether a sample is an anomaly, or real numbers, by the metric.
    float_outputs: what the model in float gives: real values, [n, *shape]; float_inputs: of what.
    """

    metric: Metric = Metric.NONE
    why: str = ""  #: this metric
    labels: np.ndarray | None = None
    float_outputs: np.ndarray | None = None
    float_inputs: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    is_class: bool = False  #: the output is a class's number, not a value for each


@dataclass(frozen=True)
class ClassFigures:
    """One class: the device beside the model in float. None where there is nothing to divide."""

    name: str
    samples: int
    recall: float | None
    precision: float | None
    float_recall: float | None
    float_precision: float | None


@dataclass(frozen=True)
class Judgement:
    """Figures of a metric; those of other metrics are empty.

    agreement: share of samples that get the model in float's class.
    confusion: by side, [label][class]. labels, classes: of each sample, by side.
    regression: by side, against the labels; against_float: against the model in float.
    """

    metric: Metric = Metric.NONE
    why: str = ""
    accuracy: Scores = field(default_factory=Scores)
    auc: Scores = field(default_factory=Scores)
    agreement: Scores = field(default_factory=Scores)
    class_names: tuple[str, ...] = ()
    classes: tuple[ClassFigures, ...] = ()
    confusion: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    regression: Mapping[str, Errors] = field(default_factory=dict)
    against_float: Mapping[str, Errors] = field(default_factory=dict)
    labels: np.ndarray | None = field(default=None, repr=False)
    chosen: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)

    def name_of(self, index: int) -> str:
        """Return what a class is called: its number, where the data gives no names."""
        return self.class_names[index] if index < len(self.class_names) else str(index)


def judge(truth: Truth, inputs: np.ndarray, host: np.ndarray, device: np.ndarray) -> Judgement:
    """Return what the first output is worth.

    Args:
        inputs: of the first input, host and device of the first output: real values [n, *shape].
    """
    from mcugen.model import scores

    sides = {FLOAT: truth.float_outputs, HOST: host, DEVICE: device}
    known = {side: values for side, values in sides.items() if values is not None}
    labels = truth.labels
    found = Judgement(truth.metric, truth.why, class_names=truth.class_names)
    if not len(device):
        return found
    if truth.float_outputs is not None:
        found = replace(
            found,
            against_float={
                side: scores.errors(known[side], truth.float_outputs) for side in (HOST, DEVICE)
            },
        )
    if truth.metric is Metric.REGRESSION and labels is not None:
        by_side = {side: scores.errors(values, labels) for side, values in known.items()}
        return replace(found, regression=by_side)
    if truth.metric is Metric.AUC and labels is not None:
        labels = labels.reshape(-1)
        given = {FLOAT: inputs if truth.float_inputs is None else truth.float_inputs}
        figures = {
            side: scores.auc(scores.anomaly_scores(given.get(side, inputs), values), labels)
            for side, values in known.items()
        }
        return replace(found, auc=_scores(figures))
    if device[0].size == 1 and truth.metric is not Metric.ACCURACY:
        return found  # one real number: no classes
    if truth.is_class:
        least = min(int(each.min()) for each in known.values())
        most = max(int(each.max()) for each in known.values())
        if least < 0 or most >= _MOST_CLASSES:
            why = f"the output goes from {least:,} to {most:,}: these are no classes"
            return replace(found, metric=Metric.NONE, why=why)
    threshold = scores.threshold_of(host if truth.float_outputs is None else truth.float_outputs)
    chosen = {
        side: values.reshape(len(values)).astype(int)
        if truth.is_class
        else scores.classes_of(values, threshold)
        for side, values in known.items()
    }
    found = replace(found, chosen=chosen)
    if FLOAT in chosen:
        same = {side: float((chosen[side] == chosen[FLOAT]).mean()) for side in (HOST, DEVICE)}
        found = replace(found, agreement=_scores(same))
    if truth.metric is not Metric.ACCURACY or labels is None:
        return found
    labels, count = labels.reshape(-1).astype(int), max(device[0].size, 2)
    if truth.is_class:
        count = 1 + max(int(each.max()) for each in (labels, *chosen.values()))
    return _with_classes(found, labels, count)


def _with_classes(found: Judgement, labels: np.ndarray, count: int) -> Judgement:
    from mcugen.model import scores

    matrices = {
        side: scores.confusion(labels, chosen, count) for side, chosen in found.chosen.items()
    }
    rates = {side: scores.recall_and_precision(matrix) for side, matrix in matrices.items()}
    none = [(None, None)] * count
    classes = tuple(
        ClassFigures(found.name_of(index), int(samples), *on_device, *in_float)
        for index, (samples, on_device, in_float) in enumerate(
            zip(matrices[DEVICE].sum(axis=1), rates[DEVICE], rates.get(FLOAT, none), strict=True)
        )
    )
    right = {side: float((chosen == labels).mean()) for side, chosen in found.chosen.items()}
    return replace(
        found, accuracy=_scores(right), confusion=matrices, classes=classes, labels=labels
    )


def _scores(by_side: Mapping[str, float | None]) -> Scores:
    return Scores(by_side.get(FLOAT), by_side.get(HOST), by_side.get(DEVICE))
