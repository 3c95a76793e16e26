# SPDX-License-Identifier: BSD-3-Clause
"""Programs prepared ahead of time: other operators, and every byte of output as it was.

The oracle is the program before the rewrite, on the host reference.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mlperf_tiny_vectors import MODELS, golden_artifact

from mcugen.boards.spec import Isa
from mcugen.cli.terminal import Terminal
from mcugen.flow.measuring import evaluation
from mcugen.program.artifact import PteArtifact
from mcugen.program.container import deserialize, find_method
from mcugen.program.conv_words import ConvForm
from mcugen.program.level import Level
from mcugen.program.packing import add, conv, linear, stem, trim
from mcugen.program.packing.conv import Room
from mcugen.program.packing.conv_layer import ConvLayer
from mcugen.program.packing.edit import Method
from mcugen.program.packing.pack import REWRITES
from mcugen.program.planning.arrange import Passes, arrange
from mcugen.program.read import read_pte
from mcugen.program.reference.walker import Reference
from mcugen.program.scratch import Window
from mcugen.program.strip import serialize, strip

NETS = sorted((Path(__file__).parents[1] / "golden" / "nets").glob("*_m4.pte"))
#: Of which networks each rewrite changes something.
REWRITTEN = {
    stem.restore_stems: {"kws"},
    trim.trim_windows: set(),
    linear.pack_linear: {"kws", "ic", "ad"},
    linear.pack_linear_4x4: {"kws", "vww", "ic", "ad"},
    linear.pack_linear_8x16: {"kws", "vww", "ic", "ad"},
    add.pack_add: {"ic"},
}


def read(path: Path) -> PteArtifact:
    return read_pte(path.read_bytes(), name=path.stem)


def outputs(artifact: PteArtifact, seeds: tuple[int, ...] = (1, 2)) -> list[bytes]:
    reference = Reference(artifact)
    found = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        inputs = [
            rng.integers(-128, 128, spec.memory_shape).astype(spec.dtype)
            if "int" in spec.dtype
            else rng.standard_normal(spec.memory_shape).astype(spec.dtype)
            for spec in artifact.inputs
        ]
        found += [output.tobytes() for output in reference.run(inputs)]
    return found


def rewritten(artifact: PteArtifact, rewrite) -> tuple[PteArtifact, int]:
    """Return the artifact after one rewrite, and how many calls it changed."""
    file = deserialize(artifact.pte, name="x")
    count = rewrite(Method(file.program, find_method(file.program, name="x")))
    return replace(artifact, pte=strip(serialize(file), name="x")), count


@pytest.mark.torch
@pytest.mark.parametrize("rewrite", REWRITTEN, ids=lambda each: each.__name__)
@pytest.mark.parametrize("model", MODELS)
def test_a_rewrite_changes_no_byte(model, rewrite):
    before = golden_artifact(model, "int8", "m4")

    after, count = rewritten(before, rewrite)

    assert bool(count) == (model in REWRITTEN[rewrite])
    assert outputs(after) == outputs(before)


@pytest.mark.torch
@pytest.mark.parametrize("isa", Isa)
@pytest.mark.parametrize("path", NETS[::6], ids=lambda path: path.stem)
def test_what_a_build_makes_of_a_network_computes_the_same(path, isa):
    """All rewrites, working memory and placement, for each instruction set."""
    before = read(path)

    after = arrange(before, Passes(isa))

    assert outputs(after) == outputs(before)


def test_taps_are_left_out_only_where_every_sum_stays():
    """All small geometries, each window's sum by hand."""
    rng = np.random.default_rng(20261127)
    sizes = itertools.product((1, 2, 3, 5), (1, 2, 3, 5), (1, 2, 3), (0, 1, 2, 3), (1, 2))
    trimmed = 0
    for image, kernel, stride, padding, dilation in sizes:
        room = image + 2 * padding - dilation * (kernel - 1) - 1
        if room < 0:
            continue
        out = room // stride + 1
        x, weights = rng.integers(-9, 9, image), rng.integers(1, 9, kernel)

        taps = trim.live_taps(image, out, kernel, stride, padding, dilation)

        kept, left = weights[taps.start : taps.stop], padding - taps.start * dilation
        trimmed += len(taps) < kernel
        before = _window_sums(x, weights, out, stride, padding, dilation)
        assert _window_sums(x, kept, out, stride, left, dilation) == before
        assert (
            left >= 0 and (image + 2 * left - dilation * (len(kept) - 1) - 1) // stride + 1 == out
        )
    assert trimmed > 30


