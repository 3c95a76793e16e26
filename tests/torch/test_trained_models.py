# SPDX-License-Identifier: BSD-3-Clause
"""The bundled models whose weights come with mcugen: what they reach on held-out real data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from mcugen.export import evaluation, pipeline
from mcugen.model.bundled import train, training
from mcugen.model.catalog import BUNDLED
from mcugen.model.scores import accuracy
from mcugen.program.reference.walker import reference_outputs


@dataclass(frozen=True)
class Goal:
    """On all held-out samples."""

    held_out: int
    in_float: float
    in_int8: float


GOALS = {
    "activity": Goal(held_out=40, in_float=0.975, in_int8=0.95),
}
INFOS = {info.name: info for info in BUNDLED if info.weights}
MOST_WEIGHT_BYTES = 60 * 1024  # in int8


def test_every_shipped_model_has_a_goal():
    assert GOALS.keys() == INFOS.keys()


@pytest.mark.parametrize("name", GOALS)
def test_held_out_samples_are_scored_as_promised(name):
    goal = GOALS[name]
    artifact, report = pipeline.build_artifact(name, cpu="cortex-m4")
    data = evaluation.evaluation_data(name, artifact, goal.held_out + 1)
    assert data.samples == goal.held_out

    in_float = evaluation.float_accuracy(name, goal.held_out)
    (outputs,) = reference_outputs(artifact, data.inputs)
    in_int8 = accuracy(outputs, data.labels)

    assert in_float >= goal.in_float
    assert in_int8 >= goal.in_int8
    assert all(line.int8 for line in report.operators)


@pytest.mark.parametrize("name", GOALS)
def test_weights_are_small(name):
    module = train.workload(name).network()

    assert sum(value.numel() for value in module.parameters()) <= MOST_WEIGHT_BYTES


@pytest.mark.parametrize("name", GOALS)
def test_training_again_gives_the_same_weights(name, monkeypatch):
    """Of an epoch on 64 samples: what differs differs from the first batch on."""
    import torch

    monkeypatch.setattr(train, "load_dataset", _few(train.load_dataset))
    once = train.train(INFOS[name], epochs=1)
    torch.manual_seed(12345)
    again = train.train(INFOS[name], epochs=1)

    assert training.pack(again) == training.pack(once)
    assert training.unpack(training.pack(once), once) is not None


def _few(load):
    return lambda name, split: load(name, split, 64)


def test_the_script_trains_scores_and_writes(tmp_path, capsys):
    file = tmp_path / "weights.npz"

    assert train.main(["activity", "--epochs", "30", "--output", str(file)]) == 0

    said = capsys.readouterr().out
    reached = float(said.split("float accuracy ")[1].split(" %")[0])
    assert reached >= 90 and "of 40 held-out samples" in said
    with np.load(file) as weights:
        assert "classifier.weight" in weights.files
