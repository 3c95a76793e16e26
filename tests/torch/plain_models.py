# SPDX-License-Identifier: BSD-3-Clause
"""Small models as people write them, one per way a number once went wrong on the way to a `.pte`.

MODELS names them. Together() is many as one, an output each: an export costs seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

IMAGE = (1, 3, 8, 7)
ROW = (1, 8)
SEQUENCE = (1, 6, 8)


class Net(nn.Module):
    """Layers by name, and a function of them and the inputs."""

    def __init__(self, forward: Callable[..., object], **layers: nn.Module) -> None:
        super().__init__()
        self.function = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs: torch.Tensor) -> object:
        return self.function(self, *inputs)


@dataclass(frozen=True)
class Model:
    kind: str
    make: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...]


class Together(nn.Module):
    """Several models on the same inputs."""

    def __init__(self, models: Iterable[Model], seed: int = 5) -> None:
        super().__init__()
        models = list(models)
        self.shapes = list(dict.fromkeys(shape for model in models for shape in model.shapes))
        self.takes = [[self.shapes.index(shape) for shape in model.shapes] for model in models]
        self.nets = nn.ModuleList()
        with torch.random.fork_rng():
            for model in models:
                torch.manual_seed(seed)
                self.nets.append(model.make().eval())

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        outputs: list[torch.Tensor] = []
        for net, takes in zip(self.nets, self.takes, strict=True):
            result = net(*(inputs[index] for index in takes))
            outputs += [result] if isinstance(result, torch.Tensor) else result
        return tuple(outputs)

    def rows(self, count: int, seed: int) -> list[tuple[torch.Tensor, ...]]:
        generator = torch.Generator().manual_seed(seed)
        return [
            tuple(2 * torch.rand(shape, generator=generator) - 0.8 for shape in self.shapes)
            for _ in range(count)
        ]


MODELS: dict[str, Model] = {}


def model(
    kind: str, *shapes: tuple[int, ...], **layers: Callable[[], nn.Module]
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Register a forward function, called with the module and the inputs, as a model."""

    def register(forward: Callable[..., object]) -> Callable[..., object]:
        def make() -> nn.Module:
            return Net(forward, **{name: layer() for name, layer in layers.items()})

        name = f"{kind}-{forward.__name__.replace('_', '-')}"
        assert name not in MODELS, name
        MODELS[name] = Model(kind, make, shapes or (ROW,))
        return forward

    return register


def conv(
    channels: int = 3, out: int = 4, kernel: int = 3, **options: int
) -> Callable[[], nn.Module]:
    return lambda: nn.Conv2d(channels, out, kernel, **options)


def linear(width: int = 8, out: int = 8, bias: float = 0.0) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        layer = nn.Linear(width, out)
        with torch.no_grad():
            layer.bias += bias
        return layer

    return make


def norm(channels: int = 4, cls: type[nn.Module] = nn.BatchNorm2d) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        layer = cls(channels)
        with torch.no_grad():
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.3, 3)
            layer.weight.uniform_(0.5, 1.5)
            layer.bias.normal_()
        return layer

    return make


# --- writes into a tensor that something else sees


@model("write", SEQUENCE, a=linear())
def column(net, x):
    t = net.a(x)
    t[:, 1] = 0.5
    return t


@model("write", SEQUENCE, a=linear())
def scaled_slice(net, x):
    t = net.a(x)
    t[:, :2] *= 2
    return t


@model("write", SEQUENCE, a=linear())
def filled_buffer(net, x):
    out = torch.zeros(1, 6, 8)
    state = x[:, 0]
    for i in range(6):
        state = net.a(state + x[:, i])
        out[:, i] = state
    return out


@model("write", IMAGE, c=conv(padding=1), d=conv(4, 4))
def channel_of_image(net, x):
    t = net.c(x)
    t[:, 2] += t[:, 0]
    return net.d(t)


@model("write", a=linear())
def relu_of_half(net, x):
    t = net.a(x)
    t[:, 4:].relu_()
    return t