def _window_sums(x, weights, out, stride, padding, dilation) -> list[int]:
    return [
        sum(
            int(weight * x[place])
            for tap, weight in enumerate(weights)
            if 0 <= (place := at * stride - padding + tap * dilation) < len(x)
        )
        for at in range(out)
    ]


@pytest.mark.torch
@pytest.mark.parametrize("batch", [1, 2])
def test_a_network_that_shrinks_to_a_pixel_keeps_its_bytes(batch):
    """Its last layers read padding mostly.

    Of several images at a time the exporter makes no depthwise layer: weights [8, 3, 3, 1] of
    groups of one channel, of which it says that the axis of one comes before the kernel's.
    """
    import torch
    from torch import nn

    from mcugen.export.calibration import Calibration
    from mcugen.export.lower import lower
    from mcugen.export.quantize import quantize
    from mcugen.model.source import ModelSource

    torch.manual_seed(1)
    module = nn.Sequential(
        *(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8), nn.ReLU()),
        *(nn.Conv2d(8, 12, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(12, 12, (5, 3), padding=(4, 2), dilation=2, groups=4), nn.ReLU()),
        nn.Conv2d(12, 12, 3, padding=1, groups=12),
    ).eval()
    samples = tuple((torch.randn(batch, 3, 2, 7),) for _ in range(3))
    source = ModelSource("net", module, samples[0], None, None, "a test")
    pte, _ = lower(quantize(source, Calibration(samples, "noise", True)), cpu="cortex-m4")
    before = read_pte(pte, name="net")

    after, count = rewritten(before, trim.trim_windows)

    assert count == 5
    assert outputs(after) == outputs(before)
    assert len(after.pte) < len(strip(before.pte, name="net"))


@pytest.mark.torch
@pytest.mark.parametrize("model", ["kws", "vww", "ic"])
def test_packed_convolutions_change_no_byte(model):
    """All of them, each in the form that saves most, planned with as much memory as there is."""
    before = golden_artifact(model, "int8", "m4")
    much = 1 << 24

    after = arrange(before, Passes(Isa.DSP, Level.SPEED, Room(much, much), memory=1 << 20))

    calls = {use.name: use.calls for use in after.operators}
    joined = calls.get("mcugen::packed_conv_depthwise.out", 0)
    assert calls["mcugen::packed_conv2d.out"] + joined == {"kws": 5, "vww": 14, "ic": 9}[model]
    assert not any("quantized_conv2d" in name or "::conv2d" in name for name in calls)
    assert outputs(after) == outputs(before)


@pytest.mark.torch
@pytest.mark.parametrize("model", ["kws", "vww"])
def test_convolutions_joined_with_a_depthwise_one_change_no_byte(model):
    before = golden_artifact(model, "int8", "m4")
    much = 1 << 24

    after = arrange(before, Passes(Isa.DSP, Level.SPEED, Room(much, much), memory=1 << 20))

    calls = {use.name: use.calls for use in after.operators}
    joined = after.planned.joined_calls
    assert calls["mcugen::packed_conv_depthwise.out"] == len(joined) == {"kws": 4, "vww": 13}[model]
    assert {first for first, _ in joined} <= set(after.planned.dropped_calls)
    assert outputs(after) == outputs(before)


