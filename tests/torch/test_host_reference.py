# SPDX-License-Identifier: BSD-3-Clause
"""The host reference against the published runtime, and against the wheel's Python operators."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from mlperf_tiny_vectors import MODELS, golden_artifact, golden_vectors

from mcugen.base.errors import ConfigError
from mcugen.program.reference.fixed_point import softmax_s8
from mcugen.program.reference.operators import Operators
from mcugen.program.reference.registry import COMPUTED
from mcugen.program.reference.walker import Reference, reference_outputs, run_reference


@pytest.mark.parametrize("cpu", ["m4", "m55"])
@pytest.mark.parametrize("io", ["int8", "float"])
@pytest.mark.parametrize("model", MODELS)
def test_gives_the_published_runtimes_bytes(model, io, cpu):
    """Run from the stripped bytes, so this is also the proof that stripping loses nothing."""
    inputs, expected = golden_vectors(model, io)

    (output,) = run_reference(golden_artifact(model, io, cpu), [inputs])

    assert output.tobytes() == expected.tobytes()


def test_second_inference_does_not_see_the_first():
    """Planned memory is reused between layers and between inferences."""
    artifact = golden_artifact("kws", "int8", "m4")
    inputs, expected = golden_vectors("kws", "int8")
    reference = Reference(artifact)
    reference.run([bytes(len(inputs))])

    assert reference.run([inputs])[0].tobytes() == expected.tobytes()


def test_batch_is_kept_and_equals_single_runs(monkeypatch):
    artifact = golden_artifact("ad", "int8", "m4")
    samples = np.random.RandomState(0).randint(-128, 128, (3, 1, 640)).astype(np.int8)
    single = [run_reference(artifact, [sample])[0] for sample in samples]

    (first,) = reference_outputs(artifact, [samples])
    monkeypatch.setattr(
        "mcugen.program.reference.walker.Reference", None
    )  # a second run must not load it
    (second,) = reference_outputs(artifact, [samples])

    assert (first == np.stack(single)).all()
    assert (second == first).all()


@pytest.mark.parametrize(
    "inputs, words",
    [
        ([], "takes 1 inputs, got 0"),
        ([b"123"], "takes 640 B, got 3 B"),
        ([np.zeros((1, 640), np.float32)], "is int8, got float32"),
    ],
)
def test_input_that_does_not_suit_says_why(inputs, words):
    with pytest.raises(ConfigError, match=words):
        run_reference(golden_artifact("ad", "int8", "m4"), inputs)


# --- one operator at a time, against ExecuTorch's Python reference ---


@pytest.fixture(scope="module")
def both():
    import torch

    from mcugen.base.quiet import quiet

    with quiet():
        import executorch.backends.cortex_m.passes  # noqa: F401 (registers the operators)

    Operators(torch)  # registers ours
    ours = {name.removeprefix("cortex_m::"): function for name, function in COMPUTED.items()}
    return torch, SimpleNamespace(**ours), torch.ops.cortex_m


def _int8(torch, generator, *shape):
    return torch.randint(-128, 128, shape, generator=generator, dtype=torch.int8)


def _per_channel(torch, generator, channels):
    multipliers = torch.randint(2**30, 2**31 - 1, (channels,), generator=generator).int()
    shifts = torch.randint(-12, 2, (channels,), generator=generator).int()
    return multipliers, shifts


@pytest.mark.parametrize("seed", range(6))
def test_convolution_equals_the_wheels(both, seed):
    torch, ours, wheel = both
    generator = torch.Generator().manual_seed(seed)
    in_ch, out_ch, kernel = 1 + seed, 3 + seed, 1 + seed % 3
    x = _int8(torch, generator, 1, in_ch, 9, 7).to(memory_format=torch.channels_last)
    weight = _int8(torch, generator, out_ch, kernel, kernel, in_ch)
    bias = torch.randint(-5000, 5000, (out_ch,), generator=generator).int() if seed % 2 else None
    multipliers, shifts = _per_channel(torch, generator, out_ch)
    arguments = (x, weight, bias, [1 + seed % 2, 1], [seed % 2, kernel // 2], [1, 1], 5 - seed, -9)
    arguments += (multipliers, shifts, -100, 127, torch.zeros(0, dtype=torch.uint8))

    assert torch.equal(ours.quantized_conv2d(*arguments), wheel.quantized_conv2d(*arguments))


@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_convolution_equals_the_wheels(both, multiplier):
    torch, ours, wheel = both
    generator = torch.Generator().manual_seed(multiplier)
    x = _int8(torch, generator, 1, 5, 8, 6).to(memory_format=torch.channels_last)
    weight = _int8(torch, generator, 1, 3, 3, 5 * multiplier)
    bias = torch.randint(-500, 500, (5 * multiplier,), generator=generator).int()
    multipliers, shifts = _per_channel(torch, generator, 5 * multiplier)
    arguments = (x, weight, bias, [1, 2], [1, 1], [1, 1], multiplier, 128, 3)
    arguments += (multipliers, shifts, -128, 127, torch.zeros(0, dtype=torch.uint8))

    assert torch.equal(
        ours.quantized_depthwise_conv2d(*arguments),
        wheel.quantized_depthwise_conv2d(*arguments),
    )


@pytest.mark.parametrize("use_sum", [False, True], ids=["bias", "kernel-sum"])
def test_linear_equals_the_wheels(both, use_sum):
    torch, ours, wheel = both
    generator = torch.Generator().manual_seed(3)
    x, weights = _int8(torch, generator, 4, 37), _int8(torch, generator, 11, 37)
    extra = torch.randint(-5000, 5000, (11,), generator=generator).int()
    arguments = (x, weights, None if use_sum else extra, extra if use_sum else None, 7, 0, -3)
    arguments += ([1518500250], [-8], 127, -128)

    assert torch.equal(ours.quantized_linear(*arguments), wheel.quantized_linear(*arguments))


@pytest.mark.parametrize("shift", [-3, 0, 1])
def test_add_and_mul_equal_the_wheels(both, shift):
    torch, ours, wheel = both
    generator = torch.Generator().manual_seed(4)
    a, b = _int8(torch, generator, 1, 3, 5, 7), _int8(torch, generator, 1, 3, 5, 7)
    add = (a, 3, 1200000000, -1, b, -7, 2000000000, -2, 5, 1900000000, -18 + shift, -90, 127)
    mul = (a, 3, b, -7, 5, 1900000000, -8 + shift)

    assert torch.equal(ours.quantized_add(*add), wheel.quantized_add(*add))
    assert torch.equal(ours.quantized_mul(*mul), wheel.quantized_mul(*mul))


@pytest.mark.parametrize("padding", [0, 1])
def test_pools_and_pad_equal_the_wheels(both, padding):
    """The average differs by design where the wheel's float one rounds halves to even: one step."""
    torch, ours, wheel = both
    generator = torch.Generator().manual_seed(5)
    x = _int8(torch, generator, 1, 4, 9, 11).to(memory_format=torch.channels_last)
    average = (x, [3, 2], [2, 2], [padding, padding], False, -5, 1400000000, -4, x)
    largest = (x, [3, 2], [2, 2], [padding, padding], [1, 1], False, 4, 4, -100, 120)
    pad = (x, [0, 1, 2, 0], [0, 0, 1, 0], -7)

    step = ours.quantized_avg_pool2d(*average).int() - wheel.quantized_avg_pool2d(*average)
    assert step.abs().max() <= 1
    assert (step != 0).float().mean() < 0.15
    assert torch.equal(ours.quantized_max_pool2d(*largest), wheel.quantized_max_pool2d(*largest))
    assert torch.equal(ours.pad(*pad), wheel.pad(*pad))


