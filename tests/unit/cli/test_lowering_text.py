# SPDX-License-Identifier: BSD-3-Clause
"""The lowering report for people: it shouts where something runs in float, else not a word."""

from __future__ import annotations

import pytest

from mcugen.base.errors import LoweringError
from mcugen.cli.terminal import Terminal
from mcugen.export.lowering_report import LoweringReport, OperatorReport
from mcugen.export.model_operators import Fate, model_operators
from mcugen.export.operators_traced import CapturedNode, TracedOperator
from mcugen.flow.building import lowering_warnings
from mcugen.flow.report.lowering import change_lines, float_lines, float_summary, operators_lines
from mcugen.model.source import Change

WHY = "the quantizer has no int8 pattern for aten.cumsum"
TRACED = (
    TracedOperator("conv2d", "aten.conv2d", "conv", "net.py, line 3", (), True),
    TracedOperator("bn", "aten.batch_norm", "bn", "net.py, line 4", ("conv2d",), True),
    TracedOperator("relu", "aten.relu", "", "net.py, line 5", ("bn",), True),
    TracedOperator("flatten", "aten.flatten", "", "net.py, line 6", ("relu",), True),
    TracedOperator("zeros", "aten.zeros", "", "net.py, line 7", (), False),
    TracedOperator("cumsum", "aten.cumsum", "", "net.py, line 8", ("flatten",), True),
    TracedOperator("mean", "aten.mean", "", "net.py, line 9", ("relu",), True, used=False),
)
CAPTURED = (
    CapturedNode("conv2d", "aten.conv2d.default", "conv2d"),
    CapturedNode("relu", "aten.relu.default", "relu"),
    CapturedNode("view", "aten.view.default", "flatten"),
    CapturedNode("cumsum", "aten.cumsum.default", "cumsum"),
)
CALLS = (
    OperatorReport("cortex_m::quantized_conv2d.out", "conv", "aten.conv2d", True, None, "conv2d"),
    OperatorReport("cortex_m::dequantize_per_tensor.out", "", "", True, None, "dequantize"),
    OperatorReport("aten::cumsum.out", "", "aten.cumsum", False, WHY, "cumsum"),
)


def report(calls: tuple[OperatorReport, ...] = CALLS, **more: object) -> LoweringReport:
    return LoweringReport(
        model="net",
        cpu="cortex-m4",
        isa="dsp",
        io="int8",
        operators=calls,
        calibration="noise",
        calibration_samples=1,
        calibration_random=True,
        channels_last=True,
        model_operators=model_operators(TRACED, CAPTURED, calls),
        **more,
    )


def test_each_operator_has_its_fate() -> None:
    became = {each.operator: each for each in report().model_operators}

    fates = {name: str(each.fate) for name, each in became.items()}
    assert fates == {
        "aten.conv2d": "int8",
        "aten.batch_norm": "fused",
        "aten.relu": "fused",
        "aten.flatten": "view",
        "aten.zeros": "constant",
        "aten.cumsum": "float",
        "aten.mean": "unused",
    }
    assert became["aten.relu"].within == "aten.conv2d in layer conv (net.py, line 3)"
    assert became["aten.relu"].kernels == ("cortex_m::quantized_conv2d.out",)
    assert became["aten.cumsum"].reason == WHY
    assert "triangular" in became["aten.cumsum"].advice


def test_a_layer_is_never_said_to_be_part_of_what_follows_it_in_float() -> None:
    """The kernel of a fused pair may be known by either: what has none looks for its own."""
    fused = (OperatorReport(CALLS[0].operator, "", "aten.relu", True, None, "relu"), *CALLS[1:])

    became = {each.operator: each for each in report(fused).model_operators}

    assert became["aten.conv2d"].fate is Fate.FUSED
    assert became["aten.conv2d"].within.startswith("aten.relu")
    assert became["aten.conv2d"].kernels == ("cortex_m::quantized_conv2d.out",)


def test_it_survives_the_cache() -> None:
    import json

    told = report(changes=(Change("eval mode", "", None, "why"),))

    assert LoweringReport.from_json(json.loads(json.dumps(told.to_json()))) == told


def test_the_block_says_which_where_why_and_what_to_do() -> None:
    text = "\n".join(float_lines(report().to_json(), Terminal()))

    assert "1 operator runs in float, of 5" in text
    assert "aten.cumsum in the model's own forward (net.py, line 8)" in text
    assert f"why: {WHY}" in text
    assert "try: Multiply by a triangular matrix" in text


def test_nothing_is_said_where_all_is_int8() -> None:
    document = report(CALLS[:1]).to_json()

    assert float_lines(document, Terminal()) == []
    assert float_summary(document) is None
    assert lowering_warnings(report(CALLS[:1])) == []


def test_a_build_warns_in_one_line() -> None:
    [line] = lowering_warnings(report())

    assert line.startswith("1 operator runs in float, of 5: aten.cumsum (mcugen inspect")


def test_strict_says_what_to_write_instead() -> None:
    with pytest.raises(LoweringError, match="net: 1 operator falls back to float") as caught:
        report().refuse_fallbacks()

    assert caught.value.hint.startswith("aten.cumsum: Multiply by a triangular matrix")


def test_a_pte_has_its_calls_for_operators() -> None:
    from dataclasses import replace

    bare = replace(report(), model_operators=())

    assert float_summary(bare.to_json()) == "1 operator runs in float, of 2"


def test_the_list_has_each_operator_and_each_change() -> None:
    change = Change("batch norm folded", "bn", "net.py, line 4", "it is in the weights")
    document = report(changes=(change, change)).to_json()
    for each in document["model_operators"]:
        each["share"] = 0.25

    text = "\n".join(operators_lines(document, Terminal()))

    for each in TRACED:
        assert each.operator in text
        assert each.line in text
    assert "batch norm folded: layer bn (net.py, line 4): it is in the weights" in text
    assert change_lines(document) == ["batch norm folded x 2 (bn)"]


@pytest.mark.parametrize("count", [1, 14])
def test_many_are_counted_after_the_first(count) -> None:
    document = report().to_json()
    [row] = [each for each in document["model_operators"] if each["fate"] == "float"]
    document["model_operators"] = [{**row, "operator": f"aten.f{i}"} for i in range(count)]

    lines = float_lines(document, Terminal())

    assert ("and 4 more" in lines[-1]) == (count > 10)