def conv_layers(count: int) -> list[ConvLayer]:
    """Return random layers: any window, and 3x3 ones for tiles."""
    rng = np.random.default_rng(20261127)
    found = []
    while len(found) < count:
        tiles = len(found) % 2 == 0
        kernel = (3, 3) if tiles or rng.random() < 0.3 else tuple(rng.integers(1, 5, 2).tolist())
        stride, dilation = (1, 1) if tiles else rng.integers(1, 3, 2).tolist()
        pad = int(rng.integers(0, 2))
        sides = rng.integers(2, 4, 2) * 4 + 2 - 2 * pad if tiles else rng.integers(9, 15, 2)
        in_ch = int(rng.choice([4, 8, 64] if tiles else [1, 2, 3, 5, 12]))
        out_ch = int(rng.integers(1, 10))
        outs = [
            (int(n) + 2 * pad - dilation * (k - 1) - 1) // stride + 1
            for n, k in zip(sides, kernel, strict=True)
        ]
        sizes = (2, *sides.tolist(), in_ch, *outs, out_ch, *kernel, 1)
        zero_point = int(rng.integers(-128, 128))
        multipliers = rng.integers(1 << 30, 1 << 31, out_ch)
        # Often as layers of tiles have them: F(4x4) takes few others.
        shifts = rng.integers(*(9, 12) if tiles and rng.random() < 0.8 else (1, 13), out_ch)
        found.append(
            ConvLayer(
                Window(*sizes, *[stride] * 2, *[pad] * 2, *[dilation] * 2),
                rng.integers(-128, 128, (out_ch, *kernel, in_ch)),
                rng.integers(-9000, 9000, out_ch),
                np.where(rng.random(out_ch) < 0.1, 0, multipliers),
                -shifts,
                int(rng.integers(-128, 128)),
                zero_point,
                zero_point if rng.random() < 0.6 else -128,
            )
        )
    return found


@pytest.mark.torch
@pytest.mark.parametrize("form", ConvForm)
def test_a_packed_convolution_computes_the_same(form):
    """Odd sizes, extreme scalings, channels left over, one channel."""
    import torch

    from mcugen.program.reference import packed_conv, products  # noqa: F401 (registers them)
    from mcugen.program.reference.registry import COMPUTED

    packed = 0
    for layer in conv_layers(120):
        words = conv.WORDS[form](layer)
        if words is None:
            continue
        packed += 1
        w = layer.window
        rng = np.random.default_rng(packed)
        x = torch.from_numpy(rng.integers(-128, 128, (2, w.in_ch, w.in_h, w.in_w)).astype(np.int8))
        sides = ([w.stride_h], [w.pad_top] * 2, [w.dilation_h])
        offsets = (-layer.input_zero_point, layer.output_zero_point)
        constants = (layer.weights, layer.bias, layer.multipliers, layer.shifts)
        weights, bias, *scaling = (torch.from_numpy(each) for each in constants)
        limits = (layer.activation_min, 127, None)
        wanted = COMPUTED["cortex_m::quantized_conv2d"](
            x, weights, bias, *sides, *offsets, *scaling, *limits
        )

        got = COMPUTED["mcugen::packed_conv2d"](
            *(x, torch.from_numpy(words), int(form), *sides, *offsets),
            *([w.kernel_h, w.kernel_w], 1, *limits),
        )

        assert torch.equal(got, wanted), w
    assert packed > 12


LINEAR = (
    linear.pack_linear,
    linear.pack_linear_5x4,
    linear.pack_linear_4x4,
    linear.pack_linear_8x16,
)


def test_every_rewrite_is_compared():
    assert set(REWRITTEN) == {each for rewrites in REWRITES.values() for each in rewrites}


@pytest.mark.torch
@pytest.mark.parametrize("rewrite", LINEAR, ids=lambda each: each.__name__)
def test_layers_with_a_kernel_sum_are_packed_all_the_same(rewrite):
    """As models for Helium have them."""
    before = golden_artifact("ad", "int8", "m55")

    after, count = rewritten(before, rewrite)

    assert count == 10
    assert outputs(after) == outputs(before)


