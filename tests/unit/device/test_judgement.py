# SPDX-License-Identifier: BSD-3-Clause
"""What the device's outputs are worth; scikit-learn is the oracle of each figure."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import samples_of_specs as sample

from mcugen.base.errors import ConfigError
from mcugen.device.differing import MOST_SAVED, save_differing
from mcugen.device.judgement import Judgement, Truth, judge
from mcugen.device.verify import Verification
from mcugen.export.evaluation import EvaluationData
from mcugen.flow.report.judgement import judgement_rows, judgement_section
from mcugen.flow.verifying import _truth
from mcugen.model.catalog import Metric
from mcugen.model.scores import choose_metric, require_metric
from mcugen.program.tensor_files import read_input

RNG = np.random.RandomState(3)
CLASSES = 4


def classified(n: int = 60) -> tuple[Truth, np.ndarray, np.ndarray]:
    """Truth, host's and device's outputs: mostly right, the device a little less so."""
    labels = RNG.randint(0, CLASSES - 1, n)  # the last class has no samples
    right = np.eye(CLASSES)[labels]
    in_float, host, device = (right + RNG.rand(n, CLASSES) * most for most in (1.2, 1.4, 1.8))
    names = ("cat", "dog", "a hedgehog of the garden")
    return Truth(Metric.ACCURACY, "", labels, in_float, class_names=names), host, device


def shown(found: Judgement) -> tuple[dict, str]:
    """The document and the text of a judgement."""
    document = judgement_section(Verification(1, 1, 0, None, "x.npz", judgement=found))
    document |= {"data": "x.npz"}
    return document, "\n".join(f"{name:12} {line}" for name, line in judgement_rows(document))


def test_classes_are_counted_as_scikit_learn_does():
    from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

    truth, host, device = classified()
    found = judge(truth, host, host, device)
    predicted = device.argmax(axis=1)

    every = range(CLASSES)
    assert found.accuracy.device == accuracy_score(truth.labels, predicted)
    assert found.accuracy.float_model == accuracy_score(
        truth.labels, truth.float_outputs.argmax(axis=1)
    )
    assert found.agreement.device == accuracy_score(truth.float_outputs.argmax(axis=1), predicted)
    assert (
        found.confusion["device"] == confusion_matrix(truth.labels, predicted, labels=every)
    ).all()
    precision, recall, _, samples = precision_recall_fscore_support(
        truth.labels, predicted, labels=every, zero_division=np.nan
    )
    for index, each in enumerate(found.classes):
        assert each.samples == samples[index]
        assert each.recall == (None if np.isnan(recall[index]) else pytest.approx(recall[index]))
        assert each.precision == pytest.approx(precision[index])
    assert found.accuracy.device < found.accuracy.float_model


def test_report_has_the_matrix_and_a_line_for_each_class():
    found = judge(*(lambda truth, host, device: (truth, host, host, device))(*classified()))
    document, text = shown(found)

    assert json.loads(json.dumps(document, allow_nan=False))["confusion"]["device"] == (
        found.confusion["device"].tolist()
    )
    assert [each["name"] for each in document["classes"]] == [*found.class_names, "3"]
    assert "cat" in text and "a hedgehog of t…" in text and "is \\ taken for" in text
    assert f"device {100 * found.accuracy.device:.2f} %" in text
    assert max(map(len, text.splitlines())) < 100


def test_of_many_classes_the_text_tells_the_worst():
    n, classes = 600, 50
    labels = np.arange(n) % classes
    outputs = np.eye(classes)[labels]
    outputs[labels == 7] = np.eye(classes)[9]
    found = judge(Truth(Metric.ACCURACY, "", labels, outputs), outputs, outputs, outputs)
    document, text = shown(found)

    assert "7 taken for 9: 12 x" in text
    assert "30 classes with more recall are in the JSON" in text
    assert len(text.splitlines()) < 40
    assert np.shape(document["confusion"]["device"]) == (classes, classes)


def test_regression_is_measured_against_labels_and_against_float():
    from sklearn.metrics import mean_absolute_error, r2_score

    labels = RNG.randn(50)
    in_float = labels[:, None] + 0.1 * RNG.randn(50, 1)
    device = in_float + 0.05 * RNG.randn(50, 1)
    metric, _ = choose_metric(labels, (1, 8), (1, 1))
    found = judge(Truth(metric, "", labels, in_float), device, device, device)
    _, text = shown(found)

    assert metric is Metric.REGRESSION
    errors = found.regression["device"]
    assert errors.r2 == pytest.approx(r2_score(labels, device[:, 0]))
    assert errors.mean_abs == pytest.approx(mean_absolute_error(labels, device[:, 0]))
    assert errors.max_abs == pytest.approx(np.abs(labels - device[:, 0]).max())
    against = found.against_float["device"]
    assert against.r2 == pytest.approx(r2_score(in_float[:, 0], device[:, 0]))
    noise = ((device - in_float) ** 2).sum()
    assert against.sqnr_db == pytest.approx(10 * np.log10((in_float**2).sum() / noise))
    assert "R2" in text and "from float" in text and found.agreement.device is None


def test_autoencoder_in_float_is_judged_by_its_own_inputs():
    from sklearn.metrics import roc_auc_score

    labels = np.arange(40) % 2
    inputs = RNG.randn(40, 6)
    outputs = inputs + (0.5 + 0.5 * labels[:, None]) * RNG.randn(40, 6)
    quantized = np.round(inputs, 1)
    truth = Truth(*choose_metric(labels, (1, 6), (1, 6)), labels, outputs, inputs)
    found = judge(truth, quantized, outputs, outputs)

    assert truth.metric is Metric.AUC
    by_float = ((outputs - inputs) ** 2).mean(axis=1)
    by_device = ((outputs - quantized) ** 2).mean(axis=1)
    assert found.auc.float_model == pytest.approx(roc_auc_score(labels, by_float))
    assert found.auc.device == pytest.approx(roc_auc_score(labels, by_device))


def test_one_number_is_a_class_above_its_threshold():
    """At 0 of a logit, at 0.5 of a probability: the model in float decides for all sides."""
    logits = np.array([[-3.0], [0.2], [0.4], [2.0]])
    labels = np.array([0, 0, 1, 1])
    for values, right in ((logits, 0.75), (1 / (1 + np.exp(-logits)), 0.75)):
        metric, _ = choose_metric(labels, (1, 9), (1, 1))
        found = judge(Truth(metric, "", labels, values), values, values, values)
        assert found.accuracy.device == right


def test_a_model_that_ends_in_argmax_gives_classes():
    """Its output was a regression's, and --metric accuracy refused labels from 2 on."""
    spec = sample.tensor("y", dtype="int64", shape=(1,), dim_order=(0,), scale=None)
    labels, values = np.array([0, 3, 2, 2]), np.array([[0], [3], [2], [5]], np.float64)
    given, data = sample.artifact(outputs=(spec,)), EvaluationData((), labels, "")
    for asked in (None, "accuracy"):
        truth = _truth(asked, given, data)
        truth = replace(truth, float_outputs=np.array([[0], [3], [2], [2]]))

        found = judge(truth, values, values, values)

        assert truth.metric is Metric.ACCURACY
        assert found.accuracy.device == 0.75 and found.accuracy.float_model == 1
        assert found.agreement.device == 0.75
        assert len(found.classes) == 6
        assert found.confusion["device"][2].tolist() == [0, 0, 1, 0, 0, 1]
    asked_for = _truth("regression", given, data)
    assert asked_for.metric is Metric.REGRESSION and not asked_for.is_class
    none = judge(truth, values - 1, values - 1, values - 1)
    assert none.metric is Metric.NONE and "from -1 to 4: these are no classes" in none.why


