# SPDX-License-Identifier: BSD-3-Clause
"""What people hand over as samples and example inputs, and what becomes of it."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler, TensorDataset

from mcugen.base.errors import ConfigError
from mcugen.export.calibration import Calibration, choose_calibration
from mcugen.export.rows import labelled_rows_of, rows_of
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
    "loader of batches, the last one short": DataLoader(X, batch_size=16),
    "shuffling loader": DataLoader(TensorDataset(X, LABELS), batch_size=16, shuffle=True),
    "loader of its own sampler": DataLoader(X, batch_size=16, sampler=list(range(40))),
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
        lambda: DataLoader(X, batch_size=8, shuffle=True),
        lambda: DataLoader(X, batch_size=8, sampler=SubsetRandomSampler(range(40))),
        lambda: (row for row in X),
        lambda: [X[:20], X[20:]],
    ],
    ids=["list", "loader", "shuffling loader", "drawing loader", "generator", "two batches"],
)
def test_few_samples_are_drawn_from_all_of_sorted_data(make):
    """The first ten of data that lies by class are one class."""
    rows = rows_of(make(), EXAMPLE, 10, seed=0)
    again = rows_of(make(), EXAMPLE, 10, seed=0)

    first = [float(row[0][0, 0, 0]) / 6 for row in rows]
    assert len(first) == 10 == len(set(first))
    assert min(first) < 15 and max(first) > 25
    assert [row[0].tolist() for row in again] == [row[0].tolist() for row in rows]


def test_a_loader_of_much_sorted_data_is_drawn_from_to_its_end():
    """In a loader's own order, only the first few thousand would be looked at."""

    class Sorted(Dataset):
        def __len__(self):
            return 100_000

        def __getitem__(self, index):
            return torch.full((2, 3), float(index)), index // 10_000

    rows = rows_of(DataLoader(Sorted(), batch_size=1), EXAMPLE, 100, seed=0)

    assert {int(row[0][0, 0, 0]) // 10_000 for row in rows} == set(range(10))


def test_an_endless_generator_ends():
    def endless():
        while True:
            yield X[0]

    assert len(rows_of(endless(), EXAMPLE, 10, seed=0)) == 10


def test_several_inputs_and_labels():
    items = [(X[i : i + 1], torch.ones(1, 4) * i, torch.tensor(i)) for i in range(5)]
    rows = rows_of(items, (EXAMPLE[0], torch.zeros(1, 4)), 10, seed=0)

    assert [tuple(value.shape for value in row) for row in rows] == [((1, 2, 3), (1, 4))] * 5


@pytest.mark.parametrize("loader", [False, True], ids=["dataset", "loader"])
def test_dicts_of_an_input_and_a_label(loader):
    """As Hugging Face's and many a Dataset's samples are."""
    items = [{"label": i, "pixel_values": X[i]} for i in range(40)]
    data = DataLoader(items, batch_size=7) if loader else items

    rows = labelled_rows_of(data, EXAMPLE, 100, seed=0)

    assert sorted(int(label) for _, label in rows) == list(range(40))
    assert all(float(row[0][0, 0, 0]) == 6.0 * int(label) for row, label in rows)


def test_a_dict_of_several_inputs_is_refused():
    with pytest.raises(ConfigError, match="'x', 'y', the model takes 2 inputs"):
        rows_of([{"x": X[0], "y": X[0]}], (EXAMPLE[0], EXAMPLE[0]), 10, seed=0)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (torch.zeros(1, 3, 2), r"sample 0 has shape \[1, 3, 2\], the model takes \[1, 2, 3\]"),
        ({"a": X[0], "b": 2}, "sample 0 is a dict with 'a', 'b': which one is the input"),
        ({"x": X[0], "image": X[0]}, "sample 0 is a dict with 'x', 'image': which one"),
        ("cat", "sample 0 is of type str"),
        ((), "sample 0 has 0 inputs, the model takes 1"),
    ],
)
def test_what_does_not_fit_is_named(item, words):
    with pytest.raises(ConfigError, match=words):
        rows_of([item], EXAMPLE, 10, seed=0)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"x": X}, "of type dict with 'x': not samples"),
        ("samples.npz", "of type str: not samples"),
        (5, "of type int: not samples"),
        (lambda: iter(X), "of type function: not samples"),
    ],
)
def test_what_is_no_collection_of_samples_is_named(source, words):
    with pytest.raises(ConfigError, match=words):
        rows_of(source, EXAMPLE, 10, seed=0)


