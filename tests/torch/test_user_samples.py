# SPDX-License-Identifier: BSD-3-Clause
"""What people hand over as samples and example inputs, and what becomes of it."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mcugen.base.errors import ConfigError
from mcugen.export.calibration import Calibration, choose_calibration
from mcugen.export.rows import rows_of
from mcugen.model.batch import pin_batch
from mcugen.model.data import spread
from mcugen.model.source import ModelKind, ModelRef, ModelSource, resolve_model

pytestmark = pytest.mark.torch

X = torch.arange(40 * 6, dtype=torch.float32).reshape(40, 2, 3)
EXAMPLE = (torch.zeros(1, 2, 3),)
LABELS = torch.arange(40)

SOURCES = {
    "list of samples with the batch axis": list(X.split(1)),
    "list of samples without it": list(X),
    "one tensor": X,
    "numpy arrays": [row[None] for row in X.double().numpy()],
    "dataset with labels": TensorDataset(X, LABELS),
    "loader of pairs, one by one": DataLoader(TensorDataset(X, LABELS), batch_size=1),
    "loader of batches": DataLoader(X, batch_size=16),
    "generator": (row for row in X),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_form_gives_the_samples(source):
    rows = rows_of(source, EXAMPLE, 100, seed=0)

    assert sorted(float(row[0][0, 0, 0]) for row in rows) == [6.0 * i for i in range(40)]
    assert all(row[0].shape == (1, 2, 3) and row[0].dtype == torch.float32 for row in rows)


@pytest.mark.parametrize(
    "make",
    [
        lambda: list(X),
        lambda: DataLoader(X, batch_size=8),
        lambda: (row for row in X),
        lambda: [X[:20], X[20:]],
    ],
    ids=["list", "loader", "generator", "two large batches"],
)
def test_few_samples_are_drawn_from_all_of_sorted_data(make):
    """The first ten of data that lies by class are one class."""
    rows = rows_of(make(), EXAMPLE, 10, seed=0)
    again = rows_of(make(), EXAMPLE, 10, seed=0)

    first = [float(row[0][0, 0, 0]) / 6 for row in rows]
    assert len(first) == 10 == len(set(first))
    assert min(first) < 15 and max(first) > 25
    assert [row[0].tolist() for row in again] == [row[0].tolist() for row in rows]


def test_an_endless_generator_ends():
    def endless():
        while True:
            yield X[0]

    assert len(rows_of(endless(), EXAMPLE, 10, seed=0)) == 10


def test_several_inputs_and_labels():
    items = [(X[i : i + 1], torch.ones(1, 4) * i, torch.tensor(i)) for i in range(5)]
    rows = rows_of(items, (EXAMPLE[0], torch.zeros(1, 4)), 10, seed=0)

    assert [tuple(value.shape for value in row) for row in rows] == [((1, 2, 3), (1, 4))] * 5


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (torch.zeros(1, 3, 2), r"sample 0 has shape \[1, 3, 2\], the model takes \[1, 2, 3\]"),
        ({"x": 1}, "sample 0 is of type dict"),
        ((), "sample 0 has 0 inputs, the model takes 1"),
    ],
)
def test_what_does_not_fit_is_named(item, words):
    with pytest.raises(ConfigError, match=words):
        rows_of([item], EXAMPLE, 10, seed=0)


def test_spread_takes_all_where_there_are_few():
    assert spread(3, 5, 0) == [0, 1, 2]
    assert spread(5, 3) == [0, 1, 2]
    assert sorted(spread(100, 100, 7)) == list(range(100))


# -- files


def calibrated(path, shape, pixels=None) -> Calibration:
    source = ModelSource("net", nn.Identity(), (torch.zeros(shape),), None, None, "a test")
    return choose_calibration(ModelRef(ModelKind.PT2, "net"), source, str(path), pixels)


def test_sorted_npz_is_spread(tmp_path):
    values = np.repeat(np.arange(3, dtype=np.float32), 200)[:, None]
    np.savez(tmp_path / "sorted.npz", x=values, y=values[:, 0])

    samples = calibrated(tmp_path / "sorted.npz", (1, 1)).samples

    assert {float(row[0]) for row in samples} == {0.0, 1.0, 2.0}


@pytest.mark.parametrize(
    ("pixels", "low", "high"), [(None, 0, 1), ("-1..1", -1, 1), ("0..255", 0, 255)]
)
def test_bytes_become_what_the_model_was_trained_on(tmp_path, pixels, low, high):
    np.save(tmp_path / "black.npy", np.zeros((4, 4, 1), np.uint8))
    np.save(tmp_path / "white.npy", np.full((4, 4, 1), 255, np.uint8))

    calibration = calibrated(tmp_path, (1, 1, 4, 4), pixels)

    assert sorted(float(row[0].max()) for row in calibration.samples) == [low, high]
    assert f"bytes taken as {pixels or '0..1'}" in calibration.provenance


def test_unknown_pixels_are_refused(tmp_path):
    np.save(tmp_path / "black.npy", np.zeros((4, 4, 1), np.uint8))

    with pytest.raises(ConfigError, match=r"pixels cannot be '0\.\.2'") as caught:
        calibrated(tmp_path, (1, 1, 4, 4), "0..2")
    assert "0..255" in caught.value.hint


# -- batches


class Reshaping(nn.Module):
    """Not a batch: the rows meet."""

    def forward(self, x):
        return x - x.mean(0, keepdim=True)


def test_a_batch_of_example_inputs_becomes_one():
    (one,), note = pin_batch(nn.Linear(3, 2).eval(), (torch.randn(8, 3),))

    assert one.shape == (1, 3)
    assert "batch of 8" in note


def test_a_batch_of_several_inputs_becomes_one():
    inputs = (torch.randn(5, 3), torch.randn(5, 4))

    pinned, note = pin_batch(nn.Bilinear(3, 4, 2).eval(), inputs)

    assert [tuple(value.shape) for value in pinned] == [(1, 3), (1, 4)]
    assert "batch of 5" in note


def test_an_input_without_the_batch_axis_stays_whole():
    class Weighted(nn.Module):
        def forward(self, x, weights):
            return x * weights

    pinned, note = pin_batch(Weighted(), (torch.randn(5, 3), torch.randn(3)))

    assert [tuple(value.shape) for value in pinned] == [(1, 3), (3,)]
    assert "batch of 5" in note


class Fixed(nn.Module):
    """Takes no other batch."""

    def forward(self, x):
        return x.view(4, -1) * 2


@pytest.mark.parametrize(
    ("module", "inputs", "words"),
    [
        (Reshaping(), (torch.randn(8, 3),), "8 rows, and the model does not treat them apart"),
        (nn.Flatten(0), (torch.randn(4, 3),), "4 rows, and the model does not treat them apart"),
        (Fixed(), (torch.randn(4, 3, 2),), r"does not take one alone \(RuntimeError: shape"),
        (nn.Linear(3, 2), (torch.randn(1, 3),), None),
        (nn.Linear(3, 2), (torch.randn(3),), None),
    ],
    ids=["rows that meet", "flattened away", "hard view", "one already", "no batch axis"],
)
def test_what_is_no_batch_stays_and_is_said(module, inputs, words):
    """A firmware that takes four images at a time must not come as a surprise."""
    pinned, note = pin_batch(module.eval(), inputs)

    assert pinned is inputs
    assert (note is None) if words is None else re.search(words, note)


# -- factories and .pt2


FACTORIES = """
import torch
from torch import nn
def batch(): return nn.Linear(3, 2).eval(), torch.randn(8, 3), [torch.randn(8, 3)]
def train(): return nn.Sequential(nn.Linear(3, 2), nn.Dropout()), torch.zeros(1, 3)
"""


def load(text: str) -> ModelSource:
    from mcugen.model.load import load_model

    return load_model(resolve_model(text))


def test_a_factory_s_batch_is_pinned_and_said(tmp_path):
    (tmp_path / "nets.py").write_text(FACTORIES)

    source = load(f"{tmp_path / 'nets.py'}:batch")

    assert source.example_inputs[0].shape == (1, 3)
    assert "batch of 8" in source.notes[0]
    assert len(rows_of(source.calibration, source.example_inputs, 10, seed=0)) == 8


def test_train_mode_is_switched_and_said(tmp_path):
    (tmp_path / "nets.py").write_text(FACTORIES)

    source = load(f"{tmp_path / 'nets.py'}:train")

    assert not source.module.training
    assert "train mode" in source.notes[0]
