# SPDX-License-Identifier: BSD-3-Clause
"""Scales: which range of numbers they are made for, and functions of 256 of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torchao.quantization.pt2e.observer import HistogramObserver

from mcugen.export.curve import described, evaluate, table, written
from mcugen.export.observers import ActivationObserver, PerChannelWeightObserver

pytestmark = pytest.mark.torch


def observed(samples, cls=ActivationObserver):
    observer = cls(dtype=torch.int8, qscheme=torch.per_tensor_affine)
    for sample in samples:
        observer(sample)
    return observer


def limits(observer):
    scale, zero_point = observer.calculate_qparams()
    return float(scale * (-128 - zero_point)), float(scale * (127 - zero_point))


def noise(count, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(40, generator=generator) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 5, 60])
def test_the_search_is_torchaos(count):
    skewed = [sample.exp() for sample in noise(count)]
    ours, theirs = observed(skewed), observed(skewed, HistogramObserver)

    assert ours._search() == theirs._non_linear_param_search()


def test_few_samples_leave_room_for_what_they_did_not_show():
    few, many = noise(16), noise(1024)

    low, high = limits(observed(few))

    assert low < min(sample.min() for sample in few)
    assert high > max(sample.max() for sample in few)
    # Of many samples next to none: as torchao has it, by a step of 255 and a half.
    for ours, theirs in zip(
        limits(observed(many)), limits(observed(many, HistogramObserver)), strict=True
    ):
        assert abs(ours - theirs) < 0.02 * (high - low)


def test_what_all_samples_have_for_an_end_is_the_end():
    images = [torch.cat([torch.rand(30), torch.tensor([0.0, 1.0])]) for _ in range(8)]

    low, high = limits(observed(images))

    assert low == pytest.approx(0, abs=1e-6) and high == pytest.approx(1, abs=0.01)


def test_a_pruned_row_has_a_scale_that_its_bias_can_be_written_in():
    weight = torch.linspace(-3, 3, 36).reshape(4, 9)
    weight[2] = 0
    observer = PerChannelWeightObserver(
        dtype=torch.int8, qscheme=torch.per_channel_symmetric, ch_axis=0
    )
    observer(weight)

    scales, zero_points = observer.calculate_qparams()

    assert scales[2] == scales.max() * 2.0**-12
    assert not zero_points.any()
    # A bias of 10 beside a scale of the input of 1e-3, say.
    assert 10 / (1e-3 * scales.min()) < 2**31


def function(*steps):
    return written([{"op": op, "args": list(args), "kwargs": {}} for op, *args in steps])


def scaled(scale, zero_point):
    return SimpleNamespace(scale=scale, zp=zero_point)


def test_a_function_of_several_steps_is_one_table():
    gate = function(("aten.sigmoid.default", {"of": -1}), ("aten.rsub.Scalar", {"of": 0}, 1.0))
    source, result = scaled(0.05, 10), scaled(1 / 256, -128)

    entries = table(gate, source, result)

    reals = (torch.arange(-128, 128, dtype=torch.float64) - 10) * 0.05
    want = ((1 - torch.sigmoid(reals)) * 256 - 128).clamp(-128, 127)
    assert (entries - want).abs().max() <= 0.5
    assert described(gate) == "aten.sigmoid+rsub"


def test_where_a_function_has_no_value_the_nearest_is_taken():
    root = function(("aten.sqrt.default", {"of": -1}))
    inverse = function(("aten.reciprocal.default", {"of": -1}))

    entries = table(root, scaled(0.1, 0), scaled(0.02, -128))
    poles = table(inverse, scaled(0.1, 0), scaled(0.1, 0))

    assert (entries[:128] == -128).all() and entries[255] > 40
    assert poles[128] == 127 and poles[127] == -100  # one over nothing is the most there is
    with pytest.raises(ValueError, match="over the whole range"):
        table(root, scaled(0.1, 200), scaled(0.1, 0))


def test_constants_of_one_number_are_tensors():
    largest = function(("aten.maximum.default", {"of": -1}, {"number": 0.25}))

    assert evaluate(largest, torch.tensor([0.0, 1.0])).tolist() == [0.25, 1.0]