@model("write", a=linear())
def through_view(net, x):
    t = net.a(x)
    t.view(2, 4)[1].add_(1.0)
    return t


@model("write", SEQUENCE, a=linear())
def rows_of_empty(net, x):
    out = torch.empty(1, 3, 8)
    for i in range(3):
        out[:, i] = net.a(x[:, i])
    return out


@model("write", SEQUENCE, a=linear())
def every_second(net, x):
    t = net.a(x)
    t[:, ::2] = t[:, 1::2] * t[:, ::2]
    return t


# --- batch norm of a layer whose output is used elsewhere, too


@model("norm", IMAGE, c=conv(), d=conv(4, 4, padding=1), n=norm())
def pre_activation(net, x):
    t = net.c(x)
    return t + net.d(F.relu(net.n(t)))


@model("norm", IMAGE, c=conv(), n=norm(), m=norm())
def two_norms(net, x):
    t = net.c(x)
    return F.relu(net.n(t)) + torch.sigmoid(net.m(t))


@model("norm", IMAGE, c=conv(3, 4, padding=1), n=norm(7), d=conv(7, 4))
def dense_block(net, x):
    t = net.c(x)
    return torch.cat([t, net.d(F.relu(net.n(torch.cat([x, t], 1))))[:, :, :1, :1].expand_as(t)], 1)


@model("norm", IMAGE, c=conv(), n=norm())
def beside_its_layer(net, x):
    t = net.c(x)
    return torch.cat([net.n(t), t], 1)


@model("norm", ROW, a=linear(), n=norm(8, nn.BatchNorm1d))
def linear_used_twice(net, x):
    t = net.a(x)
    return net.n(t) * 0.5 + t


@model("norm", IMAGE, c=lambda: nn.ConvTranspose2d(3, 4, 2, 2), n=norm())
def transposed_used_twice(net, x):
    t = net.c(x)
    return net.n(t) + t


@model("norm", IMAGE, c=conv(), n=norm(), m=norm())
def layer_called_twice(net, x):
    return F.relu(net.n(net.c(x))) * net.m(net.c(x.flip(3)))


@model("norm", IMAGE, c=conv(), n=norm())
def layer_called_without_its_norm(net, x):
    return F.relu(net.n(net.c(x))) + net.c(x.flip(3))


@model("norm", IMAGE, c=conv(), n=norm(3), m=norm())
def first_and_after_activation(net, x):
    return net.m(F.relu(net.c(net.n(x))))


@model("norm", IMAGE, c=conv(), n=norm())
def used_once(net, x):
    return F.relu(net.n(net.c(x)))


# --- views of images


@model("view", IMAGE, c=conv(), a=linear(5, 6))
def flatten_2(net, x):
    return net.c(x).flatten(2)


@model("view", IMAGE, c=conv(), a=linear(30, 6))
def view_tokens(net, x):
    t = net.c(x)
    return net.a(t.view(1, 4, -1))


@model("view", IMAGE, c=conv(), a=linear(4, 6))
def tokens_last(net, x):
    return net.a(net.c(x).flatten(2).transpose(1, 2))


@model("view", IMAGE, c=conv(3, 8))
def pixel_shuffle(net, x):
    return F.pixel_shuffle(net.c(x), 2)


@model("view", IMAGE, c=conv(), d=conv(16, 3, 1))
def pixel_unshuffle(net, x):
    return net.d(F.pixel_unshuffle(net.c(x)[:, :, :, :4], 2))


@model("view", IMAGE, c=conv(3, 6))
def channel_shuffle(net, x):
    t = net.c(x)
    return t.view(1, 2, 3, 6, 5).transpose(1, 2).reshape(1, 6, 6, 5)


@model("view", IMAGE, c=conv(3, 6), d=conv(6, 4, 1, groups=2))
def shuffle_then_convolution(net, x):
    t = net.c(x)
    return net.d(t.view(1, 2, 3, 6, 5).transpose(1, 2).reshape(1, 6, 6, 5))


