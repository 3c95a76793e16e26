# SPDX-License-Identifier: BSD-3-Clause
"""Whole PyTorch models as people write them, drawn by a seed.

A model is a chain of steps: layers, blocks with branches, and lines of `forward` that are easily
taken for others on the way to a `.pte` (views, writes into parts, numbers, comparisons). Each step
works on one kind of tensor, and gives the same or another kind:

    image [1, C, H, W], signal [1, C, L], tokens [1, T, C], row [1, C]
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

Shape = tuple[int, ...]
Make = Callable[[random.Random, Shape], nn.Module]

STARTS: dict[str, tuple[Shape, ...]] = {
    "image": ((1, 3, 8, 8), (1, 1, 10, 7), (1, 4, 6, 9)),
    "signal": ((1, 3, 24), (1, 1, 30), (1, 6, 16)),
    "tokens": ((1, 6, 8), (1, 9, 4)),
    "row": ((1, 12), (1, 7)),
}
#: kind → steps: name, the kind it gives, what makes it.
STEPS: dict[str, list[tuple[str, str, Make]]] = {kind: [] for kind in STARTS}


class Lines(nn.Module):
    """Layers by name, and what `forward` does with them."""

    def __init__(self, lines: Callable[..., torch.Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self.lines = lines
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lines(self, x)


def step(kind: str, gives: str | None = None) -> Callable[[Make], Make]:
    def add(make: Make) -> Make:
        STEPS[kind].append((make.__name__.removeprefix("_"), gives or kind, make))
        return make

    return add


def _norm(layer: nn.Module) -> nn.Module:
    with torch.no_grad():
        layer.running_mean.normal_(0, 0.3)
        layer.running_var.uniform_(0.4, 2)
        layer.weight.uniform_(0.6, 1.4)
        layer.bias.normal_(0, 0.3)
    return layer


def _activation(rng: random.Random) -> nn.Module:
    return rng.choice(
        [
            nn.ReLU(),
            nn.ReLU6(),
            nn.LeakyReLU(0.1),
            nn.Hardswish(),
            nn.SiLU(),
            nn.GELU(),
            nn.ELU(),
            nn.Sigmoid(),
            nn.Tanh(),
            nn.Mish(),
            nn.Hardsigmoid(),
            nn.Softplus(),
        ]
    )


# --- images


@step("image")
def _convolution(rng: random.Random, shape: Shape) -> nn.Module:
    channels, out = shape[1], rng.choice((2, 4, 6))
    kernel = rng.choice((1, 3, 3, (3, 1)))
    padding = "same" if rng.random() < 0.3 else (1 if kernel == 3 else 0)
    stride = rng.choice((1, 2)) if padding == 1 and min(shape[2:]) > 5 else 1
    mode = rng.choice(("zeros", "zeros", "reflect", "circular", "replicate"))
    layer = nn.Conv2d(channels, out, kernel, stride, padding, padding_mode=mode)
    return nn.Sequential(layer, *([_activation(rng)] if rng.random() < 0.6 else []))


@step("image")
def _norm_and_activation(rng: random.Random, shape: Shape) -> nn.Module:
    layers = [nn.Conv2d(shape[1], 4, 3, padding=1), _norm(nn.BatchNorm2d(4)), nn.ReLU()]
    if rng.random() < 0.3:
        layers = [layers[0], layers[2], layers[1]]
    return nn.Sequential(*layers)


@step("image")
def _preactivated_block(rng: random.Random, shape: Shape) -> nn.Module:
    c = shape[1]

    def lines(net: Lines, x: torch.Tensor) -> torch.Tensor:
        y = net.a(F.relu(net.n(x)))
        return x + net.b(F.relu(net.m(y)))

    return Lines(
        lines,
        n=_norm(nn.BatchNorm2d(c)),
        a=nn.Conv2d(c, c, 3, padding=1, bias=False),
        m=_norm(nn.BatchNorm2d(c)),
        b=nn.Conv2d(c, c, 1),
    )


@step("image")
def _depthwise_block(rng: random.Random, shape: Shape) -> nn.Module:
    c = shape[1]
    return nn.Sequential(
        nn.Conv2d(c, 2 * c, 1),
        nn.ReLU6(),
        nn.Conv2d(2 * c, 2 * c, 3, padding=1, groups=2 * c),
        nn.Hardswish(),
        nn.Conv2d(2 * c, 4, 1),
    )


@step("image")
def _two_branches(rng: random.Random, shape: Shape) -> nn.Module:
    join = rng.choice(("cat", "add", "mul", "max", "stack"))

    def lines(net: Lines, x: torch.Tensor) -> torch.Tensor:
        a, b = net.a(x), net.b(x)
        if join == "cat":
            return torch.cat([a, b, x], 1)
        if join == "stack":
            return torch.stack([a, b], 2).flatten(1, 2)
        return {"add": a + b, "mul": a * b, "max": torch.maximum(a, b)}[join]

    a, b = (nn.Conv2d(shape[1], 4, 3, padding=1), nn.Conv2d(shape[1], 4, 1))
    return Lines(lines, a=nn.Sequential(a, _activation(rng)), b=b)


@step("image")
def _pool(rng: random.Random, shape: Shape) -> nn.Module:
    if min(shape[2:]) < 4:
        return nn.Identity()
    return rng.choice(
        [
            nn.MaxPool2d(2),
            nn.AvgPool2d(2),
            nn.MaxPool2d(3, 2, 1),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.AvgPool2d(3, 1, 1),
            nn.AdaptiveAvgPool2d((3, 2)),
            nn.AdaptiveMaxPool2d(2),
            nn.AvgPool2d(3, 2, ceil_mode=True),
            nn.MaxPool2d(2, 1, dilation=2),
        ]
    )


@step("image")
def _line_on_an_image(rng: random.Random, shape: Shape) -> nn.Module:
    c = shape[1]

    def write(net: Lines, x: torch.Tensor) -> torch.Tensor:
        t = net.a(x)
        t[:, 1] = 0.5
        t[:, :, :2] *= 0.5
        return t

    lines = rng.choice(
        [
            write,
            lambda net, x: net.a(x) * (x.mean((2, 3), keepdim=True).sigmoid().mean(1, True)),
            lambda net, x: (1 - net.a(x).sigmoid()) * 0.5,
            lambda net, x: torch.where(net.a(x) > 0.1, net.a(x), 0.2),
            lambda net, x: net.a(x).permute(0, 2, 3, 1).flip(1).permute(0, 3, 1, 2),
            lambda net, x: net.a(x)[:, :, ::2, 1:],
            lambda net, x: F.pad(net.a(x), (1, 0, 2, 1)),
            lambda net, x: net.a(x).view(1, 2, 2, *x.shape[2:]).transpose(1, 2).flatten(1, 2),
            lambda net, x: F.pixel_shuffle(net.a(x), 2),
            lambda net, x: F.interpolate(net.a(x), scale_factor=2),
            lambda net, x: net.a(x) + torch.ones_like(net.a(x)) * 0.3,
            lambda net, x: torch.cat([t * k for k, t in enumerate(net.a(x).chunk(2, 1), 1)], 1),
            lambda net, x: net.a(net.a(x)[:, :1].expand(1, c, *x.shape[2:])) + net.a(x),
            lambda net, x: (net.a(x) - net.a.bias.view(1, 4, 1, 1)) / 0.3,
            lambda net, x: F.normalize(net.a(x), dim=1),
        ]
    )
    return Lines(lines, a=nn.Conv2d(c, 4, 3, padding=1))


@step("image", "tokens")
def _image_to_tokens(rng: random.Random, shape: Shape) -> nn.Module:
    return rng.choice(
        [
            Lines(lambda net, x: x.flatten(2).transpose(1, 2)),
            Lines(lambda net, x: x.view(x.size(0), x.size(1), -1).permute(0, 2, 1)),
            Lines(lambda net, x: x.mean(2).transpose(1, 2)),
            Lines(lambda net, x: x.permute(0, 3, 1, 2).reshape(1, x.shape[3], -1)),
        ]
    )


@step("image", "row")
def _image_to_row(rng: random.Random, shape: Shape) -> nn.Module:
    return rng.choice(
        [
            nn.Flatten(),
            Lines(lambda net, x: x.view(x.size(0), -1)),
            Lines(lambda net, x: x.mean((2, 3))),
            Lines(lambda net, x: F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1)),
            Lines(lambda net, x: torch.cat([x.amax((2, 3)), x.mean((-1, -2))], 1)),
            Lines(lambda net, x: x.max(3)[0].max(2)[0]),
        ]
    )


@step("image", "signal")
def _image_to_signal(rng: random.Random, shape: Shape) -> nn.Module:
    return rng.choice([nn.Flatten(2), Lines(lambda net, x: x.mean(2)), nn.Flatten(1, 2)])


# --- signals


@step("signal")
def _convolution_of_signal(rng: random.Random, shape: Shape) -> nn.Module:
    kernel = rng.choice((1, 3, 5)) if shape[2] >= 6 else 1
    layers: list[nn.Module] = [nn.Conv1d(shape[1], 4, kernel, padding=kernel // 2)]
    if rng.random() < 0.5:
        layers.append(_norm(nn.BatchNorm1d(4)))
    return nn.Sequential(*layers, _activation(rng))


@step("signal")
def _causal_block(rng: random.Random, shape: Shape) -> nn.Module:
    def lines(net: Lines, x: torch.Tensor) -> torch.Tensor:
        return F.relu(net.b(F.pad(net.a(F.pad(x, (2, 0))), (4, 0))) + net.c(x))

    c = shape[1]
    return Lines(
        lines, a=nn.Conv1d(c, 4, 3), b=nn.Conv1d(4, 4, 3, dilation=2), c=nn.Conv1d(c, 4, 1)
    )


@step("signal")
def _pool_of_signal(rng: random.Random, shape: Shape) -> nn.Module:
    if shape[2] < 6:
        return nn.Identity()
    return rng.choice(
        [
            nn.MaxPool1d(2),
            nn.AvgPool1d(3, 2, 1),
            nn.MaxPool1d(3, 2, ceil_mode=True),
            nn.AdaptiveAvgPool1d(5),
            nn.Upsample(scale_factor=2),
        ]
    )


@step("signal")
def _gated_signal(rng: random.Random, shape: Shape) -> nn.Module:
    def lines(net: Lines, x: torch.Tensor) -> torch.Tensor:
        a, b = net.a(x).chunk(2, 1)
        return torch.tanh(a) * torch.sigmoid(b)

    return Lines(lines, a=nn.Conv1d(shape[1], 8, 1))


@step("signal", "tokens")
def _signal_to_tokens(rng: random.Random, shape: Shape) -> nn.Module:
    return Lines(lambda net, x: x.transpose(1, 2))


@step("signal", "row")
def _signal_to_row(rng: random.Random, shape: Shape) -> nn.Module:
    return rng.choice(
        [
            nn.Flatten(),
            Lines(lambda net, x: x.mean(-1)),
            Lines(lambda net, x: x[:, :, -1]),
            Lines(lambda net, x: x.max(-1).values),
        ]
    )


@step("signal", "image")
def _signal_to_image(rng: random.Random, shape: Shape) -> nn.Module:
    return Lines(lambda net, x: x.unsqueeze(1))


# --- tokens


@step("tokens")
def _linear_of_tokens(rng: random.Random, shape: Shape) -> nn.Module:
    return nn.Sequential(nn.Linear(shape[2], rng.choice((4, 8))), _activation(rng))


@step("tokens")
def _attention(rng: random.Random, shape: Shape) -> nn.Module:
    c = shape[2]
    how = rng.choice(("hand", "torch", "module"))
    if how == "module" and c % 2 == 0:
        return Lines(
            lambda net, x: x + net.a(x, x, x, need_weights=False)[0],
            a=nn.MultiheadAttention(c, 2, batch_first=True),
        )

    def lines(net: Lines, x: torch.Tensor) -> torch.Tensor:
        q, k, v = net.q(x), net.k(x), net.v(x)
        if how == "torch":
            return F.scaled_dot_product_attention(q, k, v)
        return torch.softmax(q @ k.transpose(-2, -1) / 2.0, dim=-1) @ v

    return Lines(lines, q=nn.Linear(c, 4), k=nn.Linear(c, 4), v=nn.Linear(c, 4))


@step("tokens")
def _mixer(rng: random.Random, shape: Shape) -> nn.Module:
    def lines(net: Lines, x: torch.Tensor) -> torch.Tensor:
        x = x + net.a(x.transpose(1, 2)).transpose(1, 2)
        return x + net.b(net.n(x))

    t, c = shape[1:]
    return Lines(lines, a=nn.Linear(t, t), b=nn.Linear(c, c), n=nn.LayerNorm(c))


@step("tokens")
def _recurrent(rng: random.Random, shape: Shape) -> nn.Module:
    layer = rng.choice((nn.LSTM, nn.GRU, nn.RNN))
    both = rng.random() < 0.3
    return Lines(
        lambda net, x: net.a(x)[0],
        a=layer(shape[2], 6, batch_first=True, bidirectional=both),
    )


@step("tokens")
def _line_on_tokens(rng: random.Random, shape: Shape) -> nn.Module:
    def write(net: Lines, x: torch.Tensor) -> torch.Tensor:
        t = net.a(x)
        t[:, 0] = t[:, 0] * 0.5
        t[t < -0.5] = -0.5
        return t

    lines = rng.choice(
        [
            write,
            lambda net, x: torch.cat([net.a(x)[:, 1:], net.a(x)[:, :1]], 1),
            lambda net, x: net.a(x) * net.a(x).mean(1, keepdim=True),
            lambda net, x: net.a(x) + torch.linspace(0, 1, x.shape[1]).view(1, -1, 1),
            lambda net, x: torch.stack([t * 0.7 for t in net.a(x).unbind(1)], 1),
            lambda net, x: F.softmax(net.a(x), 1) * net.a(x),
            lambda net, x: net.a(x).roll(1, 1) - net.a(x).abs(),
            lambda net, x: net.a(x) * (net.a(x) > 0),
        ]
    )
    return Lines(lines, a=nn.Linear(shape[2], shape[2]))


@step("tokens", "row")
def _tokens_to_row(rng: random.Random, shape: Shape) -> nn.Module:
    return rng.choice(
        [
            Lines(lambda net, x: x[:, -1]),
            Lines(lambda net, x: x.mean(1)),
            Lines(lambda net, x: x.max(1)[0]),
            Lines(lambda net, x: x.sum(1) / 4),
            nn.Flatten(),
        ]
    )


@step("tokens", "signal")
def _tokens_to_signal(rng: random.Random, shape: Shape) -> nn.Module:
    return Lines(lambda net, x: x.permute(0, 2, 1))


# --- rows


@step("row")
def _layer(rng: random.Random, shape: Shape) -> nn.Module:
    return nn.Sequential(nn.Linear(shape[1], rng.choice((4, 8))), _activation(rng))


@step("row")
def _norm_of_row(rng: random.Random, shape: Shape) -> nn.Module:
    return nn.Sequential(nn.Linear(shape[1], 8), _norm(nn.BatchNorm1d(8)), nn.ReLU())


@step("row")
def _shared_layer(rng: random.Random, shape: Shape) -> nn.Module:
    c = shape[1]
    return Lines(lambda net, x: net.a(F.relu(net.a(x))) + x, a=nn.Linear(c, c))


@step("row")
def _tied(rng: random.Random, shape: Shape) -> nn.Module:
    return Lines(
        lambda net, x: F.linear(torch.relu(net.a(x)), net.a.weight.t() * 0.8),
        a=nn.Linear(shape[1], 4),
    )


@step("row")
def _line_on_a_row(rng: random.Random, shape: Shape) -> nn.Module:
    lines = rng.choice(
        [
            lambda net, x: 1 / (1 + net.a(x).exp()),
            lambda net, x: (net.a(x) - 0.1) / 0.7,
            lambda net, x: net.a(x) ** 2 - net.a(x),
            lambda net, x: torch.cat([net.a(x), torch.softmax(net.a(x), 1)], 1),
            lambda net, x: net.a(x).clamp(-0.3, 0.4) * 2,
            lambda net, x: torch.zeros(1, 8) + net.a(x).masked_fill(net.a(x) < 0, 0.1),
            lambda net, x: net.a(x).view(1, 2, 4).softmax(2).view(1, 8),
            lambda net, x: torch.sqrt(net.a(x).abs() + 0.05),
        ]
    )
    return Lines(lines, a=nn.Linear(shape[1], 8))


@step("row", "image")
def _row_to_image(rng: random.Random, shape: Shape) -> nn.Module:
    return Lines(lambda net, x: net.a(x).view(1, 3, 4, 4), a=nn.Linear(shape[1], 48))


@step("row", "tokens")
def _row_to_tokens(rng: random.Random, shape: Shape) -> nn.Module:
    return Lines(lambda net, x: net.a(x).reshape(1, 4, 5), a=nn.Linear(shape[1], 20))


#: Elements that a tensor between steps may have.
MOST = 1500


class Drawn(nn.Module):
    """A model of a few steps."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = random.Random(seed)
        kind = rng.choice(list(STARTS))
        self.shape = rng.choice(STARTS[kind])
        self.names: list[str] = []
        steps: list[nn.Module] = []
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(seed)
            x = torch.rand(self.shape)
            wanted = rng.randint(2, 4)
            while len(steps) < wanted:
                name, gives, make = rng.choice(STEPS[kind])
                module = make(rng, tuple(x.shape)).eval()
                try:
                    result = module(x.clone())
                except (RuntimeError, ValueError):
                    continue  # it takes no tensor of this shape
                if not 2 <= result.numel() <= MOST:
                    continue
                steps.append(module)
                self.names.append(name)
                kind, x = gives, result
        self.steps = nn.Sequential(*steps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.steps(x)

    def __str__(self) -> str:
        return " → ".join(self.names)
