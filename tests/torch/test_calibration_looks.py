# SPDX-License-Identifier: BSD-3-Clause
"""Data that look unlike what the model was shown are told with figures; good data are not."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mcugen.base.errors import ConfigError
from mcugen.export import labelled
from mcugen.export.calibration import choose_calibration
from mcugen.export.evaluation import chosen_data
from mcugen.export.pipeline import build_artifact
from mcugen.model.data import load_source, samples_from
from mcugen.model.preprocess import Normalize, Preprocess, Resize, Scale
from mcugen.model.samples import Samples
from mcugen.model.source import ModelKind, ModelRef, ModelSource

pytestmark = pytest.mark.torch

SHAPE = (1, 1, 4, 4)
PIXELS = np.random.RandomState(0).randint(0, 256, (40, 4, 4, 1)).astype(np.uint8)
UNIT = torch.linspace(-1, 1, 16).reshape(SHAPE)
ZEROS = torch.zeros(SHAPE)


def warnings_of(example, own=None, **options):
    source = ModelSource("net", nn.Identity(), (example,), own, None, "a test")
    chosen = choose_calibration(ModelRef(ModelKind.FACTORY, "net"), source, None, **options)
    return " | ".join(chosen.warnings)


FLOATS = torch.from_numpy(PIXELS.reshape(40, *SHAPE)).float()


@pytest.mark.parametrize(
    ("example", "own", "options", "words"),
    [
        (UNIT, FLOATS, {}, r"span 0..255, the model's example input -1..1: 255 times as large"),
        (UNIT, FLOATS / 255 / 255, {}, r"example input -1..1: 255 times smaller"),
        (UNIT, Samples(PIXELS, None, "s"), {"pixels": "0..255"}, "255 times as large"),
        (UNIT, Samples(PIXELS, None, "s"), {}, r"span 0..1, .* input -1..1: none is below 0"),
        (ZEROS, FLOATS, {}, r"whole numbers of 0..255, as images are stored"),
        (
            *(ZEROS, Samples(PIXELS, None, "s"), {"preprocess": Preprocess(Resize(4, 4))}),
            r"whole numbers of 0..255",
        ),
        (ZEROS, FLOATS[:1].expand(20, *SHAPE), {}, "all 20 calibration samples are the same"),
        (ZEROS, Samples(PIXELS, np.full(40, 3), "s"), {}, "all 40 .* have the label 3"),
    ],
    ids=[
        *(
            "bytes",
            "scaled twice",
            "asked for",
            "half of it",
            "no range",
            "steps that do not scale",
        ),
        *("one picture", "one class"),
    ],
)
def test_odd_data_are_told_with_figures(example, own, options, words):
    import re

    assert re.search(words, warnings_of(example, own, **options))


@pytest.mark.parametrize(
    ("example", "own", "options"),
    [
        (UNIT, FLOATS / 127.5 - 1, {}),
        ((UNIT + 1) / 2, FLOATS / 255, {}),
        (torch.randn(SHAPE, generator=torch.Generator().manual_seed(0)), FLOATS / 255, {}),
        (ZEROS, Samples(PIXELS, np.arange(40) % 2, "s"), {}),
        (ZEROS, Samples(PIXELS, None, "s"), {"pixels": "0..255"}),
        (ZEROS, Samples(PIXELS, None, "s"), {"preprocess": Preprocess(Scale(1.0))}),
    ],
    ids=[
        "scaled",
        "scaled to 0..1",
        "a dummy of normal noise",
        "bytes as 0..1",
        "0..255",
        "declared",
    ],
)
def test_good_data_are_not_told(example, own, options):
    assert warnings_of(example, own, **options) == ""


def test_two_declarations_are_one_too_many():
    source = ModelSource("net", nn.Identity(), (ZEROS,), FLOATS, lambda x: x, "a test")

    with pytest.raises(ConfigError, match=r"preprocess of its own, and \[preprocess\]"):
        choose_calibration(
            ModelRef(ModelKind.FACTORY, "net"), source, None, preprocess=Preprocess(Scale(1.0))
        )


@pytest.mark.parametrize("as_name", [True, False], ids=["name", "Samples"])
def test_a_model_s_own_stored_samples_are_preprocessed(tmp_path, as_name):
    """Those that it hands over as tensors are as the model takes them."""
    np.savez(tmp_path / "d.npz", x=PIXELS, y=np.arange(40) % 2)
    own = str(tmp_path / "d.npz") if as_name else load_source(str(tmp_path / "d.npz"))
    steps = Preprocess(Scale(2 / 255, -1))
    source = ModelSource("net", nn.Identity(), (UNIT,), own, steps, "a test", evaluation=own)

    chosen = choose_calibration(ModelRef(ModelKind.FACTORY, "net"), source, None)
    rows, labels, _, said = labelled._samples(source, 20, None, None, steps, None)

    assert len(chosen.samples) == 40 and chosen.warnings == ()
    assert min(float(row[0].min()) for row in chosen.samples) == -1
    assert len(rows) == 20 and set(labels.tolist()) == {0, 1}
    assert max(float(row[0].max()) for row in rows) <= 1 and "preprocessed: scale" in said


def test_bytes_in_memory_are_not_scaled_beside_a_preprocess():
    """They were taken as 0..1, whatever that said."""
    steps, ref = Preprocess(Scale(2 / 255, -1)), ModelRef(ModelKind.FACTORY, "net")
    pixels, floats = torch.from_numpy(PIXELS.reshape(40, 1, 4, 4)), FLOATS / 127.5 - 1

    def source(own):
        return ModelSource("n", nn.Identity(), (UNIT,), own, steps, "a test", evaluation=own)

    for read in (
        lambda: choose_calibration(ref, source(pixels), None),
        lambda: labelled._samples(source(pixels), 20, None, None, steps, None),
    ):
        with pytest.raises(ConfigError, match="in memory are bytes: preprocess is for stored") as e:
            read()
        assert "samples_from(" in e.value.hint
    assert "as they are" in choose_calibration(ref, source(floats), None).provenance
    stored = choose_calibration(ref, source(samples_from(PIXELS)), None)
    assert min(float(row[0].min()) for row in stored.samples) == -1


# -- objects of torch

X, Y = torch.arange(40.0).reshape(20, 2), torch.arange(20) // 10


@pytest.mark.parametrize(
    "source",
    [
        *((X, Y), TensorDataset(X, Y), DataLoader(TensorDataset(X, Y), batch_size=7)),
        DataLoader(TensorDataset(X, Y), batch_size=7, shuffle=True),
        DataLoader(TensorDataset(X, Y), batch_size=7, sampler=list(range(20))),
        DataLoader(TensorDataset(X, Y), batch_size=None),
    ],
    ids=["tensors", "dataset", "loader", "shuffling", "own sampler", "no batches"],
)
def test_objects_of_torch_give_samples_and_labels(source):
    samples = samples_from(source, 12)

    assert samples.inputs.shape == (12, 2) and samples.inputs.dtype == np.float32
    assert [int(row[0] >= 20) for row in samples.inputs] == samples.labels.tolist()
    assert set(samples.labels.tolist()) == {0, 1}


# -- a whole build

NET = """
import torch
from torch import nn
def make():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    return net.eval(), (torch.linspace(-1, 1, 16).reshape(1, 1, 4, 4),)
"""


def test_preprocessing_of_a_file_makes_the_pte_and_is_part_of_its_key(tmp_path, monkeypatch):
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "net.py").write_text(NET)
    big = np.kron(PIXELS, np.ones((1, 3, 3, 1), np.uint8))  # 12 x 12
    np.savez(tmp_path / "data.npz", x=big)
    steps = Preprocess(Resize(4, 4, "nearest"), Scale(2 / 255, -1), Normalize((0.0,), (1.0,)))
    said = []

    def build(preprocess):
        return build_artifact(
            f"{tmp_path / 'net.py'}:make",
            cpu="cortex-m4",
            calibrate=str(tmp_path / "data.npz"),
            preprocess=preprocess,
            warn=said.append,
        )

    artifact, report = build(steps)
    _, kept = build(steps)
    raw = Preprocess(*steps.steps[:1])
    loud, loud_report = build(raw)

    low, high = (
        (q - artifact.inputs[0].zero_point) * artifact.inputs[0].scale for q in (-128, 127)
    )
    assert -1.3 < low <= -1 and 1 <= high < 1.3
    assert loud.inputs[0].scale > 100 * artifact.inputs[0].scale
    assert report.preprocess == steps.to_json() == kept.preprocess
    assert "preprocessed: resize height=4" in report.calibration
    assert report.warnings == () and kept.to_json() == report.to_json()
    assert said == list(loud_report.warnings) and "255 times as large" in said[0]
    # Data to verify with take the same way, and are told if these ranges do not cover them.
    good, bad = (
        chosen_data(
            f"{tmp_path / 'net.py'}:make",
            *(artifact, 20),
            data=str(tmp_path / "data.npz"),
            preprocess=each,
        )
        for each in (steps, raw)
    )
    assert good.warnings == () and good.inputs[0].shape == (20, *artifact.inputs[0].memory_shape)
    assert abs(float(good.float_inputs.min()) + 1) < 0.1
    assert "saturates: 9" in bad.warnings[0] and "of 20 samples" in bad.warnings[0]
    assert "scaled as the data of calibration?" in bad.warnings[0]


def test_reading_data_needs_no_torch(tmp_path):
    np.savez(tmp_path / "d.npz", x=PIXELS, y=np.arange(40) % 2)
    code = (
        "import sys, json; from mcugen.model.data import load_source, samples_from;"
        "from mcugen.model.feed import as_inputs;"
        "from mcugen.model.preprocess import Preprocess, Scale;"
        f"s = load_source({str(tmp_path / 'd.npz')!r}, 9);"
        "s = as_inputs(samples_from((s.inputs, s.labels)), (1, 1, 4, 4),"
        " preprocess=Preprocess(Scale(1 / 255)));"
        "print(json.dumps([s.inputs.shape, 'torch' in sys.modules]))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == [[9, 1, 1, 4, 4], False]
