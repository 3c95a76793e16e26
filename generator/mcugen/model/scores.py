# SPDX-License-Identifier: BSD-3-Clause
"""How good a model's outputs are, given what they should be. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.catalog import Metric


@dataclass(frozen=True)
class Errors:
    """Real numbers beside what they should be, over all elements of all samples."""

    sqnr_db: float | None  #: None: no error at all, or nothing but zeros to compare with
    mean_abs: float  #: in the output's own unit, as max_abs
    max_abs: float
    #: Coefficient of determination: the mean of that of each place of the output, as scikit-learn
    #: has it. Places where all wanted values are one do not count; None where all are such.
    r2: float | None


def score(
    metric: Metric, inputs: np.ndarray, outputs: np.ndarray, labels: np.ndarray
) -> float | None:
    """Return the figure that a model is judged by, of real values; None where it has none.

    Args:
        inputs: real values [n, ...]; read for AUC alone.
        outputs: real values [n, ...].
        labels: [n]: classes; for AUC, whether a sample is an anomaly.
    """
    if metric is Metric.AUC:
        return auc(anomaly_scores(inputs, outputs), labels)
    if metric is Metric.ACCURACY:
        return accuracy(outputs, labels)
    return None


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of samples whose class is the label."""
    if len(outputs) != len(labels):
        raise ConfigError(f"{len(outputs)} outputs for {len(labels)} labels")
    return float((classes_of(outputs, threshold_of(outputs)) == labels).mean())


def classes_of(outputs: np.ndarray, threshold: float = 0.0) -> np.ndarray:
    """Return each sample's class: int64[n], the place of the largest of its values.

    The first of equal ones. A single value is class 1 above the threshold, else class 0.
    """
    rows = outputs.reshape(len(outputs), -1)
    if rows.shape[1] == 1:
        return (rows[:, 0] > threshold).astype(np.int64)
    return np.asarray(rows.argmax(axis=1), np.int64)


def threshold_of(outputs: np.ndarray) -> float:
    """Return where class 1 begins in a single output: at 0.5 of probabilities, at 0 of logits."""
    return 0.5 if outputs.size and outputs.min() >= 0 and outputs.max() <= 1 else 0.0


