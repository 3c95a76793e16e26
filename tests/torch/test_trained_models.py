# SPDX-License-Identifier: BSD-3-Clause
"""The bundled models whose weights come with mcugen: what they reach on held-out real data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from mcugen.export import evaluation, pipeline
from mcugen.model.bundled import train, training
from mcugen.model.catalog import BUNDLED
from mcugen.model.scores import score
from mcugen.program.reference.walker import reference_outputs


@dataclass(frozen=True)
class Goal:
    """On all held-out samples: accuracy, or AUC of an autoencoder."""

    held_out: int
    in_float: float
    in_int8: float
    most_lost: float  #: from float to int8


GOALS = {
    "mnist": Goal(held_out=1000, in_float=0.975, in_int8=0.972, most_lost=0.003),
    "activity": Goal(held_out=40, in_float=0.975, in_int8=0.95, most_lost=0.025),
    "speaker": Goal(held_out=370, in_float=0.97, in_int8=0.95, most_lost=0.01),
    "anomaly": Goal(held_out=623, in_float=0.9, in_int8=0.9, most_lost=0.01),
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

    in_float = evaluation.float_score(name, goal.held_out)
    (outputs,) = reference_outputs(artifact, data.inputs)
    in_int8 = score(
        INFOS[name].metric,
        _real(artifact.inputs[0], data.inputs[0]),
        _real(artifact.outputs[0], outputs),
        data.labels,
    )

    assert in_float >= goal.in_float
    assert in_int8 >= goal.in_int8
    assert in_float - in_int8 <= goal.most_lost
    assert all(line.int8 for line in report.operators)


def _real(spec, values):
    return (values.astype(float) - spec.zero_point) * spec.scale


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
    assert float(said.split("float accuracy ")[1].split()[0]) >= 0.9
    assert "on 40 held-out samples" in said
    with np.load(file) as weights:
        assert "classifier.weight" in weights.files


def test_the_script_takes_other_data_of_the_same_kind(tmp_path, capsys, monkeypatch):
    """All of MNIST, where there is a network; here its 5,000 stand in."""
    asked = []

    def stand_in(source):
        asked.append(source)
        return train.load_dataset("mnist5k", source.rpartition("/")[2], 64)

    monkeypatch.setattr(train, "load_source", stand_in)
    file = tmp_path / "weights.npz"

    done = train.main(["mnist", "--data", "tfds:mnist", "--epochs", "1", "--output", str(file)])

    assert done == 0 and file.is_file()
    assert asked == ["tfds:mnist/train", "tfds:mnist/test"]
    assert "on 64 held-out samples" in capsys.readouterr().out
