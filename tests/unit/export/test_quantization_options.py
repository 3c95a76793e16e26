# SPDX-License-Identifier: BSD-3-Clause
"""What a user chooses about quantization, from words and back to them."""

from __future__ import annotations

import pytest

from mcugen.base.errors import ConfigError
from mcugen.export.layer_report import LayerFigures, QuantizationReport, Trial, advice
from mcugen.export.quantization import (
    DEFAULTS,
    CalibrationMethod,
    MethodKind,
    QuantizationOptions,
)


def layer(**changes):
    figures = dict(
        layer="body.4",
        node="conv2d_3",
        operators="conv2d+relu",
        line="net.py, line 12",
        low=0.0,
        high=2.55,
        scale=0.01,
        zero_point=-128,
        bits=8,
        clipped=0.0,
        at_limits=0.4,
        sqnr_db=20.0,
        alone_db=30.0,
        effect_db=12.0,
        outlier_ratio=1.2,
        channel_ratio=1.5,
        channel=3,
    )
    return LayerFigures(**{**figures, **changes})


def test_methods_are_read_as_they_are_written():
    assert CalibrationMethod.parse("percentile").percent == 99.9
    for text in ("minmax", "histogram", "percentile:99.99", "percentile:50"):
        assert str(CalibrationMethod.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("min-max", "did you mean 'minmax'"),
        ("minmax:3", "takes no number"),
        ("percentile:", "percentile:P with a P of 50 to 100"),
        ("percentile:101", "percentile:P with a P of 50 to 100"),
        ("percentile:nan", "percentile:P with a P of 50 to 100"),
    ],
)
def test_a_method_that_there_is_not_is_refused(text, said):
    with pytest.raises(ConfigError, match=said):
        CalibrationMethod.parse(text)


def test_options_are_repeated_by_what_they_print():
    options = QuantizationOptions.parse(
        "percentile:99.9", 64, ["body.*=minmax", "head=percentile:99"], ["stem"]
    )

    assert options.as_arguments == (
        "--calibration-method percentile:99.9 --calibration-samples 64 "
        "--layer-method 'body.*=minmax' --layer-method head=percentile:99 --float-layer stem"
    )
    assert options.as_toml == (
        'calibration_method = "percentile:99.9"',
        "calibration_samples = 64",
        'layer_method = ["body.*=minmax", "head=percentile:99"]',
        'float_layer = ["stem"]',
    )
    assert QuantizationOptions.from_json(options.to_json()) == options
    assert DEFAULTS.as_arguments == "" and DEFAULTS.as_toml == ()


@pytest.mark.parametrize("text", ["minmax", "=minmax", "body=mean"])
def test_a_layers_method_names_both(text):
    with pytest.raises(ConfigError, match="--layer-method"):
        QuantizationOptions.parse(layer_methods=[text])


def test_no_samples_at_all_are_refused():
    with pytest.raises(ConfigError, match="at least 1, not 0"):
        QuantizationOptions.parse(samples=0)


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({"channel_ratio": 1000.0}, "channel 3 is 1,000 x as large as the middle one"),
        ({"outlier_ratio": 50.0}, "50 x as wide as 99.9 % of the values need"),
        ({"clipped": 0.05}, "5.0 % of its values are cut off: --layer-method body.4=minmax"),
        ({}, "--layer-method body.4=minmax"),
    ],
)
def test_advice_begins_with_what_is_wrong(changes, first):
    words = list(advice(layer(**changes), DEFAULTS, 128))

    assert first in words[0]
    assert "--float-layer body.4" in words
    assert "qat" in words[-1]


def test_few_samples_are_a_cause_of_their_own():
    assert "calibrate with more than 8 samples" in advice(layer(), DEFAULTS, 8)


def test_a_report_is_kept_and_blames_what_costs_most():
    good = layer(layer="head", effect_db=None)
    worst = layer(advice=("keep it in float",))
    report = QuantizationReport(
        QuantizationOptions(CalibrationMethod(MethodKind.MINMAX)),
        16,
        (worst, good),
        (Trial(DEFAULTS, 5.0, None), Trial(DEFAULTS, None, 0.5)),
    )

    assert QuantizationReport.from_json(report.to_json()) == report
    assert report.worst == (worst,)
    assert report.blame == (
        "layer body.4 (net.py, line 12) alone takes the output to 12.0 dB (keep it in float)"
    )
    assert QuantizationReport().blame is None