def reproduction_errors(inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return each sample's mean squared difference of an autoencoder's output from its input."""
    count = len(inputs)
    return ((outputs.reshape(count, -1) - inputs.reshape(count, -1)) ** 2).mean(axis=1)


def anomaly_scores(inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return how much each sample is of class 1.

    A single output's value; the second of two less the first; else the error of a reproduction.
    """
    rows = outputs.reshape(len(outputs), -1)
    if rows.shape[1] == 1:
        return rows[:, 0]
    if rows.shape[1] == 2 and inputs[0].size != 2:
        return np.asarray(rows[:, 1] - rows[:, 0])
    return reproduction_errors(inputs, outputs)


def auc(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Return how often a sample of label 1 scores higher than one of label 0; equal is half.

    That is the area under the receiver operating characteristic. None without both labels.
    """
    ones, zeros = scores[labels == 1], np.sort(scores[labels == 0])
    if not len(ones) or not len(zeros):
        return None
    below = np.searchsorted(zeros, ones, "left") + np.searchsorted(zeros, ones, "right")
    return float(below.mean() / 2 / len(zeros))


def errors(outputs: np.ndarray, wanted: np.ndarray) -> Errors:
    """Return how far real values [n, ...] are from wanted ones; finite ones count."""
    got = outputs.astype(np.float64).reshape(len(outputs), -1)
    want = wanted.astype(np.float64).reshape(len(wanted), -1)
    both = np.isfinite(got) & np.isfinite(want)
    if not both.any():
        return Errors(None, 0.0, 0.0, None)
    with np.errstate(invalid="ignore"):  # infinite less infinite, where not both are finite
        r2 = _determination(got, want, both)
    got, want = got[both], want[both]
    off = got - want
    noise, power = float(off @ off), float(want @ want)
    return Errors(
        sqnr_db=10 * math.log10(power / noise) if noise > 0 and power > 0 else None,
        mean_abs=float(np.abs(off).mean()),
        max_abs=float(np.abs(off).max()),
        r2=r2,
    )


def _determination(got: np.ndarray, want: np.ndarray, both: np.ndarray) -> float | None:
    """Return the mean over columns of 1 - noise / spread, of the rows in `both`.

    Over all columns at once, outputs of different size (1 and 1000) would be told apart well by
    any model, and the small ones would not count.
    """
    count = np.maximum(both.sum(axis=0), 1)
    mean = np.where(both, want, 0).sum(axis=0) / count
    spread = (np.where(both, want - mean, 0) ** 2).sum(axis=0)
    noise = (np.where(both, got - want, 0) ** 2).sum(axis=0)
    varied = spread > 1e-20 * count * mean**2  # beyond the rounding of the mean
    return float((1 - noise[varied] / spread[varied]).mean()) if varied.any() else None


def confusion(labels: np.ndarray, classes: np.ndarray, count: int) -> np.ndarray:
    """Return int64[count, count]: how many samples of the row's label got the column's class."""
    cells = np.bincount(labels * count + classes, minlength=count * count)
    return cells.reshape(count, count)


def recall_and_precision(matrix: np.ndarray) -> list[tuple[float | None, float | None]]:
    """Return per class: the share found of its samples, and the share that is right of what is
    taken for it; None where there are none.
    """
    right, labelled, taken = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    return [
        (float(hit / of) if of else None, float(hit / as_) if as_ else None)
        for hit, of, as_ in zip(right, labelled, taken, strict=True)
    ]


def choose_metric(
    labels: np.ndarray | None, inputs: Sequence[int], outputs: Sequence[int]
) -> tuple[Metric, str]:
    """Return what to judge a model by, and why, from its labels and its tensors' shapes.

    Args:
        labels: [n, ...]; None without any.
        inputs: shape of the first input.
        outputs: shape of the first output.
    """
    elements = math.prod(outputs)
    if labels is None:
        return Metric.NONE, "the data has no labels"
    per_sample = math.prod(labels.shape[1:])
    if labels.dtype.kind == "f" and not _whole(labels):
        if per_sample == elements:
            return Metric.REGRESSION, "labels are real numbers"
        return Metric.NONE, _unlike(labels, outputs)
    if per_sample != 1:
        if per_sample == elements:
            return Metric.REGRESSION, "labels are as many numbers as the output has"
        return Metric.NONE, _unlike(labels, outputs)
    two = set(np.unique(labels)) <= {0, 1}
    if elements == 1:
        if two:
            return Metric.ACCURACY, "labels are 0 and 1, the output one number: a class or not"
        return Metric.REGRESSION, "the output is one number, labels are not only 0 and 1"
    if two and elements > 2 and elements == math.prod(inputs):
        return Metric.AUC, "labels are 0 and 1, the output is as large as the input"
    if labels.min() >= 0 and labels.max() < elements:
        return Metric.ACCURACY, "labels are places in the output"
    return Metric.NONE, (
        f"labels go from {labels.min():g} to {labels.max():g}, the output has {elements:,} places"
    )


def are_classes(labels: np.ndarray | None) -> bool:
    """Return whether labels are one whole number each, from 0."""
    if labels is None or math.prod(labels.shape[1:]) != 1 or not labels.size:
        return False
    return bool(labels.min() >= 0) and _whole(labels)


def one_hot_classes(labels: np.ndarray | None, outputs: Sequence[int]) -> np.ndarray | None:
    """Return int64[n] of labels that are 1 at the class's place in the output and 0 elsewhere.

    None for all others. outputs: shape of the first output.
    """
    places = math.prod(outputs)
    if labels is None or places < 2 or math.prod(labels.shape[1:]) != places:
        return None
    rows = labels.reshape(-1, places)
    if not bool(((rows == 0) | (rows == 1)).all() and (rows.sum(axis=1) == 1).all()):
        return None
    return np.asarray(rows.argmax(axis=1), np.int64)


def require_metric(metric: Metric, labels: np.ndarray | None, outputs: Sequence[int]) -> None:
    """Raise ConfigError unless labels are what a metric compares outputs with."""
    if metric is Metric.NONE:
        return
    elements = math.prod(outputs)
    if labels is None:
        raise ConfigError(
            f"--metric {metric}: the data has no labels",
            hint="An .npz has them as array 'y'; a Dataset's items are (sample, label).",
        )
    if metric is Metric.REGRESSION:
        if math.prod(labels.shape[1:]) != elements:
            raise ConfigError(f"--metric {metric}: {_unlike(labels, outputs)}")
        return
    most = 2 if metric is Metric.AUC or elements == 1 else elements
    single = math.prod(labels.shape[1:]) == 1
    if not single or not _whole(labels) or labels.min() < 0 or labels.max() >= most:
        raise ConfigError(
            f"--metric {metric}: labels must be one whole number each, from 0 to {most - 1}; they "
            + (f"go from {labels.min():g} to {labels.max():g}" if single else "are several each")
        )


def _whole(labels: np.ndarray) -> bool:
    return labels.dtype.kind != "f" or bool((labels == np.rint(labels)).all())


def _unlike(labels: np.ndarray, outputs: Sequence[int]) -> str:
    return f"a label has shape {list(labels.shape[1:])}, the output {list(outputs)}"