@model("view", IMAGE, c=conv())
def stacked(net, x):
    t = net.c(x)
    return torch.stack([t, t.relu()], 1)


@model("view", IMAGE, c=conv())
def windows(net, x):
    t = net.c(x)[:, :, :, :4]
    return t.reshape(1, 4, 3, 2, 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(6, 4, 4)


@model("view", (1, 12, 9), c=conv(1), a=linear(280, 5))
def one_channel_by_unsqueeze(net, x):
    return net.a(F.relu(net.c(x.unsqueeze(1))).flatten(1))


@model("view", (1, 12, 9), c=conv(1), a=linear(280, 5))
def one_channel_by_view(net, x):
    t = net.c(x.view(1, 1, 12, 9))
    return net.a(t.view(t.size(0), -1))


@model("view", (1, 12, 9), c=conv(1), a=linear(12, 5))
def one_channel_then_pool(net, x):
    return net.a(F.max_pool2d(F.pad(net.c(x[:, None]), (1, 0, 0, 1)), 4).flatten(1)[:, :12])


@model("view", IMAGE, c=conv(), a=linear(6, 3))
def matmul_of_tokens(net, x):
    t = net.c(x).flatten(2)
    return t @ t.transpose(1, 2)


@model("view", IMAGE, c=conv())
def softmax_of_positions(net, x):
    t = net.c(x)
    return torch.softmax(t.flatten(2), -1)


@model("view", IMAGE, c=conv())
def softmax_of_width(net, x):
    return torch.softmax(net.c(x), 3)


@model("view", IMAGE, a=linear(168, 5))
def image_into_linear(net, x):
    return net.a(x.view(x.size(0), -1))


@model("view", IMAGE, a=linear(56, 5))
def image_tokens(net, x):
    return net.a(x.flatten(2))


@model("view", IMAGE, c=conv(3, 4, padding=1), a=linear(1, 5))
def squeezed(net, x):
    t = net.c(x).mean(3, keepdim=True).squeeze(3)
    return net.a(t.unsqueeze(-1))


# --- memory orders that an operator of the device refuses


@model("order", IMAGE, a=linear(7, 4))
def linear_over_last_axis(net, x):
    return net.a(x)


@model("order", IMAGE, c=conv(), a=linear(5, 4), d=conv(4, 2, 1))
def linear_between_convolutions(net, x):
    return net.d(net.a(net.c(x)))


@model("order", IMAGE, c=conv(), d=conv(3, 4, 3))
def sum_with_permuted(net, x):
    t = net.c(x)
    return t + net.d(x).flip(3) * t.permute(0, 1, 3, 2).reshape(1, 4, 6, 5)


# --- activations of something whose traced type is not int8


@model("activation", SEQUENCE, a=linear())
def relu_beside_its_layer(net, x):
    t = net.a(x)
    return torch.cat([F.relu(t), t], 2)


@model("activation", SEQUENCE, a=linear())
def clamp_beside_its_layer(net, x):
    t = net.a(x)
    return torch.cat([t.clamp(-0.2, 0.4), t], 2)


@model("activation", a=linear(), b=linear())
def hardtanh_of_product(net, x):
    return F.hardtanh(net.a(x) * net.b(x), -0.1, 0.2)


@model("activation", a=linear(), b=linear())
def relu_of_cat(net, x):
    return F.relu(torch.cat([net.a(x), net.b(x)], 1))


@model("activation", SEQUENCE, a=linear())
def relu_of_view(net, x):
    return F.relu(net.a(x).view(1, 48))


@model("activation", SEQUENCE, a=linear(), b=linear(48, 3))
def relu6_of_flattened(net, x):
    return net.b(F.relu6(net.a(x).flatten(1)))


@model("activation", SEQUENCE, a=linear())
def hardswish_beside_its_layer(net, x):
    t = net.a(x)
    return F.hardswish(t) + t


@model("activation", SEQUENCE, a=linear())
def hardswish_of_transposed(net, x):
    return F.hardswish(net.a(x).transpose(1, 2))


@model("activation", SEQUENCE, a=linear())
def clamp_min_of_select(net, x):
    return net.a(x)[:, 2].clamp_min(0.1)


# --- comparisons with a number


@model("compare", a=linear())
def greater(net, x):
    return (net.a(x) > 0.2).float()


@model("compare", a=linear())
def where_positive(net, x):
    t = net.a(x)
    return torch.where(t > 0, t, t * 0.1)


@model("compare", a=linear())
def where_number(net, x):
    t = net.a(x)
    return torch.where(t >= 0.1, t, -1.0)


@model("compare", a=linear())
def assign_by_mask(net, x):
    t = net.a(x)
    t[t < 0] = 0
    return t


@model("compare", a=linear())
def times_mask(net, x):
    t = net.a(x)
    return t * (t > 0)


@model("compare", a=linear())
def outside_of_range(net, x):
    t = net.a(x)
    return ((t < -100.0) | (t <= 0.3)).float() + (t != 50.0).float()


@model("compare", a=linear(), b=linear())
def with_tensor(net, x):
    return (net.a(x) > net.b(x)).float()


@model("compare", a=linear())
def converted(net, x):
    t = net.a(x.to(torch.float32))
    return t + (t > 0.1) * 0.5


@model("compare", a=linear())
def masked_fill(net, x):
    t = net.a(x)
    return t.masked_fill(t < 0.1, -0.5)


# --- constants made in forward


@model("constant", SEQUENCE, a=linear())
def cat_ones_like(net, x):
    t = net.a(x)
    return torch.cat([t, torch.ones_like(t)], 1)


@model("constant", a=linear())
def plus_full(net, x):
    return net.a(x) + torch.full((1, 8), 0.5)


@model("constant", SEQUENCE, a=linear(), b=linear())
def causal_padding(net, x):
    t = net.a(x)
    return net.b(torch.cat([torch.zeros(1, 2, 8), t], 1))


@model("constant", a=linear())
def constant_output(net, x):
    return torch.full((1, 4), 0.25)


@model("constant", a=linear())
def times_arange(net, x):
    return net.a(x) * torch.arange(8).float()


@model("constant", SEQUENCE, a=linear())
def state_of_zeros(net, x):
    h = torch.zeros(1, 8)
    for i in range(3):
        h = torch.tanh(net.a(x[:, i] + h))
    return h


@model("constant", IMAGE, c=conv(3, 4, padding=1))
def coordinate_channel(net, x):
    return net.c(x) * torch.linspace(0, 1, 7).view(1, 1, 1, 7).expand(1, 4, 8, 7)


# --- hardsigmoid that never reaches one half


@model("hardsigmoid", a=linear(bias=-2.0))
def low_linear(net, x):
    return F.hardsigmoid(net.a(x))


@model("hardsigmoid", IMAGE, c=conv(), g=conv(4, 4, 1))
def gate(net, x):
    t = net.c(x)
    return t * F.hardsigmoid(net.g(F.adaptive_avg_pool2d(t, 1)) - 2.0)


@model("hardsigmoid", a=linear(bias=2.0))
def high_linear(net, x):
    return F.hardsigmoid(net.a(x))


# --- softmax beside another tensor


@model("softmax", a=linear())
def cat_with_scaled(net, x):
    t = net.a(x)
    return torch.cat([torch.softmax(t, 1), t * 2.0], 1)


@model("softmax", SEQUENCE, a=linear())
def stack_of_heads(net, x):
    t = net.a(x)
    return torch.cat([torch.softmax(t[..., :3], -1), t[..., 3:] * 3.0], -1)


@model("softmax", a=linear())
def maximum_with_layer(net, x):
    t = net.a(x)
    return torch.maximum(torch.softmax(t, 1), t)