@pytest.mark.parametrize(
    ("source", "instead"),
    [
        ((X, LABELS), "list(zip(samples, labels))"),
        (list(X.movedim(1, -1).reshape(20, 2, 3, 2)), "A sample is one tensor of [2, 3]"),
    ],
)
def test_what_to_write_instead_of_a_sample_of_another_shape(source, instead):
    with pytest.raises(ConfigError, match="the model takes") as caught:
        rows_of(source, EXAMPLE, 40, seed=0)
    assert instead in caught.value.hint


def test_channels_last_samples_are_told_from_others():
    with pytest.raises(ConfigError, match="the model takes") as caught:
        rows_of([torch.zeros(4, 5, 3)], (torch.zeros(1, 3, 4, 5),), 10, seed=0)
    assert "movedim(-1, -3)" in caught.value.hint


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


def test_a_factory_s_bytes_are_scaled_like_those_of_files():
    source = ModelSource(
        *("net", nn.Identity(), (torch.zeros(1, 2),)),
        *([torch.tensor([0, 255], dtype=torch.uint8)], None, "a test"),
    )
    calibration = choose_calibration(ModelRef(ModelKind.FACTORY, "net"), source, None)

    assert calibration.samples[0][0].tolist() == [[0, 1]]
    assert "bytes taken as 0..1" in calibration.provenance


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_no_range_covers_are_counted(tmp_path, value):
    values = np.zeros((5, 3), np.float32)
    values[2, 1] = value
    np.savez(tmp_path / "holes.npz", x=values)

    with pytest.raises(ConfigError, match="1 of 5 calibration samples hold NaN or infinite"):
        calibrated(tmp_path / "holes.npz", (1, 3))


@pytest.mark.parametrize("labels", [["cat", "dog"], np.array([{}, {}], object)])
def test_labels_that_are_no_numbers_do_not_matter(tmp_path, labels):
    np.savez(tmp_path / "named.npz", x=np.zeros((2, 3), np.float32), y=labels)

    assert len(calibrated(tmp_path / "named.npz", (1, 3)).samples) == 2


def test_whole_numbers_stay_so_for_a_model_that_takes_them(tmp_path):
    """They reached nn.Embedding as floats."""
    np.savez(tmp_path / "words.npz", x=np.arange(8).reshape(2, 4))
    np.savez(tmp_path / "floats.npz", x=np.zeros((2, 4)))
    words = (torch.zeros(1, 4, dtype=torch.long),)
    source = ModelSource("net", nn.Embedding(9, 2), words, None, None, "a test")
    ref = ModelRef(ModelKind.PT2, "net")

    rows = choose_calibration(ref, source, str(tmp_path / "words.npz")).samples

    assert [row[0].dtype for row in rows] == [torch.int64] * 2
    assert rows[1][0].tolist() == [[4, 5, 6, 7]]
    with pytest.raises(ConfigError, match="samples are float64 where the model takes int64"):
        choose_calibration(ref, source, str(tmp_path / "floats.npz"))


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
def samples_second(): return nn.Linear(3, 2), [torch.zeros(1, 3)] * 30
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


def test_samples_in_the_place_of_the_example_are_told(tmp_path):
    (tmp_path / "nets.py").write_text(FACTORIES)

    with pytest.raises(ConfigError, match=r"30 example inputs for forward\(input") as caught:
        load(f"{tmp_path / 'nets.py'}:samples_second")
    assert "Are these samples?" in caught.value.hint
