# SPDX-License-Identifier: BSD-3-Clause
"""Random networks from a seed, quantized and lowered by the generator's own stages. Imports torch.

    PYTHONPATH=tests/kernels:tests/differential python tests/differential/networks.py SEED

prints what a seed makes. Small on purpose: what is tested is which operators meet with which
shapes, and each export costs a second.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mcugen.base.errors import LoweringError, McugenError
from mcugen.export.calibration import Calibration
from mcugen.export.lower import lower
from mcugen.export.quantize import quantize
from mcugen.model.source import ModelSource
from mcugen.program import calls
from mcugen.program.artifact import PteArtifact, TensorSpec
from mcugen.program.planning.arrange import arrange
from mcugen.program.read import read_pte
from mcugen.program.reference.walker import Reference

CPUS = ("cortex-m4", "cortex-m55")


@dataclass(frozen=True)
class Network:
    """A lowered network, inputs and what the reference gives for them."""

    seed: int
    text: str  #: what it is: input shapes and layers
    cpu: str  #: it was lowered for; runs on any
    io: str  #: "int8" or "float"
    pte: bytes
    inputs: tuple[bytes, ...]
    expected: tuple[bytes, ...]
    outputs: tuple[TensorSpec, ...]
    operators: tuple[str, ...]
    rounds: tuple[str, ...]  #: float operators in it whose result depends on the order of rounding
    error: str = ""  #: why it could not be exported, or what the reference lacks


# -- layers; each takes and gives [n, c, h, w]


class Residual(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


class Difference(Residual):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x) - x


class Gate(nn.Module):
    """Squeeze and excitation: a value per channel times the image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(self.mix(self.pool(x)))


class Branches(nn.Module):
    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


