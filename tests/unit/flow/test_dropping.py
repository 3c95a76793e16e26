# SPDX-License-Identifier: BSD-3-Clause
"""`--max-drop`: when a verification fails by its accuracy."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mcugen.base.errors import ConfigError
from mcugen.device.judgement import Judgement, Scores, Truth
from mcugen.device.verify import Verification
from mcugen.export.layer_report import QuantizationReport
from mcugen.flow.dropping import drop_error, require_figures
from mcugen.model.catalog import Metric

BUILT = SimpleNamespace(
    model="net.py:make",
    artifact=SimpleNamespace(name="net_make"),
    quantization=QuantizationReport(),
)


def verified(scores, **more):
    return Verification(100, 100, 0, None, "a test's", judgement=Judgement(accuracy=scores, **more))


def limit(points):
    return SimpleNamespace(max_drop=points)


def test_a_drop_within_the_limit_passes():
    result = verified(Scores(0.97, 0.96, 0.96))

    assert drop_error(limit(1.0), BUILT, result) is None
    assert drop_error(limit(None), BUILT, verified(Scores(0.97, 0.1, 0.1))) is None
    assert drop_error(limit(0), BUILT, verified(Scores(0.95, 0.96, 0.96))) is None
    assert drop_error(limit(1.0), BUILT, None) is None


def test_a_larger_one_names_both_figures_and_ends_with_8():
    error = drop_error(limit(1.0), BUILT, verified(Scores(0.97, 0.95, 0.95)))

    assert error is not None and error.exit_code == 8
    assert error.message == (
        "accuracy of net_make is 95.00 % on the device and 97.00 % in float: 2.00 points below, "
        "and --max-drop allows 1"
    )


def test_an_autoencoder_is_judged_by_its_auc():
    result = verified(Scores(), auc=Scores(0.9, 0.8, 0.8))

    error = drop_error(limit(5), BUILT, result)

    assert error is not None and error.message.startswith("AUC of net_make is 80.00 %")


def test_a_limit_without_labels_is_refused():
    figures = np.zeros((4, 2))
    classes = Truth(Metric.ACCURACY, labels=np.zeros(4), float_outputs=figures)

    for unknown in (Truth(), Truth(Metric.NONE, float_outputs=figures)):
        with pytest.raises(ConfigError, match="no labelled samples of net_make"):
            require_figures(limit(1.0), BUILT, unknown)
    require_figures(limit(None), BUILT, Truth())
    require_figures(limit(1.0), BUILT, classes)


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (Truth(Metric.NONE, "they go to 9", np.zeros(4)), r"judged by none \(they go to 9\)"),
        (Truth(Metric.REGRESSION, "real", np.zeros(4)), r"judged by regression \(real\)"),
        (Truth(Metric.AUC, "", np.ones(4), np.zeros((4, 2))), "all 4 .* have one label"),
        (Truth(Metric.ACCURACY, "", np.zeros(4)), "with the model in float, .* there is none"),
    ],
    ids=["unsuited", "regression", "one label", "no float"],
)
def test_a_limit_that_nothing_can_be_held_to_is_refused(truth, words):
    """It would pass, whatever int8 does."""
    with pytest.raises(ConfigError, match=words):
        require_figures(limit(1.0), BUILT, truth)
