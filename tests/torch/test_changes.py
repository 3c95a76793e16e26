# SPDX-License-Identifier: BSD-3-Clause
"""Each automatic change has a small model that triggers it, is listed, and keeps the function.

The captured graph, in float, is the user's module up to 1e-5; the int8 `.pte` is near both. All
models are exported as one: an export costs seconds.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from plain_models import IMAGE, ROW, SEQUENCE, Model, Net, Together
from signal_to_noise import Figures, measure
from torch import nn

from mcugen.export.captured import capture as capturing
from mcugen.export.changes import module_changes
from mcugen.export.lowering_report import LoweringReport
from mcugen.model.source import Change
from mcugen.program.planning.arrange import arrange

pytestmark = pytest.mark.torch

SIGNAL = (1, 3, 12)
LEAST = 25.0  # dB that int8 leaves of small random models


def seasoned(layer: nn.Module) -> nn.Module:
    """A batch norm that has seen data."""
    layer.running_mean.normal_()
    layer.running_var.uniform_(0.3, 3)
    return layer


def old_hook(norm: Callable[[nn.Module], nn.Module], layer: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return norm(layer)


PARAMETRIZATIONS = nn.utils.parametrizations


@dataclass(frozen=True)
class Case:
    """A model that has one thing to change."""

    what: tuple[str, ...]  #: changes that must be listed
    shape: tuple[int, ...]
    make: Callable[[], nn.Module]


def net(forward: Callable[..., object], **layers: nn.Module) -> nn.Module:
    return Net(forward, **layers)


def stack(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers)


CASES = {
    "bn-behind-conv": Case(
        ("batch norm folded",),
        IMAGE,
        lambda: stack(nn.Conv2d(3, 4, 3), seasoned(nn.BatchNorm2d(4)), nn.ReLU()),
    ),
    "bn-behind-linear": Case(
        ("batch norm folded",), ROW, lambda: stack(nn.Linear(8, 8), seasoned(nn.BatchNorm1d(8)))
    ),
    "bn-alone": Case(
        ("batch norm made a depthwise convolution",),
        IMAGE,
        lambda: stack(seasoned(nn.BatchNorm2d(3)), nn.ReLU()),
    ),
    "bn-of-a-row": Case(
        ("batch norm made a depthwise convolution",),
        ROW,
        lambda: stack(seasoned(nn.BatchNorm1d(8)), nn.Linear(8, 4)),
    ),
    "bn-behind-relu": Case(
        ("batch norm made a depthwise convolution",),
        IMAGE,
        lambda: stack(nn.Conv2d(3, 4, 3), nn.ReLU(), seasoned(nn.BatchNorm2d(4))),
    ),
    "weight-norm": Case(
        ("weight_norm removed",),
        ROW,
        lambda: stack(PARAMETRIZATIONS.weight_norm(nn.Linear(8, 8)), nn.ReLU()),
    ),
    "weight-norm-as-a-hook": Case(
        ("weight_norm removed",),
        IMAGE,
        lambda: stack(old_hook(nn.utils.weight_norm, nn.Conv2d(3, 4, 3))),
    ),
    "spectral-norm": Case(
        ("spectral_norm removed",),
        ROW,
        lambda: stack(PARAMETRIZATIONS.spectral_norm(nn.Linear(8, 8))),
    ),
    "spectral-norm-as-a-hook": Case(
        ("spectral_norm removed",),
        ROW,
        lambda: stack(old_hook(nn.utils.spectral_norm, nn.Linear(8, 8))),
    ),
    "conv1d": Case(
        ("conv1d made 2-D", "max_pool1d made 2-D"),
        SIGNAL,
        lambda: stack(nn.Conv1d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2)),
    ),
    "relu6": Case(("hardtanh fused",), IMAGE, lambda: stack(nn.Conv2d(3, 4, 3), nn.ReLU6())),
    "hardswish": Case(
        ("hardswish made a table",), IMAGE, lambda: stack(nn.Conv2d(3, 4, 3), nn.Hardswish())
    ),
    "hardsigmoid": Case(
        ("hardsigmoid fused",), ROW, lambda: stack(nn.Linear(8, 8), nn.Hardsigmoid())
    ),
    "gelu": Case(("gelu made a table",), ROW, lambda: stack(nn.Linear(8, 8), nn.GELU())),
    "mean-of-pixels": Case(
        ("mean made an average pool",),
        IMAGE,
        lambda: net(lambda m, x: m.conv(x).mean((2, 3)), conv=nn.Conv2d(3, 4, 3)),
    ),
    "mean-of-steps": Case(
        ("mean made a linear layer",),
        SEQUENCE,
        lambda: net(lambda m, x: m.fc(x).mean(1), fc=nn.Linear(8, 4)),
    ),
    "adaptive-pool": Case(
        ("adaptive_avg_pool2d made a pool of fixed windows", "flatten left out"),
        IMAGE,
        lambda: stack(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    ),
    "squeeze": Case(
        ("unsqueeze left out", "squeeze left out"),
        ROW,
        lambda: net(lambda m, x: m.fc(m.fc(x).unsqueeze(1).relu()).squeeze(1), fc=nn.Linear(8, 8)),
    ),
    "dropout": Case(
        ("dropout left out",),
        ROW,
        lambda: stack(nn.Linear(8, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 4)),
    ),
    "attention": Case(
        ("attention taken apart",),
        SEQUENCE,
        lambda: net(
            lambda m, x: F.scaled_dot_product_attention(m.q(x), m.k(x), x),
            q=nn.Linear(8, 8),
            k=nn.Linear(8, 8),
        ),
    ),
}


@dataclass(frozen=True)
class Exported:
    in_float: dict[str, float]  #: largest difference of the captured graph to the module
    figures: dict[str, Figures]
    report: LoweringReport
    dropped: tuple[int, ...]  #: calls that only copy, which the image does without

    def changes(self, name: str) -> list[Change]:
        prefix = f"nets.{list(CASES).index(name)}"
        return [
            each
            for each in self.report.changes
            if each.layer == prefix or each.layer.startswith(f"{prefix}.")
        ]


@pytest.fixture(scope="module")
def exported() -> Exported:
    module = Together(Model(name, case.make, (case.shape,)) for name, case in CASES.items())
    module.eval()
    rows = module.rows(64, 1)
    graphs: list[Any] = []
    original = capturing.capture

    def capture(*args: Any) -> Any:
        """As it is; the graph is kept as it was before observers went in."""
        graph = original(*args)
        graphs.append(copy.deepcopy(graph))
        return graph

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capturing, "capture", capture, raising=True)
        # Of these samples the ranges have room for every value: a change is judged, not a range.
        measured = measure(module, rows, rows[:8])
    with torch.no_grad():
        want, got = module(*rows[1]), graphs[0](*rows[1])
    in_float = {
        name: float((a - b).abs().max()) for name, a, b in zip(CASES, want, got, strict=True)
    }
    planned = arrange(measured.artifact).planned
    assert planned is not None
    return Exported(
        in_float,
        dict(zip(CASES, measured.outputs, strict=True)),
        measured.report,
        planned.dropped_calls,
    )


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_listed_and_keeps_the_function(exported, name) -> None:
    listed = {each.what for each in exported.changes(name)}

    assert set(CASES[name].what) <= listed
    assert exported.in_float[name] < 1e-5
    assert not exported.figures[name].faults(LEAST)


def test_a_change_says_where_and_why(exported) -> None:
    for change in exported.report.changes:
        assert change.why
    [folded] = [each for each in exported.changes("bn-behind-conv") if "folded" in each.what]
    assert folded.layer == "nets.0.1"
    assert "aten.conv2d in layer nets.0.0" in folded.why


def test_dropout_leaves_no_copy_behind(exported) -> None:
    dropouts = [each for each in exported.report.model_operators if "dropout" in each.operator]

    assert dropouts
    assert all(set(each.calls) <= set(exported.dropped) for each in dropouts)


def test_channels_last_is_said_of_a_model_with_images_only() -> None:
    conv, linear = nn.Conv2d(1, 1, 1), nn.Linear(4, 4)

    [change] = module_changes(conv, (torch.zeros(1, 1, 2, 2),))
    assert change.what == "channels-last"
    assert module_changes(linear, (torch.zeros(1, 4),)) == ()
