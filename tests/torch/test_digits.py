# SPDX-License-Identifier: BSD-3-Clause
"""The bundled model: trained on real digits, the same each time, accurate on held-out ones."""

from __future__ import annotations

import numpy as np
import pytest

from mcugen.base import cache
from mcugen.export import evaluation, pipeline
from mcugen.model.bundled import digits, training
from mcugen.model.scores import accuracy
from mcugen.program.reference.walker import reference_outputs

pytestmark = pytest.mark.xdist_group("digits")  # trained once, not once a process

TEST_SAMPLES = 445


@pytest.fixture(scope="module")
def trained(cache_folder):
    return digits.build()


def test_float_accuracy_on_held_out_digits(trained):
    assert evaluation.float_score("digits", TEST_SAMPLES) >= 0.97


def test_int8_accuracy_is_within_a_point_of_float(trained):
    artifact, _ = pipeline.build_artifact("digits", cpu="cortex-m4")
    data = evaluation.evaluation_data("digits", artifact, TEST_SAMPLES)
    assert data.samples == TEST_SAMPLES

    (outputs,) = reference_outputs(artifact, data.inputs)

    int8 = accuracy(outputs, data.labels)
    assert int8 >= 0.97
    assert abs(int8 - evaluation.float_score("digits", TEST_SAMPLES)) <= 0.01


def test_training_again_gives_the_same_weights():
    """Whatever random state the process is in, and however many threads torch may use.

    Two epochs of 40: what differs differs from the first batch on.
    """
    import torch

    once, again = digits.DigitsNet(), digits.DigitsNet()
    digits.train(once, epochs=2)
    torch.manual_seed(12345)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    digits.train(again, epochs=2)
    torch.set_num_threads(threads)

    assert training.pack(again) == training.pack(once)


def test_training_leaves_the_callers_random_state_alone(trained):
    import torch

    net = digits.DigitsNet()
    torch.manual_seed(1)
    want = torch.rand(3)
    torch.manual_seed(1)

    digits.train(net, epochs=1)

    assert torch.equal(torch.rand(3), want)


def test_weights_come_from_the_cache(trained, monkeypatch):
    def fail(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(digits, "train", fail)

    assert training.pack(digits.build()) == training.pack(trained)


def test_weights_of_another_network_are_not_used(trained, monkeypatch):
    """A cache entry that is sound but holds other tensors is trained over, not loaded."""
    import io

    buffer = io.BytesIO()
    np.savez(buffer, other=np.zeros(3))
    kept = cache.load("weights", digits.weights_key())
    cache.store("weights", digits.weights_key(), {"weights.npz": buffer.getvalue()})
    calls = []
    monkeypatch.setattr(digits, "train", lambda *args: calls.append(args))

    digits.build()

    assert len(calls) == 1
    cache.store("weights", digits.weights_key(), kept)
