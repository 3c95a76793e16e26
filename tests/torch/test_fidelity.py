# SPDX-License-Identifier: BSD-3-Clause
"""A `.pte` is compared with its model and with the quantized graph before anything is compiled."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from mcugen.base.errors import LoweringError, UnsupportedOperatorError
from mcugen.export import pipeline
from mcugen.export.calibration import Calibration
from mcugen.export.compare import compare, run_float
from mcugen.export.lower import lower
from mcugen.export.passes import manager
from mcugen.export.passes.edge import EDGE
from mcugen.export.quantize import quantize
from mcugen.model.source import ModelSource
from mcugen.program.read import read_pte


class Net(nn.Module):
    """Something of each: convolutions, a sum, axes that move, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
        self.second = nn.Conv2d(8, 8, 1)
        self.third = nn.Conv2d(8, 8, 1)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.first(x)
        y = self.second(y) + self.third(y)
        return self.fc(y.permute(0, 2, 3, 1)).mean((1, 2))


@pytest.fixture(scope="module")
def made():
    """The network with its float outputs and its quantized graph; lowered once per test."""
    torch.manual_seed(1)
    module = Net().eval()
    samples = tuple((torch.randn(1, 3, 6, 6),) for _ in range(12))
    calibration = Calibration(samples, "normal noise", True)
    in_float = run_float(module, calibration)
    source = ModelSource("net", module, samples[0], None, None, "a test")
    return in_float, quantize(source, calibration)


def lowered(made, *, io="int8"):
    in_float, quantized = made
    pte, report = lower(quantized, cpu="cortex-m4", io=io)
    return compare(in_float, quantized, report, read_pte(pte, name="net"))


@pytest.mark.parametrize("io", ["int8", "float"])
def test_a_healthy_model_gets_its_figures(made, io):
    fidelity = lowered(made, io=io)

    (output,) = fidelity.outputs
    assert 25 < output.sqnr_db <= output.quantized_sqnr_db + 1
    assert len(output.columns) == 5 and min(each.sqnr_db for each in output.columns) > 15
    assert fidelity.samples == 12 and fidelity.warning is None
    assert fidelity.summary.startswith("against your model in float: ")


# --- faults of lowering, put in behind its passes ---


def change(target, layer, edit):
    """Return a pass that edits the arguments of the call of `target` that `layer` became."""
    from executorch.exir.pass_base import ExportPass, PassResult

    class Fault(ExportPass):
        def call(self, graph_module):
            found = [
                node
                for node in graph_module.graph.nodes
                if node.target is target
                and layer in str((node.meta.get("nn_module_stack") or {}).values())
            ]
            assert found, f"no {target} of {layer}"
            found[0].args = tuple(edit(list(found[0].args)))
            graph_module.recompile()
            return PassResult(graph_module, True)

    return Fault


def put(position, value):
    """Return an edit that gives an argument another value, or what `value` makes of it."""

    def edit(args):
        args[position] = value(args[position]) if callable(value) else value
        return args

    return edit


CONV, LINEAR = EDGE.cortex_m.quantized_conv2d.default, EDGE.mcugen.quantized_linear.default
ADD, TRANSPOSE = EDGE.cortex_m.quantized_add.default, EDGE.cortex_m.transpose.default