@pytest.mark.parametrize(
    ("labels", "inputs", "outputs", "metric"),
    [
        (None, (1, 4), (1, 3), Metric.NONE),
        (np.array([0, 2, 1]), (1, 4), (1, 3), Metric.ACCURACY),
        (np.array([0.0, 2.0, 1.0]), (1, 4), (1, 3), Metric.ACCURACY),
        (np.array([0, 3, 1]), (1, 4), (1, 3), Metric.NONE),
        (np.array([0, 1, 1]), (1, 4), (1, 1), Metric.ACCURACY),
        (np.array([0, 17, 40]), (1, 4), (1, 1), Metric.REGRESSION),
        (np.array([0.1, 0.2]), (1, 4), (1, 1), Metric.REGRESSION),
        (np.array([0.1, 0.2]), (1, 4), (1, 3), Metric.NONE),
        (np.zeros((2, 3)) + 0.5, (1, 4), (1, 3), Metric.REGRESSION),
        (np.array([0, 1, 1]), (1, 1, 8, 8), (1, 1, 8, 8), Metric.AUC),
    ],
)
def test_metric_follows_from_labels_and_shapes(labels, inputs, outputs, metric):
    chosen, why = choose_metric(labels, inputs, outputs)

    assert chosen is metric and why
    require_metric(chosen, labels, outputs)


