# SPDX-License-Identifier: BSD-3-Clause
"""What models are judged by."""

from __future__ import annotations

import numpy as np
import pytest

from mcugen.base.errors import ConfigError
from mcugen.model import scores
from mcugen.model.catalog import Metric


@pytest.mark.parametrize(
    ("values", "labels", "want"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0.0),
        ([1, 3, 2, 4], [0, 0, 1, 1], 0.75),
        ([5, 5, 5, 5], [0, 0, 1, 1], 0.5),
        ([1, 2], [1, 1], None),
        ([1, 2], [0, 0], None),
    ],
)
def test_auc_is_how_often_an_anomaly_scores_higher(values, labels, want):
    assert scores.auc(np.array(values, float), np.array(labels)) == want


def test_auc_is_scikit_learns():
    from sklearn.metrics import roc_auc_score

    rng = np.random.RandomState(1)
    values, labels = rng.randint(0, 20, 200).astype(float), rng.randint(0, 2, 200)

    assert scores.auc(values, labels) == pytest.approx(roc_auc_score(labels, values), abs=1e-12)


def test_autoencoder_is_judged_by_what_it_cannot_reproduce():
    inputs = np.zeros((3, 2, 2))
    outputs = inputs + np.array([0.1, 3.0, 0.2])[:, None, None]

    assert scores.reproduction_errors(inputs, outputs) == pytest.approx([0.01, 9.0, 0.04])
    assert scores.score(Metric.AUC, inputs, outputs, np.array([0, 1, 0])) == 1.0


def test_classifier_is_judged_by_its_largest_output():
    outputs = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]])

    assert scores.score(Metric.ACCURACY, outputs, outputs, np.array([1, 0, 0])) == 2 / 3
    with pytest.raises(ConfigError, match="3 outputs for 2 labels"):
        scores.accuracy(outputs, np.array([1, 0]))


def test_r2_is_scikit_learns_of_several_outputs():
    """Of outputs of different size, a useless one showed in none of four digits."""
    from sklearn.metrics import r2_score

    rng = np.random.RandomState(2)
    want = rng.rand(100, 3) * [1, 10, 0.1] + [0, 1000, 5]
    got = want + rng.randn(100, 3) * [0.1, 5, 0.01]
    constant, unknown = np.full((100, 1), 0.1), want.copy()
    unknown[::7, 0] = np.nan

    assert scores.errors(got, want).r2 == pytest.approx(r2_score(want, got))
    assert scores.errors(np.hstack([got, constant + 1]), np.hstack([want, constant])).r2 == (
        pytest.approx(r2_score(want, got))
    )
    assert scores.errors(got[:, :1], unknown[:, :1]).r2 == pytest.approx(
        r2_score(want[np.arange(100) % 7 > 0, 0], got[np.arange(100) % 7 > 0, 0])
    )
    assert scores.errors(constant, constant).r2 is None
