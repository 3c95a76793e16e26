# SPDX-License-Identifier: BSD-3-Clause
"""Recurrent layers give what they give in PyTorch, whole sequences and step by step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from plain_models import Model, Net, Together
from signal_to_noise import measure, sqnr
from torch import nn

from mcugen.base.resources import firmware_dir
from mcugen.export.calibration import Calibration
from mcugen.export.lower import lower
from mcugen.export.quantize import quantize
from mcugen.model.source import ModelSource
from mcugen.program.artifact import PteArtifact
from mcugen.program.read import read_pte
from mcugen.program.reference import recurrent
from mcugen.program.reference.walker import Reference

pytestmark = pytest.mark.torch

#: dB that is left against the float module. Most have 40 and more.
LEAST = 30.0
#: Above this, rounding the state to 16 bits at each step may cost more than a decibel: the graph
#: has it in float.
FINE = 40.0
#: Without a bias few of ten random units are active: what is left of one is an error of all.
LEAST_OF = {"rnn with relu": 20.0}
SEQUENCE = (4, 1, 6)
BATCH_FIRST = (1, 4, 6)
UNITS = 10
KINDS: dict[str, Callable[..., nn.Module]] = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "rnn": nn.RNN,
    "rnn with relu": lambda *a, **k: nn.RNN(*a, nonlinearity="relu", **k),
}
CELLS: dict[str, Callable[..., nn.Module]] = {
    "lstm": nn.LSTMCell,
    "gru": nn.GRUCell,
    "rnn": nn.RNNCell,
    "rnn with relu": lambda *a, **k: nn.RNNCell(*a, nonlinearity="relu", **k),
}


def first(states: object) -> torch.Tensor:
    """The hidden state; an LSTM has a cell besides."""
    return states if isinstance(states, torch.Tensor) else states[0]  # type: ignore[index]


def forms(kind: str) -> list[Model]:
    """The forms in which a layer is written, as many models."""
    states = 2 if kind == "lstm" else 1

    def form(forward: Callable[..., object], *shapes: tuple[int, ...], **options: object) -> Model:
        def make() -> nn.Module:
            return Net(forward, layer=KINDS[kind](6, UNITS, **options), head=nn.Linear(20, 3))

        return Model(kind, make, shapes)

    def with_state(net: Net, x: torch.Tensor, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        y, after = net.layer(x, given if states == 2 else given[0])
        return (y, *(after if states == 2 else (after,)))

    def both_ends(net: Net, x: torch.Tensor) -> torch.Tensor:
        hidden = first(net.layer(x)[1])
        return net.head(torch.cat([hidden[-2], hidden[-1]], 1))

    def cell(net: Net, x: torch.Tensor, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        after = net.layer(x, given if states == 2 else given[0])
        return after if states == 2 else (after,)

    layers_and_ways = (4, 1, UNITS)
    return [
        form(lambda net, x: net.layer(x)[0], SEQUENCE),
        form(lambda net, x: net.layer(x)[0][:, -1], BATCH_FIRST, batch_first=True),
        form(lambda net, x: net.layer(x)[0], (4, 6), bias=False),
        form(
            lambda net, x: net.layer(x)[0],
            BATCH_FIRST,
            batch_first=True,
            num_layers=2,
            bidirectional=True,
        ),
        form(with_state, SEQUENCE, *[layers_and_ways] * states, num_layers=2, bidirectional=True),
        form(with_state, BATCH_FIRST, *[(1, 1, UNITS)] * states, batch_first=True, bias=False),
        form(both_ends, SEQUENCE, bidirectional=True),
        Model(
            kind,
            lambda: Net(cell, layer=CELLS[kind](6, UNITS)),
            ((1, 6), *[(1, UNITS)] * states),
        ),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_of_a_layer(kind: str) -> None:
    every = forms(kind)
    # Which function it is is an argument of the same operator: one layer of each direction, a cell.
    models = [every[4], every[-1]] if kind == "rnn with relu" else every
    module = Together(models)

    measured = measure(module, module.rows(64, 1), module.rows(3, 2))

    least = LEAST_OF.get(kind, LEAST)
    faults = ["" if each.device > FINE else each.faults(least) for each in measured.outputs]
    assert not any(faults), "\n".join(
        f"output {i}: {text}" for i, text in enumerate(faults) if text
    )
    calls = {use.name: use.calls for use in measured.artifact.operators}
    ours = {name: count for name, count in calls.items() if name.startswith("mcugen::")}
    # One operator per layer and direction.
    assert ours.pop("mcugen::quantized_linear.out", 0) == (len(models) == len(every))
    count = 4 + 1 if len(models) < len(every) else 3 + 4 + 4 + 1 + 2 + 1
    assert ours == {f"mcugen::quantized_{kind[:4].strip()}.out": count}
    edges = {"cortex_m::quantize_per_tensor.out", "cortex_m::dequantize_per_tensor.out"}
    assert all(use.int8 or use.name in edges for use in measured.artifact.operators)


class Activity(nn.Module):
    """128 steps of 9 inputs into 32 units, the last step classified."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(9, 32, batch_first=True)
        self.head = nn.Linear(32, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(x)[0][:, -1])


