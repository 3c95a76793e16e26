# SPDX-License-Identifier: BSD-3-Clause
"""How far a `.pte` is from its model: figures, causes, words, and when it is refused. No torch."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mcugen.base.errors import LoweringError
from mcugen.export.fidelity import Fidelity, InputFidelity, OutputFidelity, not_compared
from mcugen.export.figures import Values, describe, sqnr_db
from mcugen.program.artifact import TensorSpec


def output(name: str = "output0", db: float | None = 36.1, **more) -> OutputFidelity:
    values = {"max_error": 0.1, "top_class": 0.98, "at_limits": 0.0, "columns": ()}
    return OutputFidelity(name, db, 40.0, **(values | more))


def fidelity(*outputs: OutputFidelity, causes: tuple[str, ...] = ()) -> Fidelity:
    inputs = (InputFidelity("input0", 0.01, 0.0),)
    return Fidelity(64, "a test", outputs or (output(),), inputs, causes)


def test_one_line_says_it():
    assert fidelity().summary == "against your model in float: 36.1 dB, top class 98 %"
    two = fidelity(output(top_class=None), output("output1", 21.0, top_class=None))
    assert two.summary == "against your model in float: 21.0 dB (output1, the worst of 2)"
    equal = fidelity(output(db=None, max_error=0.0, top_class=None))
    assert equal.summary == "against your model in float: equal"


def test_what_was_not_compared_is_not_praised():
    assert not_compared().summary == "not compared with a model"
    assert not_compared("it does not run").summary == "not compared with a model: it does not run"
    assert not_compared().warning is None
    not_compared().refuse_loss("net")


@pytest.mark.parametrize("value", [fidelity(), not_compared("why"), fidelity(output(db=None))])
def test_json_and_back(value):
    document = json.loads(json.dumps(value.to_json(), allow_nan=False))

    assert document["summary"] == value.summary
    assert Fidelity.from_json(document) == value


def test_a_good_one_is_no_warning_and_a_poor_one_names_the_cause():
    assert fidelity().warning is None
    poor = fidelity(output(db=15.0), causes=("input0 saturates",))
    assert "15.0 dB" in poor.warning and "input0 saturates" in poor.warning
    assert "88 %" in fidelity(output(top_class=0.88)).warning
    # Of few samples the share of top classes says little.
    assert replace(fidelity(output(top_class=0.75)), samples=4).warning is None


def test_below_ten_decibels_is_refused():
    fidelity(output(db=10.0)).refuse_loss("net")

    with pytest.raises(LoweringError, match=r"net: .* 9\.9 dB.*another model") as caught:
        fidelity(output(db=9.9), causes=("calibration of one class",)).refuse_loss("net")

    assert "Likely cause: calibration of one class" in caught.value.message
    assert "--accept-loss" in caught.value.hint
    assert caught.value.exit_code == 5


# --- figures ---


def spec(name: str, shape: tuple[int, ...], scale: float = 0.01) -> TensorSpec:
    return TensorSpec(name, shape, tuple(range(len(shape))), "int8", scale, 0, True)


def described(real, pte, *, inputs=None, scale=0.01, random=False, data="a test"):
    """The figures of a model with one input of 30 numbers and an output [1, n]."""
    out = spec("output0", real.shape[1:], scale)
    raw = np.clip(np.rint(pte / scale), -128, 127).astype(np.int8)
    values = Values(out, pte, pte, pte, raw, real)
    if inputs is None:
        inputs = np.random.RandomState(0).uniform(-1, 1, (len(real), 1, 30))
    samples = [(SimpleNamespace(numpy=lambda row=row: row),) for row in inputs]
    artifact = SimpleNamespace(inputs=(spec("input0", inputs.shape[1:]),))
    return describe([values], samples, artifact, data=data, random=random)


def test_figures_of_an_output_and_its_columns():
    real = np.random.RandomState(1).uniform(-1, 1, (20, 1, 3))
    pte = real.copy()
    pte[:, 0, 2] += 0.05

    (got,) = described(real, pte).outputs

    assert got.sqnr_db == pytest.approx(sqnr_db(real, pte), abs=0.01)
    assert got.max_error == pytest.approx(0.05)
    assert [column.sqnr_db for column in got.columns[:2]] == [None, None]  # equal
    assert got.columns[2].sqnr_db == pytest.approx(20.8, abs=2)
    assert 0.8 < got.top_class <= 1


def test_masks_of_infinity_are_no_noise():
    real = np.array([[1.0, -np.inf], [2.0, -np.inf]])

    assert sqnr_db(real, real) == np.inf
    assert sqnr_db(real, np.array([[1.0, 0.0], [2.0, -np.inf]])) < 10


def test_names_columns_of_different_size_in_one_scale():
    inputs = np.random.RandomState(0).uniform(-1, 1, (20, 1, 30))
    inputs[:, :, 4] *= 0.001
    real = np.random.RandomState(1).uniform(-1, 1, (20, 1, 3))

    (cause,) = described(real, real, inputs=inputs).causes

    assert "one scale for columns of input0 that differ by" in cause and "1 of 30" in cause


def test_names_an_input_that_saturates_and_an_output_at_its_limit():
    inputs = np.random.RandomState(0).uniform(-2, 2, (20, 1, 30))  # int8 reaches 1.27
    real = np.random.RandomState(1).uniform(-2, 2, (20, 1, 3))

    causes = described(real, np.clip(real, -1.28, 1.27), inputs=inputs).causes

    assert "input0 saturates" in causes[0]
    assert "output0 is at a limit of int8" in causes[1]


def test_names_a_calibration_of_one_class_unless_it_is_noise():
    real = np.random.RandomState(1).uniform(0, 0.5, (20, 1, 3))
    real[:, 0, 1] += 0.6

    (cause,) = described(real, real).causes

    assert "calibration of one class" in cause and "the class 1 for each of 20" in cause
    assert described(real, real, random=True).causes == ()


@pytest.mark.parametrize(
    ("data", "images", "words"),
    [
        ("png, bytes taken as 0..255", 255, "bytes were taken as 0..255: .* --pixels"),
        ("the model's own", 255, r"whole numbers of 0\.\.255: .* divide by 255"),
        ("the model's own", 1, r"each of 20 samples$"),
    ],
)
def test_images_of_another_range_are_a_cause_of_one_class(data, images, words):
    """A model trained on 0..1 gives one class to all images of 0..255; the figures look good."""
    real = np.zeros((20, 1, 3))
    real[:, 0, 1] = 0.6
    random = np.random.RandomState(0)
    inputs = random.randint(0, 256, (20, 1, 3, 4, 4)).astype(np.float32) * (images / 255)

    causes = described(real, real, inputs=inputs, data=data).causes

    assert any(re.search(f"calibration of one class: .*{words}", cause) for cause in causes)
