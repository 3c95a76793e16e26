# SPDX-License-Identifier: BSD-3-Clause
"""Networks that the published Cortex-M passes lower to something without a meaning, or not at all.

What they compute is held against the quantized program before lowering, in float.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from executorch.backends.cortex_m.passes.cortex_m_pass_manager import CortexMPassManager
from torch import nn

from mcugen.base.errors import LoweringError, UnsupportedOperatorError
from mcugen.export.calibration import Calibration
from mcugen.export.lower import lower
from mcugen.export.prepared import channels_last
from mcugen.export.quantize import quantize
from mcugen.model.source import ModelSource
from mcugen.program.read import read_pte
from mcugen.program.reference.walker import Reference

pytestmark = pytest.mark.torch


class SharedRange(nn.Module):
    """The convolutions' ranges are those of what they are joined with."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.left = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), activation)
        self.right = nn.Conv2d(3, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.left(x), self.right(x)], 1)


class SharedAddition(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.relu(x + x.flip(3)), x], 1)


class Transposed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(3, 4, 2, 2)
        self.other = nn.ConvTranspose2d(3, 4, 2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.relu(self.up(x)), self.other(x)], 1)


class Hardswish(nn.Module):
    """Not after a convolution; and after one that something else uses, too."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed = self.mix(x)
        return nn.functional.hardswish(x + mixed) + nn.functional.hardswish(mixed)


class Extremes(nn.Module):
    """Operators that depend on the memory order follow minimum and maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 5, 1), nn.Conv2d(3, 5, 1)
        self.last = nn.Conv2d(5, 2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left, right = self.left(x), self.right(x)
        chosen = nn.functional.pad(torch.minimum(left, right), (0, 1, 2, 0))
        return self.last(nn.functional.avg_pool2d(torch.maximum(chosen, chosen * chosen), 2, 1))


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(6, 6) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = torch.bmm(self.query(x), self.key(x).transpose(1, 2))
        return torch.bmm(torch.softmax(scores, -1), self.value(x))


class FarApart(nn.Module):
    """One operand's scale is so small beside the other's that no shift of the device says so."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Linear(6, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.left(x) * 1e24 + x


IMAGE = (1, 3, 6, 7)


FORMS = {
    **{
        f"cat-{act.__name__}": (lambda act=act: SharedRange(act()), IMAGE)
        for act in (nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish)
    },
    "cat-add": (SharedAddition, IMAGE),
    "cat-transposed": (Transposed, IMAGE),
    "hardswish": (Hardswish, IMAGE),
    "extremes": (Extremes, IMAGE),
    "attention": (Attention, (1, 4, 6)),
    "far-apart": (FarApart, (1, 4, 6)),
}
#: For the M55 those whose operators take other arguments there, and one whose ranges are shared.
FOR_M55 = ("cat-ReLU", "cat-transposed", "extremes", "attention")


@pytest.mark.parametrize("name", FORMS)
def test_lowered_program_computes_what_the_quantized_one_does(name):
    torch.manual_seed(1)
    make, shape = FORMS[name]
    module = make().eval()
    samples = tuple((2 * torch.randn(shape),) for _ in range(4))
    source = ModelSource("network", module, samples[0], None, None, "a test")
    quantized = quantize(source, Calibration(samples, "normal noise", True))
    for cpu in ("cortex-m4", "cortex-m55") if name in FOR_M55 else ("cortex-m4",):
        check_lowered(quantized, cpu, samples)


def check_lowered(quantized, cpu, samples):
    pte, report = lower(quantized, cpu=cpu, io="float")
    artifact = read_pte(pte, name="network")

    raw = {line.operator for line in report.operators if line.operator.startswith("aten::")}
    moves = ("cat", "clamp", "flip", "permute_copy")
    assert raw <= {f"aten::{name}.out" for name in moves}, cpu  # no arithmetic
    for (sample,) in samples:
        (image,) = channels_last((sample,))
        with torch.no_grad():
            want = quantized.program.module()(image).numpy()
        memory = sample.permute(artifact.inputs[0].dim_order).contiguous().numpy()
        (spec,) = artifact.outputs
        (got,) = Reference(artifact).run((memory.tobytes(),))
        got = np.asarray(got).reshape(spec.memory_shape)
        want = want.transpose(spec.dim_order)
        # Roundings of integers and floats in the middle are passed on: some steps of 255.
        assert np.abs(got - want).max() <= 5 / 255 * np.ptp(want), cpu


@pytest.mark.parametrize(
    ("module", "error", "words"),
    [
        (
            SharedAddition(),
            LoweringError,
            r"aten::add\.out in the model's own forward .* without their scale",
        ),
        (Transposed(), UnsupportedOperatorError, r"aten::convolution\.out is called with int8"),
    ],
    ids=["lowering", "reading"],
)
def test_what_lost_its_scale_is_refused(monkeypatch, module, error, words):
    """The published passes stand for whatever of that kind is not mended."""
    monkeypatch.setattr(
        "mcugen.export.passes.manager.lowering_passes", lambda: CortexMPassManager.legacy_pass_list
    )
    samples = ((torch.randn(IMAGE),),)
    source = ModelSource("network", module.eval(), samples[0], None, None, "a test")
    quantized = quantize(source, Calibration(samples, "normal noise", True))

    with pytest.raises(error, match=words) as caught:
        read_pte(lower(quantized, cpu="cortex-m4")[0], name="network")

    assert caught.value.exit_code == 5
