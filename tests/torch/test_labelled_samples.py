# SPDX-License-Identifier: BSD-3-Clause
"""Labelled samples of a user's own, and what the user's module makes of them in float."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import samples_of_specs as sample
import torch

from mcugen.base.errors import ConfigError, QuantizationError
from mcugen.export import evaluation
from mcugen.export.labelled import labelled

pytestmark = pytest.mark.torch

SHAPE = (1, 1, 2, 3)
ARTIFACT = sample.artifact(
    inputs=(sample.tensor("x", shape=SHAPE, dim_order=(0, 1, 2, 3)),),
    outputs=(sample.tensor("y", shape=(1, 4), dim_order=(0, 1)),),
)
FACTORY = """
import pathlib
from types import SimpleNamespace
import numpy as np, torch
from torch.utils.data import DataLoader, Dataset

COUNT = 20
x = np.random.RandomState(1).rand(COUNT, 1, 2, 3).astype(np.float32)
y = np.arange(COUNT) % 4

class Pairs(Dataset):
    classes = ("a", "b", "c", "d")
    def __len__(self): return COUNT
    def __getitem__(self, index): return torch.from_numpy(x[index]), int(y[index])

def described(evaluation):
    torch.manual_seed(pathlib.Path(__file__).with_name("weights.txt").read_text().count("x"))
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 4))
    inputs = (torch.zeros(1, 1, 2, 3),)
    return SimpleNamespace(module=module, example_inputs=inputs, evaluation=evaluation)

def dataset(): return described(Pairs())
def loader(): return described(DataLoader(Pairs(), batch_size=7, shuffle=True))
def one_by_one(): return described(DataLoader(Pairs(), batch_size=1))
def arrays(): return described((x, y))
def stream(): return described((item for item in zip(x, y)))
def measured(): return described((x, y + 0.5))
def several(): return described((x, np.stack([y, y, y, y], axis=1) / 3))
def unlabelled(): return described(x)
def nothing(): return described(None)
def words(): return described([(a, "cat") for a in x])
def named():
    made = described([(a, "dcba"[b]) for a, b in zip(x, y)])
    made.class_names = ("d", "c", "b", "a")
    return made
def gaps(): return described([(a, 1) if a.sum() > 3 else (a,) for a in x])
def nan(): return described((x * np.float32("nan"), y))
def broken():
    made = described(Pairs())
    made.module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(5, 4))
    return made
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "weights.txt").write_text("x")
    (tmp_path / "model.py").write_text(FACTORY)
    return f"{tmp_path / 'model.py'}:"


def by_hand(inputs: np.ndarray, seed: int = 1) -> np.ndarray:
    """Return what the module gives in plain PyTorch."""
    torch.manual_seed(seed)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 4))
    with torch.no_grad():
        return module(torch.from_numpy(inputs)).numpy()


@pytest.mark.parametrize("factory", ["dataset", "loader", "one_by_one", "arrays", "stream"])
def test_every_kind_of_evaluation_gives_the_same_samples(model, factory):
    found = labelled(model + factory, ARTIFACT, 100, data=None)

    values = found.inputs[0].reshape(20, 1, 2, 3)
    order = np.argsort(values[:, 0, 0, 0])
    x = np.random.RandomState(1).rand(20, 1, 2, 3).astype(np.float32)
    wanted = np.argsort(x[:, 0, 0, 0])
    assert (values[order] == x[wanted]).all()
    assert found.labels.dtype == np.int64 and (found.labels[order] == wanted % 4).all()
    assert np.allclose(found.outputs[0].reshape(20, 4), by_hand(values), atol=1e-6)
    names = () if factory in ("arrays", "stream") else ("a", "b", "c", "d")
    assert found.class_names == names


def test_some_are_drawn_by_a_seed(model):
    one, two = (labelled(model + "dataset", ARTIFACT, 8, data=None) for _ in range(2))

    assert one.labels.tolist() == two.labels.tolist() and len(one.labels) == 8
    assert one.labels.tolist() != [index % 4 for index in range(8)]
    assert "8 samples drawn by seed 0" in one.provenance


def test_a_second_time_the_factory_is_not_called(model, monkeypatch, tmp_path):
    before = [labelled(model + name, ARTIFACT, 8, data=None) for name in ("dataset", "nothing")]
    with monkeypatch.context() as patch:
        patch.setattr("mcugen.model.load.load_model", None)
        again = [labelled(model + name, ARTIFACT, 8, data=None) for name in ("dataset", "nothing")]

    assert before[1] is None and again[1] is None
    assert (before[0].outputs[0] == again[0].outputs[0]).all()
    assert (before[0].labels == again[0].labels).all()
    assert before[0].class_names == again[0].class_names
    (tmp_path / "weights.txt").write_text("xx")  # other weights: run anew
    changed = labelled(model + "dataset", ARTIFACT, 8, data=None)
    values = changed.inputs[0].reshape(8, 1, 2, 3)
    assert np.allclose(changed.outputs[0].reshape(8, 4), by_hand(values, seed=2), atol=1e-6)