@dataclass
class Layer:
    """A linear layer as packing sees it: a Call, and the Method it belongs to."""

    weights: np.ndarray
    bias: np.ndarray | None
    multipliers: np.ndarray
    shifts: np.ndarray
    zero_points: tuple[int, int]
    limits: tuple[int, int]
    batch: int

    name = "cortex_m::quantized_linear.out"
    is_static = True

    def calls(self) -> list[Layer]:
        return [self]

    @property
    def method(self) -> Layer:
        return self

    def constant(self, name: str) -> np.ndarray:
        return self.weights if name == "weights" else self.bias

    def is_none(self, name: str) -> bool:
        return name == "kernel_sum" or self.bias is None

    def sizes(self, name: str) -> tuple[int, ...]:
        return self.batch, self.weights.shape[1]

    def ints(self, name: str) -> list[int]:
        return [*(self.multipliers if "multipliers" in name else self.shifts)]

    def integer(self, name: str) -> int:
        return {
            "filter_offset": 0,
            "input_offset": -self.zero_points[0],
            "output_offset": self.zero_points[1],
            "activation_min": self.limits[0],
            "activation_max": self.limits[1],
        }[name]

    def index(self, name: str) -> str:
        return name

    def add_constant(self, array: np.ndarray) -> np.ndarray:
        return array

    def add_scratch(self) -> None:
        return None

    def becomes(self, name: str, arguments: list) -> None:
        self.packed = (name, arguments)

    def expected(self, x: np.ndarray) -> np.ndarray:
        import torch

        from mcugen.program.reference.requantize import requantize

        sums = (x.astype(np.int64) - self.zero_points[0]) @ self.weights.T.astype(np.int64)
        sums += 0 if self.bias is None else self.bias
        scaled = requantize(*map(torch.tensor, (sums, self.multipliers, self.shifts))).numpy()
        return (scaled + self.zero_points[1]).clip(*self.limits).astype(np.int8)


def layer(rng: np.random.Generator, inputs: int, rows: int, batch: int = 1, **given) -> Layer:
    """Return a random layer whose results are spread."""
    chosen = {
        "weights": rng.integers(-128, 128, (rows, inputs)).astype(np.int8),
        "bias": rng.integers(-20000, 20000, rows).astype(np.int32),
        "multipliers": rng.integers(1 << 30, 1 << 31, rows),
        "shifts": -rng.integers(6, 11, rows) - int(np.log2(inputs) / 2),
        "zero_points": (int(rng.integers(-128, 128)), int(rng.integers(-128, 128))),
        "limits": (-128, 127),
    }
    return Layer(**chosen | given, batch=batch)


def layers() -> dict[str, Layer]:
    rng = np.random.default_rng(20261127)
    found = {
        f"{rows}x{inputs}": layer(rng, inputs, rows)
        for inputs in (1, 2, 3, 4, 5, 15, 16, 17, 31, 33, 128)
        for rows in (1, 3, 4, 5, 8, 9, 17)
    }
    low = np.full((5, 19), -128, np.int8)
    sparse = np.where(rng.random((9, 37)) < 0.1, -128, rng.integers(-127, 128, (9, 37)))
    some = {"weights": sparse.astype(np.int8), "zero_points": (-128, 5)}
    return found | {
        "all-lowest": layer(rng, 19, 5, weights=low, zero_points=(0, 3)),
        "some-lowest": layer(rng, 37, 9, **some),
        "zero-points": layer(rng, 21, 6, zero_points=(127, -128)),
        "zero-points-2": layer(rng, 21, 6, zero_points=(-128, 127)),
        "batch": layer(rng, 21, 6, batch=3),
        "no-bias": layer(rng, 21, 6, bias=None),
        "limits": layer(rng, 21, 6, limits=(-20, 31)),
        "relu": layer(rng, 21, 6, zero_points=(-128, -7), limits=(-7, 127)),
        "per-tensor": layer(rng, 21, 6, multipliers=np.array([1 << 30]), shifts=np.array([-9])),
        "small": layer(rng, 21, 6, shifts=np.array([-31, -32, -40, -62, -1, -9])),
    }


@pytest.mark.torch
@pytest.mark.parametrize("rewrite", LINEAR, ids=lambda each: each.__name__)
@pytest.mark.parametrize("name", LAYERS := layers())
def test_a_packed_layer_computes_the_same(name, rewrite):
    """Odd sizes, extreme weights and zero points, one row, one input, several rows of inputs."""
    import torch

    from mcugen.program.reference import packed  # noqa: F401 (registers them)
    from mcugen.program.reference.registry import COMPUTED

    of = LAYERS[name]
    rng = np.random.default_rng(1)
    x = rng.choice(np.array([-128, 127, 0, *rng.integers(-128, 128, 9)], np.int8), (64, of.batch))
    x = np.stack(
        [np.resize(rng.permutation(each), of.weights.shape[1]) for each in x.T.repeat(20, 0)]
    )
    x[0], x[-1] = -128, 127

    count = rewrite(of)

    if rewrite is linear.pack_linear_8x16:
        assert count == 1
    if count:
        called, (_, words, *rest) = of.packed
        function = COMPUTED[called.removesuffix(".out")]
        got = function(torch.from_numpy(x), torch.from_numpy(words), *rest).numpy()
        assert np.array_equal(got, of.expected(x))