class Padded(nn.Module):
    def __init__(self, padding: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.pad(x, self.padding)


class Functional(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.name == "minmax":
            return torch.maximum(torch.minimum(x, x * 0.5 + 0.25), x - 0.5)
        if self.name == "mean":
            return x.mean((2, 3))
        if self.name == "abs":
            return x.abs()
        if self.name == "permute":
            return x.permute(0, 2, 1)
        if self.name == "square":
            return x * x
        raise ValueError(self.name)

    def extra_repr(self) -> str:
        return self.name


class TwoInputs(nn.Module):
    def __init__(self, left: nn.Module, right: nn.Module, tail: nn.Module, join: str) -> None:
        super().__init__()
        self.left, self.right, self.tail, self.join = left, right, tail, join

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        a, b = self.left(a), self.right(b)
        joined = {"add": a + b, "mul": a * b, "cat": torch.cat([a, b], 1)}[self.join]
        return self.tail(joined)


class TwoOutputs(nn.Module):
    def __init__(self, body: nn.Module, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.body, self.first, self.second = body, first, second

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.body(x)
        return self.first(x), self.second(x)


class Attention(nn.Module):
    """One head over [n, tokens, width]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = torch.bmm(self.query(x), self.key(x).transpose(1, 2))
        return torch.bmm(torch.softmax(scores, -1), self.value(x))


ACTIVATIONS = (
    nn.ReLU,
    nn.ReLU6,
    nn.Hardswish,
    nn.Hardsigmoid,
    nn.Hardtanh,
    nn.Sigmoid,
    nn.Tanh,
    nn.SiLU,
    nn.GELU,
    nn.ELU,
    nn.LeakyReLU,
    nn.Identity,
)


class Maker:
    """Draws layers; keeps track of the shape."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def int(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def activation(self) -> nn.Module:
        # Half of all activations are those that networks for microcontrollers use most.
        common = ACTIVATIONS[: 3 if self.chance(0.5) else len(ACTIVATIONS)]
        return common[self.int(0, len(common) - 1)]()

    def normalized(self, layer: nn.Module, channels: int) -> list[nn.Module]:
        """The layer, perhaps a batch norm (folded by the exporter), and an activation."""
        layers = [layer]
        if self.chance(0.4):
            norm = nn.BatchNorm2d(channels)
            with torch.no_grad():
                norm.running_mean.uniform_(-0.5, 0.5)
                norm.running_var.uniform_(0.5, 1.5)
                norm.weight.uniform_(0.5, 1.5)
                norm.bias.uniform_(-0.5, 0.5)
            layers.append(norm)
        return [*layers, self.activation()]

    def conv(self, channels: int, out: int, *, same: bool = False) -> list[nn.Module]:
        """A convolution: plain, pointwise, depthwise, grouped or dilated."""
        kernel = (self.int(1, 4), self.int(1, 4)) if self.chance(0.4) else (3, 3)
        stride: tuple[int, int] = (1, 1) if self.chance(0.6) else (self.int(1, 2), self.int(1, 2))
        dilation = (self.int(1, 2), self.int(1, 2)) if self.chance(0.2) else (1, 1)
        groups = 1
        if self.chance(0.3):
            groups = channels
            out = channels * self.int(1, 2)
        elif channels % 2 == 0 and self.chance(0.2):
            groups, out = 2, -(-out // 2) * 2
        if same:
            kernel, stride = [(1, 1), (3, 3)][self.int(0, 1)], (1, 1)
            groups, out = (channels, channels) if groups == channels else (1, channels)
        padding = tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
        layer = nn.Conv2d(
            *(channels, out, kernel, stride, padding, dilation, groups), bias=self.chance(0.7)
        )
        return self.normalized(layer, out)

    def block(self, channels: int, height: int, width: int) -> nn.Module:
        """One step of an image network."""
        kind = self.int(0, 13)
        out = self.int(2, 12)
        if kind <= 4:
            return nn.Sequential(*self.conv(channels, out))
        if kind == 5:  # depthwise separable
            depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
            pointwise = nn.Conv2d(channels, out, 1)
            return nn.Sequential(
                *self.normalized(depthwise, channels), *self.normalized(pointwise, out)
            )
        if kind in (6, 7):
            cls = Residual if self.chance(0.8) else Difference
            return cls(nn.Sequential(*self.conv(channels, channels, same=True)))
        if kind == 8 and min(height, width) >= 4:
            size = self.int(2, 3)
            padding = self.int(0, 1)
            if self.chance(0.5):
                return nn.MaxPool2d(size, self.int(1, 2), padding)
            include = self.chance(0.5) or padding == 0
            return nn.AvgPool2d(size, self.int(1, 2), padding, count_include_pad=include)
        if kind == 9:
            return Branches(
                nn.Sequential(*self.conv(channels, channels, same=True)),
                nn.Sequential(*self.conv(channels, channels, same=True)),
            )
        if kind == 10 and max(height, width) <= 10:
            if self.chance(0.3):
                return nn.Upsample(scale_factor=2, mode="nearest")
            stride = self.int(1, 2)
            layer = nn.ConvTranspose2d(channels, out, self.int(stride, 3), stride)
            return nn.Sequential(layer, self.activation())
        if kind == 11:
            return Gate(channels)
        if kind == 12:
            return Padded((self.int(0, 2), self.int(0, 2), self.int(0, 2), self.int(0, 2)))
        if kind == 13:
            return Functional(("minmax", "abs", "square")[self.int(0, 2)])
        return nn.Sequential(*self.conv(channels, out))

    def body(self, shape: tuple[int, ...], depth: int) -> tuple[nn.Sequential, tuple[int, ...]]:
        layers: list[nn.Module] = []
        for _ in range(depth):
            layers.append(self.block(*shape[1:]))
            layers[-1].eval()
            with torch.no_grad():
                shape = tuple(layers[-1](torch.zeros(shape)).shape)
        return nn.Sequential(*layers), shape

    def head(self, shape: tuple[int, ...]) -> nn.Module:
        """From an image to classes, or to a smaller image."""
        kind = self.int(0, 4)
        channels, classes = shape[1], self.int(1, 10)
        if kind == 0:
            return nn.Conv2d(channels, classes, 1)
        if kind == 1:
            layers = [Functional("mean"), nn.Linear(channels, classes)]
        elif kind == 2 or np.prod(shape[1:]) > 600:
            pool = nn.AdaptiveAvgPool2d(1)
            layers = [pool, nn.Flatten(), nn.Linear(channels, classes)]
        else:
            layers = [nn.Flatten(), nn.Linear(int(np.prod(shape[1:])), classes)]
        if self.chance(0.4):
            layers.append(nn.Softmax(1))
        return nn.Sequential(*layers)

    def image_shape(self) -> tuple[int, ...]:
        return 1, self.int(1, 6), self.int(4, 14), self.int(4, 14)

    def network(self) -> tuple[nn.Module, list[tuple[int, ...]]]:
        """Return a network and its inputs' shapes."""
        kind = self.int(0, 9)
        if kind <= 4:
            shape = self.image_shape()
            body, end = self.body(shape, self.int(1, 5))
            return nn.Sequential(body, self.head(end)), [shape]
        if kind == 5:
            shape = self.image_shape()
            body, end = self.body(shape, self.int(1, 3))
            return TwoOutputs(body, self.head(end), self.head(end)), [shape]
        if kind == 6:
            shape = self.image_shape()
            channels = self.int(2, 6)
            left = nn.Sequential(nn.Conv2d(shape[1], channels, 3, padding=1), self.activation())
            right = nn.Sequential(nn.Conv2d(shape[1], channels, 1), self.activation())
            join = ("add", "mul", "cat")[self.int(0, 2)]
            joined = (1, channels * (2 if join == "cat" else 1), *shape[2:])
            body, end = self.body(joined, self.int(0, 2))
            tail = nn.Sequential(body, self.head(end))
            return TwoInputs(left, right, tail, join), [shape, shape]
        if kind == 7:
            return self.perceptron()
        if kind == 8:
            return self.sequence()
        return self.autoencoder()

    def perceptron(self) -> tuple[nn.Module, list[tuple[int, ...]]]:
        width = self.int(3, 40)
        shape = (self.int(1, 3), width)
        layers: list[nn.Module] = []
        for _ in range(self.int(1, 4)):
            out = self.int(2, 40)
            if self.chance(0.3):
                layers.append(Residual(nn.Sequential(nn.Linear(width, width), self.activation())))
            elif self.chance(0.15):
                layers.append(nn.LayerNorm(width))
            layers += [nn.Linear(width, out, bias=self.chance(0.8)), self.activation()]
            width = out
        if self.chance(0.4):
            layers.append((nn.Softmax if self.chance(0.7) else nn.LogSoftmax)(-1))
        return nn.Sequential(*layers), [shape]

    def sequence(self) -> tuple[nn.Module, list[tuple[int, ...]]]:
        tokens, width = self.int(2, 8), self.int(4, 16)
        layers: list[nn.Module] = [nn.Linear(width, width)]
        if self.chance(0.7):
            layers.append(Attention(width))
        if self.chance(0.4):
            layers.append(Functional("permute"))
            width, tokens = tokens, width
        if self.chance(0.4):
            layers.append(Residual(nn.Sequential(nn.Linear(width, width), self.activation())))
        layers += [nn.Flatten(), nn.Linear(tokens * width, self.int(1, 8))]
        shape = (1, width, tokens) if isinstance(layers[-3], Functional) else (1, tokens, width)
        first = layers[0]
        assert isinstance(first, nn.Linear)
        if shape[-1] != first.in_features:
            shape = (1, shape[2], shape[1])
        return nn.Sequential(*layers), [shape]

    def autoencoder(self) -> tuple[nn.Module, list[tuple[int, ...]]]:
        channels, middle, stride = self.int(1, 4), self.int(2, 8), self.int(1, 2)
        size = 2 * self.int(2, 5)
        return (
            nn.Sequential(
                nn.Conv2d(channels, middle, 3, stride, 1),
                self.activation(),
                nn.Conv2d(middle, middle, 1),
                self.activation(),
                nn.ConvTranspose2d(middle, channels, stride, stride),
                *([nn.Sigmoid()] if self.chance(0.5) else []),
            ),
            [(1, channels, size, size)],
        )


def make(seed: int) -> tuple[nn.Module, list[tuple[int, ...]], str, str]:
    """Return a seed's network, its inputs' shapes, the CPU to lower for and the kind of I/O."""
    rng = np.random.default_rng([seed, 0])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module, shapes = Maker(rng).network()
        module.eval()
    return module, shapes, CPUS[seed % 2], ("int8", "float")[int(rng.random() < 0.3)]


def describe(module: nn.Module, shapes: list[tuple[int, ...]], cpu: str, io: str) -> str:
    return f"{shapes} {cpu} {io}: {' '.join(str(module).split())}"


def _artifact(
    seed: int, module: nn.Module, shapes: list[tuple[int, ...]], cpu: str, io: str
) -> tuple[PteArtifact, str]:
    generator = torch.Generator().manual_seed(seed)
    samples = tuple(
        tuple(torch.randn(shape, generator=generator) for shape in shapes) for _ in range(4)
    )
    source = ModelSource(
        f"network{seed}", module, samples[0], None, None, "tests/differential/networks.py"
    )
    quantized = quantize(source, Calibration(samples, "normal noise", True))
    try:
        data, _ = lower(quantized, cpu=cpu, io=io)
    except LoweringError as error:
        if io != "int8" or "cannot be int8" not in str(error):
            raise
        # An input or output that the quantizer left in float: the message says to do this.
        io = "float"
        quantized = quantize(source, Calibration(samples, "normal noise", True))
        data, _ = lower(quantized, cpu=cpu, io=io)
    return read_pte(data, name=source.name), io


def export(seed: int) -> Network:
    """Make, quantize, lower and run on the reference."""
    module, shapes, cpu, io = make(seed)
    text = describe(module, shapes, cpu, io)
    try:
        artifact, io = _artifact(seed, module, shapes, cpu, io)
    except McugenError as problem:
        error = f"cannot be built: {problem}"
        return Network(seed, text, cpu, io, b"", (), (), (), (), (), error)
    rng = np.random.default_rng([seed, 1])
    inputs = tuple(_input(rng, spec) for spec in artifact.inputs)
    used = tuple(use.name for use in artifact.operators)
    rounds = tuple(
        use.name for use in artifact.operators if not use.int8 and calls.rounds(use.name)
    )
    try:
        expected = tuple(each.tobytes() for each in Reference(artifact).run(inputs))
        error = ""
    except Exception as problem:
        expected, error = (), f"no reference: {type(problem).__name__}: {problem}"
    pte = arrange(artifact).pte  # the reference ran what the exporter had planned
    return Network(
        *(seed, text, cpu, io, pte, inputs, expected, artifact.outputs, used, rounds),
        error,
    )


def _input(rng: np.random.Generator, spec: TensorSpec) -> bytes:
    if spec.dtype == "int8":
        return rng.integers(-128, 128, spec.memory_shape, dtype=np.int8).tobytes()
    return rng.normal(0, 1, spec.memory_shape).astype(spec.dtype).tobytes()


def main() -> None:
    for seed in map(int, sys.argv[1:]) if len(sys.argv) > 1 else itertools.count():
        network = export(seed)
        print(seed, len(network.pte), network.error or "ok", network.rounds, network.text)


if __name__ == "__main__":
    main()
