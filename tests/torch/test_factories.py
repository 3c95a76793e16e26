# SPDX-License-Identifier: BSD-3-Clause
"""What factories return beside a plain module in eval mode: taken, mended with a word, or refused.

Refused at once: what torch says of such a model comes late, and in its own terms.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mcugen.base.errors import McugenError
from mcugen.export import pipeline
from mcugen.model.load import load_model
from mcugen.model.source import ModelSource, resolve_model

pytestmark = pytest.mark.torch

FACTORIES = """
import sys
from collections import namedtuple
from dataclasses import dataclass

import torch
from torch import nn

ONE = (torch.zeros(1, 6),)
SAMPLES = [torch.randn(1, 6, generator=torch.Generator().manual_seed(i)) for i in range(16)]
Boxes = namedtuple("Boxes", "corners scores")

@dataclass
class Found:
    boxes: Boxes
    best: torch.Tensor

class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.corners, self.scores = nn.Linear(6, 4), nn.Linear(6, 3)
    def forward(self, x):
        scores = self.scores(x)
        return Found(Boxes(self.corners(x), scores), (scores * 2, scores * 3))

class Difference(nn.Module):
    def forward(self, x, y):
        return x * 2 - y

def twice():
    pairs = [(SAMPLES[i], SAMPLES[-1 - i] * 3) for i in range(16)]
    return Difference().eval(), ONE + ONE, pairs

class Keyword(nn.Linear):
    def forward(self, x, *, scale):
        return super().forward(x) * scale

def linear():
    return nn.Linear(6, 3).eval()

def diverged():
    module = linear()
    module.weight.data[0] = float("nan")
    return module, ONE

def structured():
    torch.manual_seed(0)
    torch.export.register_dataclass(Found)
    return Detector().eval(), ONE, SAMPLES

def partly():
    module = nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3)).eval()
    module[1].train()
    return module, ONE

def on_meta():
    with torch.device("meta"):
        return linear(), ONE

def quantized():
    return torch.ao.quantization.quantize_dynamic(nn.Sequential(linear()), {nn.Linear}), ONE

def compiled(): return torch.compile(linear()), ONE
def parallel(): return nn.DataParallel(linear()), ONE
def scripted(): return torch.jit.script(linear()), ONE
def sparse(): return linear(), (torch.zeros(1, 6).to_sparse(),)
def empty(): return linear(), (torch.zeros(0, 6),)
def keyword(): return Keyword(6, 3).eval(), ONE
def ends(): sys.exit("no data")
"""


@pytest.fixture(scope="module")
def nets(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("factories") / "nets.py"
    path.write_text(FACTORIES)
    return path


def load(nets: Path, name: str) -> ModelSource:
    return load_model(resolve_model(f"{nets}:{name}"))


@pytest.mark.parametrize(
    ("name", "found", "instead"),
    [
        ("diverged", "6 of 18 values of parameter 'weight' are NaN", "diverged"),
        ("on_meta", "parameter 'weight' is on the device 'meta'", "load its weights"),
        ("quantized", "layer 0 is quantized already", "float32"),
        ("scripted", "a TorchScript module", "made of"),
        ("sparse", "example input 0 is sparse", "to_dense()"),
        ("empty", "example input 0 has no elements: its shape is [0, 6]", None),
        ("keyword", "missing a required argument: 'scale'", "keyword-only"),
        ("ends", "failed, in nets.py, line 69: SystemExit: no data", "__main__"),
    ],
)
def test_what_cannot_be_quantized_is_refused_at_once(nets, name, found, instead) -> None:
    with pytest.raises(McugenError) as caught:
        load(nets, name)

    assert found in caught.value.message
    assert (caught.value.hint is None) if instead is None else instead in caught.value.hint


@pytest.mark.parametrize("name", ["compiled", "parallel"])
def test_a_wrapper_is_taken_off(nets, name) -> None:
    source = load(nets, name)

    assert type(source.module).__name__ == "Linear"
    assert source.notes == ()


def test_a_layer_left_in_train_mode_is_switched_and_said(nets) -> None:
    source = load(nets, "partly")

    assert not any(module.training for module in source.module.modules())
    assert source.notes[0].startswith("layer 1 is in train mode")


def test_one_tensor_as_the_example_of_two_inputs_is_two(nets) -> None:
    """torch's tracer took both for one argument: the other one had no effect."""
    _, report = pipeline.build_artifact(f"{nets}:twice", cpu="cortex-m4")

    assert report.fidelity.worst.sqnr_db > 30


def test_outputs_of_a_users_own_classes_are_named_by_their_fields(nets) -> None:
    """Named tuples and dataclasses cannot be written to a `.pte`; they were refused by torch."""
    artifact, report = pipeline.build_artifact(f"{nets}:structured", cpu="cortex-m4")

    names = ["boxes_corners", "boxes_scores", "best_0", "best_1"]
    assert [spec.name for spec in artifact.outputs] == names
    assert [spec.shape for spec in artifact.outputs] == [(1, 4), (1, 3), (1, 3), (1, 3)]
    assert all(output.sqnr_db > 30 for output in report.fidelity.outputs)


def test_a_file_that_a_library_opens_unseen_is_known(tmp_path):
    """Changed weights in one went unnoticed: the model before was served, and judged."""
    import pyarrow
    from pyarrow import feather

    table = pyarrow.table({"w": [1.0, 2.0]})
    weights, other = tmp_path / "weights.feather", tmp_path / "mcugen_out" / "w.feather"
    other.parent.mkdir()
    for path in (weights, other):
        feather.write_feather(table, str(path))
    (tmp_path / "net.py").write_text(
        "import pyarrow.feather, torch\n"
        "def make():\n"
        "    net = torch.nn.Linear(2, 1)\n"
        f"    w = pyarrow.feather.read_table({str(weights)!r}, memory_map=True)['w'].to_pylist()\n"
        "    net.weight.data = torch.tensor([w])\n"
        "    return net, (torch.zeros(1, 2),)\n"
    )

    source = load_model(resolve_model(f"{tmp_path / 'net.py'}:make"))

    assert source.module.weight.tolist() == [[1, 2]]
    assert set(source.dependencies) == {tmp_path / "net.py", weights}