@pytest.mark.torch
@pytest.mark.parametrize(
    ("rewrite", "packed"),
    [
        (linear.pack_linear, {"5x16", "17x31", "all-lowest", "zero-points", "relu", "limits"}),
        (linear.pack_linear_5x4, {"5x16", "17x31", "all-lowest", "some-lowest", "relu", "limits"}),
        (linear.pack_linear_4x4, {"1x1", "3x17", "batch", "zero-points-2"}),
    ],
)
def test_layers_that_are_packed(rewrite, packed):
    """What has no room in a form stays as it is; what has some is worth packing."""
    assert {name for name in packed if rewrite(layers()[name])} == packed
    assert not linear.pack_linear_4x4(layers()["all-lowest"])
    assert not linear.pack_linear(layers()["batch"])


def test_a_sum_in_linear_form_is_the_published_one_for_every_pair():
    """Random scales as the exporter derives them; without such numbers there is no rewrite."""
    rng = np.random.default_rng(20261127)
    found = 0
    for _ in range(12):
        scales = np.exp(rng.uniform(-1, 1, 2))
        out_scale = scales.max() * np.exp(rng.uniform(-0.3, 0.9))
        twice = 2 * scales.max()
        a, b = ((int(rng.integers(-128, 128)), *_fixed_point(scale / twice)) for scale in scales)
        out = (int(rng.integers(-128, 128)), *_fixed_point(twice / (2**20 * out_scale)))

        numbers = add.linear_form(a, b, out)

        if numbers is None:
            continue
        found += 1
        by_a, by_b, offset, shift = numbers
        q = np.arange(-128, 128)
        linear_sums = (by_a * q[:, None] + by_b * q[None, :] + offset) >> shift
        assert np.array_equal(linear_sums.clip(-128, 127), _published(a, b, out))
    assert found >= 10


def _fixed_point(scale: float) -> tuple[int, int]:
    mantissa, exponent = np.frexp(scale)
    multiplier = round(mantissa * 2**31)
    return (
        (multiplier // 2, int(exponent) + 1) if multiplier == 2**31 else (multiplier, int(exponent))
    )


def _published(a, b, out) -> np.ndarray:
    """The sum by the reference's own rounding, of all pairs."""
    import torch

    from mcugen.program.reference.requantize import scalar_requantize

    q = torch.arange(-128, 128)
    left, right = (scalar_requantize((q - each[0]) << 20, *each[1:]) for each in (a, b))
    total = scalar_requantize(left[:, None] + right[None, :], *out[1:]) + out[0]
    return total.clamp(-128, 127).numpy()


@pytest.mark.torch
def test_results_are_compared_with_the_program_as_it_was_exported():
    """With both sides from the prepared file, a fault in preparing it would show nowhere."""
    exported = golden_artifact("ad", "int8", "m4")
    faulty = replace(exported, pte=strip(_with_one_constant_changed(exported.pte), name="x"))
    path = Path(__file__).parents[1] / "golden" / "mlperf_tiny" / "ad_cm_q_m4.pte"
    built = SimpleNamespace(model=str(path), artifact=faulty, exported=exported)

    nothing = dict.fromkeys(("data", "metric", "pixels", "preprocess", "trust"))
    settings = SimpleNamespace(samples=2, dim=(), **nothing)
    found = evaluation(settings, built, Terminal(quiet=True), verify=True)

    inputs = [np.frombuffer(tensors[0], np.int8).reshape(1, 640) for tensors in found.inputs]
    outputs = [Reference(exported).run([each])[0].tobytes() for each in inputs]
    assert [tensors[0] for tensors in found.expected] == outputs
    assert Reference(faulty).run([inputs[0]])[0].tobytes() != outputs[0]


def _with_one_constant_changed(pte: bytes) -> bytes:
    file = deserialize(pte, name="x")
    largest = max(file.program.constant_buffer, key=lambda each: len(each.storage))
    largest.storage = bytes(255 - byte for byte in largest.storage)
    return serialize(file)