@pytest.mark.parametrize(
    "values, count, want",
    [((3, 0), 2, 2), ((-3, 0), 2, -2), ((1, 0), 2, 1), ((-1, 0), 2, -1), ((-128, -128), 2, -128)],
)
def test_average_rounds_halves_away_from_zero(both, values, count, want):
    torch, ours, _ = both
    x = torch.tensor(values, dtype=torch.int8).reshape(1, 1, 1, count)

    result = ours.quantized_avg_pool2d(x, [1, count], [1, 1], [0, 0], False, 0, 0, 0, None)

    assert result.item() == want


def test_edges_equal_the_wheels(both):
    torch, ours, _ = both
    from torch.ao.quantization.fx import _decomposed  # noqa: F401 (registers the operators)

    generator = torch.Generator().manual_seed(6)
    x = torch.randn(1000, generator=generator) * 3
    q = _int8(torch, generator, 1000)
    scheme = (0.0234567, -11, -128, 127)
    decomposed = torch.ops.quantized_decomposed

    assert torch.equal(
        ours.quantize_per_tensor(x, *scheme, 1),
        decomposed.quantize_per_tensor(x, *scheme, torch.int8),
    )
    assert torch.equal(
        ours.dequantize_per_tensor(q, *scheme, 1),
        decomposed.dequantize_per_tensor(q, *scheme, torch.int8),
    )


@pytest.mark.parametrize("scale", [0.01, 0.05, 0.3, 1.0])
def test_softmax_is_within_a_step_of_real_arithmetic(scale):
    """The fixed-point algorithm is accurate to well under 1/256; its rounding can differ."""
    import math

    rows = np.random.RandomState(7).randint(-128, 128, (50, 12)).astype(np.int8)
    real = scale * (1 << 26)
    shift = max(0, math.ceil(math.log2(real / 2**31)) + 31)
    multiplier = round(real / 2.0**shift * 2**31)
    if multiplier >= 2**31:
        multiplier, shift = multiplier // 2, shift + 1
    diff_min = -((31 << 26) >> shift)
    exact = np.exp(rows.astype(np.float64) * scale)
    want = np.rint(exact / exact.sum(-1, keepdims=True) * 256) - 128

    got = softmax_s8(rows, multiplier, shift, diff_min)

    assert np.abs(got - np.clip(want, -128, 127)).max() <= 1
