# SPDX-License-Identifier: BSD-3-Clause
"""How good a model's outputs are, given what they should be. No torch."""

from __future__ import annotations

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.catalog import Metric


def score(
    metric: Metric, inputs: np.ndarray, outputs: np.ndarray, labels: np.ndarray
) -> float | None:
    """Return the figure that a model is judged by, of real values; None where it has none."""
    if metric is Metric.AUC:
        return auc(reproduction_errors(inputs, outputs), labels)
    return accuracy(outputs, labels)


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of samples whose largest output is at the label's place."""
    if len(outputs) != len(labels):
        raise ConfigError(f"{len(outputs)} outputs for {len(labels)} labels")
    predicted = outputs.reshape(len(outputs), -1).argmax(axis=1)
    return float((predicted == labels).mean())


def reproduction_errors(inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return each sample's mean squared difference of an autoencoder's output from its input."""
    count = len(inputs)
    return ((outputs.reshape(count, -1) - inputs.reshape(count, -1)) ** 2).mean(axis=1)


def auc(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Return how often a sample of label 1 scores higher than one of label 0; equal is half.

    That is the area under the receiver operating characteristic. None without both labels.
    """
    ones, zeros = scores[labels == 1], np.sort(scores[labels == 0])
    if not len(ones) or not len(zeros):
        return None
    below = np.searchsorted(zeros, ones, "left") + np.searchsorted(zeros, ones, "right")
    return float(below.mean() / 2 / len(zeros))
