# SPDX-License-Identifier: BSD-3-Clause
"""A `.pt2` that leaves sizes open gets one of each, by `--dim`, by its samples or its example."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.export import Dim

from mcugen.base.errors import ConfigError
from mcugen.export import pipeline
from mcugen.model.load import load_model
from mcugen.model.source import ModelSource, resolve_model

pytestmark = pytest.mark.torch


class Signals(nn.Module):
    """Takes any number of signals of any length."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 3, padding=1)

    def forward(self, x):
        return self.conv(x).relu().mean(-1)


class Flat(nn.Module):
    def forward(self, x):
        return x.reshape(1, 2, -1, x.shape[2]).mean((2, 3))


class Two(Signals):
    def forward(self, x, y):
        return super().forward(x) + y.mean(1, keepdim=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pt2")
    batch, time = Dim("batch", max=64), Dim("time", min=4, max=90)
    x, y = torch.randn(4, 3, 30), torch.randn(4, 60)

    def save(name, module, inputs, shapes):
        program = torch.export.export(module.eval(), inputs, dynamic_shapes=shapes)
        torch.export.save(program, folder / name)

    save("named.pt2", Signals(), (x,), ({0: batch, 2: time},))
    save("auto.pt2", Signals(), (x,), ({0: Dim.AUTO, 2: Dim.AUTO},))
    save("two.pt2", Two(), (x, y), ({0: batch, 2: time}, {0: batch, 1: 2 * time}))
    save("fixed.pt2", Signals(), (x,), None)
    save("even.pt2", Flat(), (torch.randn(1, 6, 10),), ({1: 2 * Dim("pairs"), 2: time},))
    image = torch.randn(1, 1, 40, 30)
    save("image.pt2", nn.AdaptiveAvgPool2d(2), (image,), ({3: time},))
    return folder


def load(path: Path, **arguments) -> ModelSource:
    return load_model(resolve_model(str(path)), **arguments)


def shapes(source: ModelSource) -> list[tuple[int, ...]]:
    return [tuple(value.shape) for value in source.example_inputs]


@pytest.mark.parametrize("name", ["named.pt2", "auto.pt2"])
def test_the_batch_is_one_and_another_axis_as_in_the_example(files, name):
    source = load(files / name)

    assert shapes(source) == [(1, 3, 30)]
    assert "batch of 4" in source.notes[0]
    assert "fixed to 30, its example's; --dim x.2=N for another" in source.notes[1]


@pytest.mark.parametrize(
    ("dims", "shape"),
    [
        ({"x.2": 4}, (1, 3, 4)),
        ({"x.2": 90}, (1, 3, 90)),
        ({"x.2": 45, "x.0": 1}, (1, 3, 45)),
        ({"x.0": 2}, (2, 3, 30)),
    ],
)
def test_a_size_that_is_asked_for_is_taken_and_said(files, dims, shape):
    source = load(files / "named.pt2", dims=dims)

    assert shapes(source) == [shape]
    for name, size in dims.items():
        assert f"{name} is fixed to {size}" in source.notes


def test_a_size_that_follows_from_another_follows(files):
    source = load(files / "two.pt2", dims={"x.2": 20})

    assert shapes(source) == [(1, 3, 20), (1, 40)]
    assert source.notes[1:] == ("x.2 is fixed to 20",)


def test_a_size_is_taken_beside_one_that_has_no_name(files):
    source = load(files / "even.pt2", dims={"x.2": 48})

    assert shapes(source) == [(1, 6, 48)]


def test_a_sample_may_lack_the_axes_of_size_1(files):
    source = load(files / "image.pt2", sample_shape=(40, 60))

    assert shapes(source) == [(1, 1, 40, 60)]


def test_the_symbol_of_the_file_is_a_name_too(files):
    with pytest.raises(ConfigError, match=r"its size in two\.pt2 is 2\*s\d+") as caught:
        load(files / "two.pt2", dims={"y.1": 40})
    symbol = caught.value.message.rpartition("*")[2]

    assert "x.2" in caught.value.hint
    assert shapes(load(files / "two.pt2", dims={symbol: 20})) == [(1, 3, 20), (1, 40)]


@pytest.mark.parametrize("sample", [(3, 48), (1, 3, 48)])
def test_samples_give_their_size(files, sample):
    source = load(files / "named.pt2", sample_shape=sample)

    assert shapes(source) == [(1, 3, 48)]
    assert "fixed to 48, that of the calibration samples" in source.notes[1]


@pytest.mark.parametrize(
    ("name", "arguments", "words", "hint"),
    [
        (
            "named.pt2",
            {"dims": {"time": 9}},
            r"x\.0 \(1\.\.64, .*x\.2 \(4\.\.90",
            "torch.export.Dim",
        ),
        ("named.pt2", {"dims": {"x.1": 9}}, "no open size of that name", "Did you mean x."),
        ("named.pt2", {"dims": {"x.2": 3}}, r"x\.2=3: .* sizes of 4\.\.90", None),
        ("named.pt2", {"dims": {"x.2": 91}}, r"x\.2=91: .* sizes of 4\.\.90", None),
        ("two.pt2", {"dims": {"x.0": 2, "y.0": 3}}, r"x\.0, y\.0 are one", None),
        ("fixed.pt2", {"dims": {"x.2": 9}}, r"every size is fixed in fixed\.pt2", "dynamic_shapes"),
        ("named.pt2", {"sample_shape": (3, 91)}, r"\[1\.\.64, 3, 4\.\.90\]", "NHWC"),
    ],
)
def test_a_size_that_cannot_be_is_refused(files, name, arguments, words, hint):
    with pytest.raises(ConfigError, match=words) as caught:
        load(files / name, **arguments)
    assert hint is None or hint in caught.value.hint


@pytest.mark.parametrize("text", ["x.2", "x.2=", "x.2=0", "x.2=-1", "x.2=1.5", "=3", "x.2=2,3"])
def test_what_is_no_size_is_refused(files, text):
    with pytest.raises(ConfigError, match="is not NAME=N"):
        pipeline.build_artifact(str(files / "named.pt2"), cpu="cortex-m4", dims=(text,))


def test_a_model_without_open_sizes_takes_none():
    with pytest.raises(ConfigError, match=r"--dim is for a \.pt2 .*; digits has none"):
        pipeline.build_artifact("digits", cpu="cortex-m4", dims=("x.2=4",))


def test_each_size_is_a_program_of_its_own(files, tmp_path):
    """A kept result must not stand for another size."""
    data = tmp_path / "data.npz"
    np.savez(data, x=np.random.RandomState(0).randn(8, 3, 12).astype(np.float32))
    model = str(files / "named.pt2")

    sampled, report = pipeline.build_artifact(model, cpu="cortex-m4", calibrate=str(data))
    asked, _ = pipeline.build_artifact(
        model, cpu="cortex-m4", calibrate="random", dims=("x.2=7",), accept_loss=True
    )
    other, _ = pipeline.build_artifact(
        model, cpu="cortex-m4", calibrate="random", dims=("x.2=8",), accept_loss=True
    )

    shapes = [artifact.inputs[0].shape for artifact in (sampled, asked, other)]
    assert shapes == [(1, 3, 12), (1, 3, 7), (1, 3, 8)]
    assert sampled.notes == report.notes and "fixed to 12" in sampled.notes[1]
    assert asked.notes[1] == "x.2 is fixed to 7"