@pytest.mark.parametrize(
    ("labels", "want"),
    [
        (np.eye(3), [0, 1, 2]),
        (np.eye(3, dtype=int).reshape(3, 1, 3)[[2, 0]], [2, 0]),
        (np.eye(3) * 2, None),
        (1 - np.eye(3), None),
        (np.array([[0.5, 0.5, 0.0]]), None),
        (np.array([0, 1, 1]), None),
        (None, None),
    ],
    ids=["real", "whole", "not 1", "several classes", "shares", "numbers", "none"],
)
def test_one_hot_labels_are_classes(labels, want):
    """They were taken for a regression's targets, and no accuracy was told."""
    given = sample.artifact(outputs=(sample.tensor("y", shape=(1, 3), dim_order=(0, 1)),))
    data = EvaluationData((), labels, "")

    truth = _truth(None, given, data)

    if want is not None:
        assert truth.metric is Metric.ACCURACY and truth.labels.tolist() == want
        assert _truth("accuracy", given, data).labels.tolist() == want
        assert _truth("regression", given, data).labels is labels
    else:
        assert truth.labels is labels


@pytest.mark.parametrize(
    ("metric", "labels", "message"),
    [
        (Metric.ACCURACY, None, "the data has no labels"),
        (Metric.ACCURACY, np.array([0, 3]), "from 0 to 2; they go from 0 to 3"),
        (Metric.ACCURACY, np.array([0.5, 1]), "one whole number each"),
        (Metric.AUC, np.array([0, 2]), "from 0 to 1"),
        (Metric.ACCURACY, np.zeros((2, 4), int), "they are several each"),
        (Metric.REGRESSION, np.zeros((2, 4)), r"a label has shape \[4\], the output \[1, 3\]"),
    ],
)
def test_metric_that_labels_are_not_for_is_refused(metric, labels, message):
    with pytest.raises(ConfigError, match=message):
        require_metric(metric, labels, (1, 3))


# -- samples that differ


def test_samples_that_differ_are_saved_as_infer_takes_them(tmp_path):
    artifact = sample.artifact()
    samples = [(bytes(range(n, n + 16)),) for n in range(40)]
    expected = [(bytes(16),)] * 40
    outputs = [*expected]
    outputs[7] = (bytes(15) + b"\1",)
    classes = np.zeros(40, int)
    wrong = np.where(np.arange(40) >= 10, 1, 0)
    chosen = {"float": classes, "int8_host": classes, "device": wrong}
    judged = Judgement(labels=classes, chosen=chosen, class_names=("no", "yes"))

    def save(found):
        return save_differing(
            tmp_path, artifact, samples, expected, found, judged, model="m.py:make", data="x.npz"
        )

    found = save(outputs)
    index = json.loads(found.index.read_text())

    assert found.kinds == {"host": (7,), "float": (*range(10, 40),), "label": (*range(10, 40),)}
    assert index["kinds"]["float"]["count"] == 30
    assert [row["sample"] for row in index["saved"]] == [7, *range(10, 10 + MOST_SAVED)]
    first = index["saved"][0]
    assert first["kinds"] == ["host"] and first["device_class"] == first["label"] == "no"
    assert index["saved"][1]["device_class"] == "yes"
    assert read_input(tmp_path / first["files"][0], artifact.inputs[0]) == samples[7][0]
    assert index["command"] == "mcugen infer m.py:make --input 000007-x.npy --output out0.npy"
    (tmp_path / "notes.npy").write_bytes(b"the user's own")
    judged = Judgement()
    assert save(expected).index is None
    assert [path.name for path in tmp_path.iterdir()] == ["notes.npy"]