def test_files_are_scaled_as_calibration_is(model, tmp_path):
    pixels = np.random.RandomState(2).randint(0, 256, (10, 2, 3)).astype(np.uint8)
    labels = np.arange(10) % 4
    np.savez(tmp_path / "set.npz", x=pixels, y=labels)
    data = str(tmp_path / "set.npz")
    for scaling, low, high in ((None, 0, 1), ("-1..1", -1, 1)):
        found = labelled(model + "nothing", ARTIFACT, 100, data=data, pixels=scaling)
        want = (pixels / 255 * (high - low) + low).astype(np.float32).reshape(10, 1, 2, 3)
        assert np.allclose(found.inputs[0].reshape(want.shape), want, atol=1e-6)
        assert np.allclose(found.outputs[0].reshape(10, 4), by_hand(want), atol=1e-5)
        assert found.labels.tolist() == labels.tolist()


def test_text_is_numbered_as_the_model_numbers_its_classes(model, tmp_path):
    """Of data with two of four classes: these were 0 and 1, and a good model was at 0 %."""
    np.savez(tmp_path / "set.npz", x=np.zeros((4, 1, 2, 3), np.float32), y=list("abba"))
    data = str(tmp_path / "set.npz")

    known = evaluation.chosen_data(model + "named", ARTIFACT, 9, data=data)
    unknown = evaluation.chosen_data(model + "nothing", ARTIFACT, 9, data=data)

    assert known.labels.tolist() == [3, 2, 2, 3] and known.warnings == ()
    assert known.class_names == ("d", "c", "b", "a")
    assert unknown.labels.tolist() == [0, 1, 1, 0]
    assert "2 classes, the model's output has 4 places: a is 0, b is 1" in unknown.warnings[0]
    own = labelled(model + "named", ARTIFACT, 100, data=None)
    values = own.inputs[0].reshape(20, -1)[:, 0]
    x = np.random.RandomState(1).rand(20, 1, 2, 3).astype(np.float32)[:, 0, 0, 0]
    assert [int(np.flatnonzero(x == value)[0]) % 4 for value in values] == own.labels.tolist()


def test_real_labels_stay_real(model, tmp_path):
    assert labelled(model + "measured", ARTIFACT, 9, data=None).labels.dtype == np.float64
    assert labelled(model + "several", ARTIFACT, 9, data=None).labels.shape == (9, 4)
    wanted = [0.5, 1.25, -3, 4]
    np.savez(tmp_path / "real.npz", x=np.zeros((4, 1, 2, 3), np.float32), y=wanted)
    found = labelled(model + "nothing", ARTIFACT, 9, data=str(tmp_path / "real.npz"))
    assert found.labels.tolist() == wanted


def test_without_labels_there_is_the_model_in_float(model):
    found = evaluation.chosen_data(model + "unlabelled", ARTIFACT, 6)

    assert found.labels is None and found.samples == 6
    assert found.float_outputs.shape == (6, 1, 4)
    assert "random" in evaluation.chosen_data(model + "nothing", ARTIFACT, None).provenance
    assert (
        "random" in evaluation.chosen_data(model + "dataset", ARTIFACT, 3, data="random").provenance
    )


@pytest.mark.parametrize(
    ("factory", "error", "message"),
    [
        ("words", ConfigError, "labels are <U3, not numbers"),
        ("gaps", ConfigError, r"has \d+ of 20 samples without a label"),
        ("nan", ConfigError, "20 of 20 samples hold NaN"),
        ("broken", QuantizationError, "does not run on sample 0"),
    ],
)
def test_what_cannot_be_used_says_why(model, factory, error, message):
    with pytest.raises(error, match=message):
        labelled(model + factory, ARTIFACT, 100, data=None)


def test_a_pt2_with_an_open_axis_has_the_programs_shapes(tmp_path, monkeypatch):
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "cache"))
    torch.manual_seed(1)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 4))
    batch = {0: torch.export.Dim("batch", max=64)}
    example = (torch.zeros(2, 1, 2, 3),)
    program = torch.export.export(module, example, dynamic_shapes=(batch,))
    torch.export.save(program, tmp_path / "net.pt2")
    x = np.random.RandomState(3).rand(5, 2, 3).astype(np.float32)
    np.savez(tmp_path / "set.npz", x=x, y=np.arange(5) % 4)
    path, data = str(tmp_path / "net.pt2"), str(tmp_path / "set.npz")
    found = labelled(path, ARTIFACT, 100, data=data)

    want = by_hand(x.reshape(5, 1, 2, 3))
    assert np.allclose(found.outputs[0].reshape(5, 4), want, atol=1e-6)


def test_a_pte_has_samples_but_no_model_in_float(tmp_path, monkeypatch):
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "some.pte").write_bytes(b"not read here")
    x = np.full((3, 1, 2, 3), 0.5, np.float32)
    np.savez(tmp_path / "set.npz", x=x, y=[0, 1, 2])
    path, data = str(tmp_path / "some.pte"), str(tmp_path / "set.npz")
    found = evaluation.chosen_data(path, ARTIFACT, None, data=data)

    assert found.float_outputs is None and found.labels.tolist() == [0, 1, 2]
    assert (found.inputs[0] == 4).all()  # scale 0.5, zero point 3
