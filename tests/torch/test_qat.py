# SPDX-License-Identifier: BSD-3-Clause
"""Training with int8 in place, and what becomes of it. The example: docs/qat_example.py."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import hard_models
import pytest
import torch
from torch import nn

import mcugen
from mcugen.base.errors import ConfigError, QuantizationError
from mcugen.export.calibration import Calibration
from mcugen.export.compare import compare, run_float
from mcugen.export.layer_figures import PreparedRun
from mcugen.export.lower import lower
from mcugen.export.prepared import captured_for, channels_last, prepared_for
from mcugen.export.qat import Trained
from mcugen.export.quantization import DEFAULTS, QuantizationOptions
from mcugen.export.quantize import quantize
from mcugen.model.made import copied
from mcugen.model.source import ModelSource
from mcugen.program.read import read_pte

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def example():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        import qat_example

        yield qat_example
    for name in ("qat_example", "example_model"):
        sys.modules.pop(name, None)


def share_right(model, inputs, labels):
    with torch.no_grad():
        outputs = torch.cat([model(image[None]) for image in inputs])
    return float((outputs.argmax(1) == labels).float().mean())


def test_the_example_is_ruined_by_int8_and_brought_back_by_training(example):
    from example_model import images

    inputs, labels = images(128, seed=77)
    described = example.as_it_is()
    before, inputs_of_one = described.module, described.example_inputs
    samples = described.calibration.unsqueeze(1)
    calibration = Calibration(tuple((sample,) for sample in samples), "a test's", False)
    source = ModelSource("before", before, inputs_of_one, None, None, "a test's")
    prepared, _ = prepared_for(captured_for(source, calibration), calibration, DEFAULTS)
    run = PreparedRun(prepared)

    in_float = share_right(before, inputs, labels)
    ruined = share_right(
        lambda x: run.outputs(channels_last((x,)), run.observers)[0], inputs, labels
    )
    after = example.make().module.in_float()
    quantized = quantize(
        ModelSource("after", after, inputs_of_one, None, None, "a test's"), calibration
    )
    program = quantized.program.module(check_guards=False)
    trained = share_right(lambda x: program(*channels_last((x,))), inputs, labels)

    assert in_float >= 0.97
    assert ruined <= in_float - 0.1
    assert trained >= in_float - 0.02
    # What was trained is what is converted: with all parts rounding, the same classes.
    assert len(quantized.program.graph_signature.user_inputs) == 1
    assert not quantized.unquantized


def test_a_layer_that_sees_next_to_nothing_is_not_held_for_a_wrong_one(example):
    """Most of its channels have one value nearly everywhere, whose rounding says nothing."""
    described = example.as_it_is()
    samples = tuple((sample,) for sample in described.calibration.unsqueeze(1)[:16])
    calibration = Calibration(samples, "a test's", False)
    source = ModelSource("before", described.module, samples[0], None, None, "a test's")
    quantized = quantize(source, calibration)
    pte, report = lower(quantized, cpu="cortex-m4")

    fidelity = compare(
        run_float(described.module, calibration), quantized, report, read_pte(pte, name="before")
    )

    assert fidelity.samples == 16


def test_a_copy_of_a_graph_does_not_warn_of_torchs_own_parts():
    graph = torch.export.export(nn.Linear(2, 2), (torch.zeros(1, 2),)).module()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copy = copied(graph)

    assert copy is not graph and (copy.weight == graph.weight).all()


def test_the_model_given_is_left_alone_and_masters_the_batch_asked_for():
    model = hard_models.Small()
    weights = model.stem.weight.detach().clone()
    (image,) = hard_models.images(1)

    trained = mcugen.qat(model, (image,), batch=3)
    with pytest.raises(QuantizationError, match="no batch has gone through it"):
        trained.in_float()
    optimizer = torch.optim.SGD(trained.parameters(), lr=0.1)
    loss = trained(image.repeat(3, 1, 1, 1)).square().mean()
    loss.backward()
    optimizer.step()

    assert torch.equal(model.stem.weight, weights)
    in_float = trained.in_float()
    assert isinstance(in_float, Trained) and in_float(image).shape == (1, 10)
    # Near to the model, but a step of training away.
    apart = (in_float(image) - model(image)).abs().max()
    assert 0 < apart < 0.2
    again = mcugen.qat(model, (image,), batch=3)
    again.load_state_dict(trained.state_dict())
    assert torch.equal(again.in_float()(image), in_float(image))
    with pytest.raises(ConfigError, match="--float-layer head: small was trained"):
        quantize(
            ModelSource("small", in_float, (image,), None, None, "a test's"),
            Calibration(((image,),), "a test's", False),
            QuantizationOptions.parse(float_layers=["head"]),
        )


def test_what_cannot_be_traced_is_refused():
    class Undecided(nn.Module):
        def forward(self, x):
            return x if float(x.sum()) > 0 else -x

    with pytest.raises(QuantizationError, match="Undecided"):
        mcugen.qat(Undecided(), (torch.zeros(1, 4),))
