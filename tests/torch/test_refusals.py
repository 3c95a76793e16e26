# SPDX-License-Identifier: BSD-3-Clause
"""What cannot be built is refused in its author's terms: layer, line, what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcugen.base.errors import McugenError
from mcugen.export import pipeline

pytestmark = pytest.mark.torch

MODELS = Path(__file__).parent / "refused_models.py"
#: Of torch and ExecuTorch; nothing that the author of a model has written or can look at.
FOREIGN = re.compile(
    r"symbolic sizes|FX node|fake tensor|ScalarType\.|numel\(\)|Traceback|site-packages|\.md\b|"
    r"object has no attribute|Explanation:|torch\._dynamo"
)


def refusal(name: str) -> McugenError:
    with pytest.raises(McugenError) as caught:
        pipeline.build_artifact(f"{MODELS}:{name}", cpu="cortex-m4")
    error = caught.value
    assert not FOREIGN.search(f"{error.message} {error.hint}")
    assert len(error.message) < 600 and error.message.count("\n") <= 1
    return error


def line_of(name: str) -> str:
    """Return "refused_models.py, line 26" of the line that is marked so."""
    lines = MODELS.read_text().splitlines()
    (number,) = (i for i, line in enumerate(lines, start=1) if line.endswith(f"# here: {name}"))
    return f"{MODELS.name}, line {number}"


@pytest.mark.parametrize(
    ("name", "found", "instead"),
    [
        ("branch", "depends on the values in a tensor: `if x.mean", "torch.where"),
        ("loop", "depends on the values in a tensor: `while x.sum", "torch.where"),
        ("masked", "aten.index in .* makes a shape or number of the values", "by a mask"),
        ("item", "aten.item in .* makes a shape or number of the values", "Keep shapes fixed"),
        ("spectrum", "aten.fft_rfft in .* complex numbers", "imaginary part"),
        ("double", "aten.to in .* float64", "Leave out .double()"),
        ("sort", "aten::sort.values is not in the firmware", "torch.topk"),
        ("noise", "aten::randn_like.out is not in the firmware", "self.training"),
        ("dropped", "dropout is on in .* outputs would be random", "training=self.training"),
        ("normed", "batch norm is in train mode in", "training=self.training"),
        ("computed", "weights of the convolution in .* computed from an input", "torch.matmul"),
        ("raises", "ValueError: images must be 32 x 32", "example inputs"),
    ],
)
def test_a_layer_is_named_with_its_line(name: str, found: str, instead: str) -> None:
    error = refusal(name)

    assert error.exit_code == 5
    assert f"layer body.1 ({line_of(name)})" in error.message
    assert re.search(found, error.message)
    assert instead in error.hint


def test_state_is_named_with_the_line_that_changes_it() -> None:
    error = refusal("seen")

    assert f"buffer 'body.1.seen' ({line_of('seen')})" in error.message
    assert "as an input and an output" in error.hint


@pytest.mark.parametrize(
    ("name", "found", "instead"),
    [
        ("label", "its forward() returns a str ('cat')", "Return tensors only"),
        ("structured", "its forward() returns a Result", "register_dataclass(Result)"),
        ("one_of_two", "depends on its input 'unused'", "Leave it out of forward()"),
        ("imaginary", "example input 0 is complex64", "inputs of their own"),
        ("wrong_shape", "on the example inputs (float32 [1, 1, 8, 8]), in layer body.1.1", "batch"),
        ("float64", "example input 0 is float64", "module.float()"),
        ("beyond_the_table", "on the calibration samples, it does not run", "within a table"),
        ("other_dtype", "calibration sample 0 is float32 where the model takes int64", "dtype"),
        ("nothing", "returned nothing; it must return (module, example_inputs)", "module.eval()"),
        ("only_the_module", "returned a Linear; it must return", "module.eval()"),
        ("with_argument", "missing 1 required positional argument", "give them defaults"),
        ("n0thing", "has no function 'n0thing'", "Did you mean 'nothing'?"),
        ("xyz", "has no function 'xyz'", "It has: "),
    ],
)
def test_what_does_not_suit_is_named(name: str, found: str, instead: str) -> None:
    error = refusal(name)

    assert found in error.message
    assert instead in error.hint


@pytest.mark.parametrize(
    ("name", "found", "instead"),
    [
        ("no_weights", "FileNotFoundError", "Relative paths are looked up from"),
        ("other_weights", 'Unexpected key(s) in state_dict: "weights"', "--verbose"),
    ],
)
def test_a_factory_that_raises_is_named_with_its_line(name, found, instead) -> None:
    error = refusal(name)

    assert error.exit_code == 5
    assert f"{MODELS}:{name} failed, in {line_of(name)}: " in error.message
    assert found in error.message
    assert instead in error.hint


def test_a_float_operator_is_reported_with_its_line(tmp_path: Path) -> None:
    model = tmp_path / "net.py"
    model.write_text(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        return torch.cumsum(x, 1)\n"
        "def make():\n"
        "    return Net(), (torch.zeros(1, 4),), [torch.randn(1, 4) for _ in range(4)]\n"
    )
    _, report = pipeline.build_artifact(f"{model}:make", cpu="cortex-m4", accept_loss=True)

    assert [line.where for line in report.fallbacks if line.operator == "aten::cumsum.out"] == [
        "the model's own forward (net.py, line 4)"
    ]