def test_a_long_sequence_is_accurate_and_small() -> None:
    """Unrolled it took 330 KB of RAM."""
    torch.manual_seed(0)
    module = Activity()
    generator = torch.Generator().manual_seed(1)
    rows = [(torch.randn(1, 128, 9, generator=generator),) for _ in range(52)]

    measured = measure(module, rows[:48], rows[48:])

    assert measured.outputs[0].device > 40
    assert sum(measured.artifact.planned_buffers) < 12 * 1024
    assert measured.artifact.macs == 128 * 4 * 32 * (9 + 32) + 32 * 6


class Step(nn.Module):
    """One step of a recognizer; its state goes out and comes in again."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell = cell
        self.head = nn.Linear(UNITS, 3)

    def forward(self, x: torch.Tensor, *states: torch.Tensor) -> tuple[torch.Tensor, ...]:
        after = self.cell(x, states if len(states) == 2 else states[0])
        after = after if len(states) == 2 else (after,)
        return (self.head(after[0]), *after)


@pytest.mark.parametrize("kind", CELLS)
def test_bytes_of_a_state_can_be_given_back(kind: str) -> None:
    """What comes out as a state has the scale of what goes in, and int16 to last 100 steps."""
    torch.manual_seed(3)
    module = Step(CELLS[kind](6, UNITS)).eval()
    count = 2 if kind == "lstm" else 1
    inputs = torch.randn(200, 1, 6, generator=torch.Generator().manual_seed(4))
    states = tuple(torch.zeros(1, UNITS) for _ in range(count))
    rows, want = [], []
    with torch.no_grad():
        for x in inputs:
            rows.append((x, *(state.clone() for state in states)))
            out, *after = module(x, *states)
            states = tuple(after)
            want.append(out.numpy())
    artifact = built(module, rows[:100])

    got = []
    reference = Reference(artifact)
    (x_spec, *ins), (out_spec, *outs) = artifact.inputs, artifact.outputs
    given = [np.zeros(spec.memory_shape, spec.dtype) for spec in ins]
    for x in inputs[100:]:
        assert x_spec.scale is not None and x_spec.zero_point is not None
        steps = np.round(x.numpy() / x_spec.scale) + x_spec.zero_point
        out, *given = reference.run([steps.clip(-128, 127).astype(np.int8), *given])
        assert out_spec.scale is not None and out_spec.zero_point is not None
        got.append((out.astype(float) - out_spec.zero_point) * out_spec.scale)

    for before, after in zip(ins, outs, strict=True):
        assert before.dtype == after.dtype == "int16"
        assert (before.scale, before.zero_point) == (after.scale, after.zero_point)
    # The float module starts at step 100 with what it remembers: both forget that within 30.
    assert sqnr(want[130:], got[30:]) > LEAST


def built(module: nn.Module, rows: list[tuple[torch.Tensor, ...]]) -> PteArtifact:
    """Return the module with int8 inputs and outputs."""
    source = ModelSource("steps", module, rows[0], None, None, "a test")
    quantized = quantize(source, Calibration(tuple(rows), "a test's", True))
    pte, _ = lower(quantized, cpu="cortex-m4", io="int8")
    return read_pte(pte, name="steps")


def test_gates_are_near_sigmoid_and_tanh() -> None:
    """In units of 2**-15. The device has the same table."""
    sums = np.arange(-(2**20) - 5000, 2**20 + 5000, 7)
    real = sums / 2**16

    assert np.abs(recurrent.sigmoid(sums) - 2**15 / (1 + np.exp(-real))).max() < 2.1
    assert np.abs(recurrent.tanh(sums) - 2**15 * np.tanh(real)).max() < 3.6
    source = (firmware_dir() / "kernels/recurrent_gates.cpp").read_text("utf-8")
    table = source.partition("kSigmoid[257] = {")[2].partition("}")[0]
    assert [int(each) for each in table.split(",") if each.strip()] == list(recurrent.SIGMOID)