@pytest.mark.parametrize(
    ("fault", "names"),
    [
        pytest.param(
            (TRANSPOSE, "", put(1, [0, 3, 2, 1])), "aten.permute in the model's own", id="axes"
        ),
        pytest.param((CONV, "third", put(7, lambda q: q - 7)), "layer third", id="zero-point"),
        pytest.param((CONV, "second", put(6, lambda q: q - 9)), "layer second", id="input-offset"),
        pytest.param((LINEAR, "fc", put(6, lambda q: q - 9)), "layer fc", id="output-offset"),
        pytest.param(
            (ADD, "", put(10, lambda shift: shift + 1)), "aten.add in the model's own", id="scale"
        ),
        pytest.param(
            (ADD, "", put(2, lambda factor: factor // 2)), "aten.add in the model's own", id="half"
        ),
        # By one only: too little to show in the output, but not what the graph says.
        pytest.param((CONV, "first.0", put(7, lambda q: q + 1)), "layer first.0", id="by-one"),
    ],
)
def test_a_lowering_fault_is_caught_and_its_layer_named(made, monkeypatch, fault, names):
    usual = manager.lowering_passes()
    monkeypatch.setattr(manager, "lowering_passes", lambda: [*usual, change(*fault)])

    with pytest.raises(LoweringError, match="does not compute what the quantized model") as caught:
        lowered(made)

    first = caught.value.message.partition("First wrong: ")[2]
    assert names in first, caught.value.message
    assert "test_fidelity.py, line" in first
    assert caught.value.hint and caught.value.exit_code == 5


def test_what_the_device_would_refuse_is_refused_by_layer(tmp_path, monkeypatch):
    """The host reference computes with any offset; the firmware's operator takes those of int8."""
    usual = manager.lowering_passes()
    fault = change(LINEAR, "fc", put(6, 300))
    monkeypatch.setattr(manager, "lowering_passes", lambda: [*usual, fault])

    with pytest.raises(UnsupportedOperatorError, match="'output_offset' is 300") as caught:
        pipeline.build_artifact(factory(tmp_path, "net"), cpu="cortex-m4")

    assert "aten.linear in layer fc" in caught.value.message


# --- the float model ---

FACTORIES = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.register_buffer("runs", torch.zeros(1))
    def forward(self, x):
        return self.fc(x)

def make(spread):
    torch.manual_seed(0)
    net = Net()
    with torch.no_grad():
        net.fc.weight[:, 0] = 0  # what is large does not matter
    samples = torch.randn(32, 1, 4) * torch.tensor([spread, 1.0, 1.0, 1.0])
    return net, (samples[0],), list(samples)

def net(): return make(1.0)
def spread(): return make(5000.0)
"""


def factory(folder, name):
    path = folder / "factories.py"
    path.write_text(FACTORIES)
    return f"{path}:{name}"


def test_a_model_that_is_lost_is_refused_unless_that_is_accepted(tmp_path):
    model = factory(tmp_path, "spread")

    with pytest.raises(LoweringError, match="one scale for columns of x") as caught:
        pipeline.build_artifact(model, cpu="cortex-m4")
    assert caught.value.exit_code == 5 and "--accept-loss" in caught.value.hint
    _, report = pipeline.build_artifact(model, cpu="cortex-m4", accept_loss=True)
    assert "one scale for columns" in report.fidelity.warning
    # What is kept is refused as well.
    with pytest.raises(LoweringError, match="below 10 dB"):
        pipeline.build_artifact(model, cpu="cortex-m4")


def test_the_comparison_is_kept_with_the_artifact(tmp_path, monkeypatch):
    model = factory(tmp_path, "net")
    _, first = pipeline.build_artifact(model, cpu="cortex-m4")
    monkeypatch.setattr("mcugen.export.compare.compare", None)  # a second time would need it

    _, second = pipeline.build_artifact(model, cpu="cortex-m4")

    assert first.fidelity.outputs[0].sqnr_db > 25
    assert second.fidelity == first.fidelity


class Counts(nn.Module):
    """Changes a buffer each time; and its user's own code can fail."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("runs", torch.zeros(1), persistent=False)
        self.fails = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.runs += 1
        if self.fails:
            raise OSError("no such sensor")
        return x + self.runs


def test_running_the_float_model_leaves_its_buffers_alone():
    module = Counts()
    samples = tuple((torch.full((1, 2), float(i)),) for i in range(3))

    run = run_float(module, Calibration(samples, "numbers", False))

    assert [row[0][0, 0] for row in run.outputs] == [1, 3, 5]  # state goes on from run to run
    assert module.runs == 0


def test_a_float_model_that_does_not_run_is_said_and_not_compared(made):
    module = Counts()
    module.fails = True
    failed = run_float(module, Calibration(made[0].samples, "normal noise", True))
    in_float = replace(made[0], outputs=failed.outputs, reason=failed.reason)

    fidelity = lowered((in_float, made[1]))

    assert fidelity.summary == (
        "not compared with a model: it does not run in PyTorch (no such sensor)"
    )
    assert fidelity.warning is None
