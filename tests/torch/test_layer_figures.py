# SPDX-License-Identifier: BSD-3-Clause
"""What int8 costs layer by layer, how ranges are chosen, and what is kept in float."""

from __future__ import annotations

import copy

import hard_models
import pytest
import torch
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e

from mcugen.base.errors import ConfigError
from mcugen.export.calibration import Calibration
from mcugen.export.layer_figures import PreparedRun, measure_layers
from mcugen.export.observers import ActivationObserver
from mcugen.export.prepared import captured_for, channels_last, prepared_for
from mcugen.export.quantization import DEFAULTS, CalibrationMethod, QuantizationOptions
from mcugen.model.source import ModelSource

CALIBRATION = Calibration(tuple((image,) for image in hard_models.images(32)), "a test's", False)
SAMPLES = [channels_last((image,)) for image in hard_models.images(8, seed=9)]


def captured(model):
    source = ModelSource("small", model, CALIBRATION.samples[0], None, None, "a test's")
    return captured_for(source, CALIBRATION)


@pytest.fixture(scope="module")
def large():
    return captured(hard_models.with_large_channel(hard_models.Small()))


@pytest.fixture(scope="module")
def outliers():
    return captured(hard_models.with_outliers(hard_models.Small()))


def measured(graph, options=DEFAULTS):
    prepared, quantizer = prepared_for(copy.deepcopy(graph), CALIBRATION, options)
    report = measure_layers(prepared, SAMPLES, options, len(CALIBRATION.samples))
    return {layer.name: layer for layer in report.layers}, report, quantizer


def test_the_layer_that_was_made_hard_is_the_worst(large):
    layers, report, _ = measured(large)

    assert report.worst[0].name == "hard"
    hard, stem = layers["hard"], layers["stem"]
    assert hard.channel == 5 and hard.channel_ratio > 300
    assert hard.effect_db < 25 < stem.effect_db
    # Its own values say nothing: the large channel is most of their power.
    assert hard.alone_db > 30
    # The next layer's do, if the hard one is quantized, too.
    assert layers["mid"].sqnr_db < 10 < layers["mid"].alone_db
    assert "channel 5" in hard.advice[0] and "hard_models.py" in report.blame
    assert {layer.name for layer in report.layers} == {"x", "stem", "hard", "mid", "head"}
    assert hard.operators == "conv2d+relu"


def test_a_range_made_by_outliers_is_told_and_a_percentile_mends_it(outliers):
    layers, report, _ = measured(outliers)
    mended, after, _ = measured(
        outliers, QuantizationOptions.parse(layer_methods=["hard=percentile:99.9"])
    )

    assert report.worst[0].name == "hard"
    assert layers["hard"].outlier_ratio > 20
    assert "--layer-method hard=percentile:99.9" in layers["hard"].advice[0]
    assert mended["hard"].effect_db > layers["hard"].effect_db + 20
    assert mended["hard"].high < 1 < layers["hard"].high
    # The others have the ranges that they had.
    assert mended["mid"].scale == pytest.approx(layers["mid"].scale)
    assert after.options.layer_methods[0][0] == "hard"


def test_with_all_observers_rounding_the_graph_is_the_quantized_one(large):
    prepared, _ = prepared_for(copy.deepcopy(large), CALIBRATION, DEFAULTS)
    run = PreparedRun(copy.deepcopy(prepared))
    converted = convert_pt2e(prepared)

    for sample in SAMPLES:
        (got,) = run.outputs(sample, run.observers)
        want = converted(*sample)
        step = float(run.rounding(list(run.observers)[-1]).scale)
        assert (got - want).abs().max() <= 1.01 * step  # sums in float round where integers do not
        (in_float,) = run.outputs(sample)
        assert (in_float - want).abs().max() > step


def test_layers_kept_in_float_have_no_observers(large):
    layers, _, quantizer = measured(large, QuantizationOptions.parse(float_layers=["h*d", "mid"]))

    # A relu between two of them would gain nothing by int8.
    assert set(quantizer.unquantized) == {"conv2d_1", "relu_1", "conv2d_2", "linear"}
    assert quantizer.unquantized["linear"] == "--float-layer h*d keeps it in float"
    assert "stem" in layers and "hard" not in layers


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"float_layers": ["heart"]}, "--float-layer: the model has no layer 'heart'.*'head'"),
        ({"layer_methods": ["body*=minmax"]}, r"--layer-method: the model has no layer 'body\*'"),
    ],
)
def test_a_layer_that_there_is_not_is_refused(large, options, said):
    with pytest.raises(ConfigError, match=said) as refused:
        prepared_for(copy.deepcopy(large), CALIBRATION, QuantizationOptions.parse(**options))

    assert "stem, hard, mid, head" in refused.value.hint


def observed(method, samples):
    observer = ActivationObserver(dtype=torch.int8, qscheme=torch.per_tensor_affine)
    observer.method = CalibrationMethod.parse(method)
    for sample in samples:
        observer(sample)
    scale, zero_point = observer.calculate_qparams()
    return float(scale * (-128 - zero_point)), float(scale * (127 - zero_point))


def test_minmax_is_the_least_and_the_largest_value():
    samples = [torch.linspace(-3, low, 100) for low in (1.0, 2.0)]

    low, high = observed("minmax", samples)

    assert low == pytest.approx(-3, rel=0.01) and high == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_a_percentile_cuts_off_half_at_each_end(size):
    samples = [torch.linspace(-1, 1, size) for _ in range(10)]
    samples[0][0], samples[0][1] = 1e6, torch.inf

    low, high = observed("percentile:90", samples)

    assert low == pytest.approx(-0.9, abs=0.02) and high == pytest.approx(0.9, abs=0.02)


def test_a_percentile_of_few_values_cuts_off_none():
    low, high = observed("percentile:99.9", [torch.linspace(-1, 1, 100)])

    assert low == pytest.approx(-1, rel=0.01) and high == pytest.approx(1, rel=0.01)
