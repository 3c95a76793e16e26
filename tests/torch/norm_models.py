# SPDX-License-Identifier: BSD-3-Clause
"""Small models with norms by a sample's own statistics; test_norms.py holds what each keeps."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from int8_models import SIGNAL, conv1d
from plain_models import IMAGE, MODELS, ROW, SEQUENCE, conv, linear, model
from torch import nn

_BEFORE = set(MODELS)


def trained(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """Factors and terms as training leaves them: a new layer's are ones and zeros."""

    def made() -> nn.Module:
        layer = make()
        with torch.no_grad():
            for name, parameter in layer.named_parameters():
                if parameter.dim() == 1 and "proj" not in name:
                    parameter.copy_(torch.rand_like(parameter) * (1.5 if "weight" in name else 0.6))
        return layer

    return made


def layer_norm(*shape: int, **options: bool) -> Callable[[], nn.Module]:
    return trained(lambda: nn.LayerNorm(shape, **options))


# --- layer norm


@model("layer norm", a=linear(8, 16), n=layer_norm(16))
def behind_a_linear_layer(net, x):
    return net.n(net.a(x))


@model("layer norm", SEQUENCE, n=layer_norm(8), a=linear())
def in_front_of_one(net, x):
    return net.a(net.n(x))


@model("layer norm", SEQUENCE, n=layer_norm(8, elementwise_affine=False))
def without_parameters(net, x):
    return net.n(x)


@model("layer norm", SEQUENCE, n=layer_norm(8, bias=False), a=linear())
def without_terms(net, x):
    return F.relu(net.n(net.a(x)))


@model("layer norm", SEQUENCE, n=layer_norm(6, 8))
def over_two_axes(net, x):
    return net.n(x)


@model("layer norm", IMAGE, c=conv(3, 8), n=layer_norm(8, 6, 5), d=conv(8, 2, 1))
def of_a_whole_image(net, x):
    return net.d(net.n(net.c(x)))


@model("layer norm", IMAGE, c=conv(3, 8), n=layer_norm(8), d=conv(8, 2, 1))
def of_the_channels_of_each_pixel(net, x):
    return net.d(net.n(net.c(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


@model("layer norm", SIGNAL, c=conv1d(3, 8), n=layer_norm(8))
def of_the_channels_of_a_signal(net, x):
    return net.n(net.c(x).transpose(1, 2))


@model("layer norm", n=layer_norm(8))
def of_a_vector(net, x):
    return net.n(x[0])


@model("layer norm", SEQUENCE, n=layer_norm(8), m=layer_norm(8))
def of_a_norm_and_beside_it(net, x):
    t = net.n(x)
    return torch.cat([net.m(t) + t, F.hardtanh(net.m(x), -0.5, 0.9)], 1)


@model("layer norm", SEQUENCE, n=trained(lambda: nn.LayerNorm(8, eps=0.1)))
def of_little_beside_its_epsilon(net, x):
    return net.n(x * 0.02)


@model("layer norm", SEQUENCE, n=layer_norm(8))
def of_large_numbers(net, x):
    return net.n(x * 300 + 2000)


@model("layer norm", a=linear(8, 16), n=trained(lambda: nn.RMSNorm(16)))
def root_mean_square(net, x):
    return net.n(net.a(x) + 0.5)


@model("layer norm", SEQUENCE, a=linear(), n=layer_norm(8))
def of_rows_of_one_number(net, x):
    t = net.a(x)
    return net.n(torch.cat([t, t[:, :1, :1].expand(1, 1, 8)], 1))


# --- group norm


@model("group norm", IMAGE, c=conv(3, 8), n=trained(lambda: nn.GroupNorm(2, 8)))
def behind_a_convolution(net, x):
    return F.relu(net.n(net.c(x)))


@model("group norm", IMAGE, c=conv(3, 8), n=lambda: nn.GroupNorm(1, 8), d=conv(8, 4))
def in_one_group(net, x):
    return net.d(F.relu6(net.n(net.c(x))))


@model("group norm", IMAGE, c=conv(3, 8), n=lambda: nn.InstanceNorm2d(8))
def of_instances(net, x):
    return net.n(net.c(x))


@model(
    "group norm",
    IMAGE,
    c=conv(3, 8),
    n=trained(lambda: nn.InstanceNorm2d(8, affine=True)),
    d=conv(8, 2),
)
def of_instances_with_parameters(net, x):
    t = net.c(x)
    return net.d(F.leaky_relu(net.n(t)) + t)


@model(
    "group norm", IMAGE, c=conv(), n=lambda: nn.InstanceNorm2d(4, track_running_stats=True).eval()
)
def of_instances_seen_in_training(net, x):
    return net.n(net.c(x))


@model(
    "group norm",
    SIGNAL,
    c=conv1d(3, 8),
    n=trained(lambda: nn.GroupNorm(4, 8)),
    d=conv1d(8, 4),
)
def of_signals(net, x):
    return net.d(F.relu(net.n(net.c(x))))


@model("group norm", SIGNAL, c=conv1d(3, 8), n=lambda: nn.InstanceNorm1d(8))
def of_instances_of_signals(net, x):
    return net.n(net.c(x))


@model("group norm", ROW, a=linear(8, 16), n=trained(lambda: nn.GroupNorm(2, 16)))
def of_rows(net, x):
    return net.n(net.a(x))


@model("group norm", (1, 4, 2, 3, 5), n=trained(lambda: nn.GroupNorm(2, 4)))
def of_volumes(net, x):
    return net.n(x)


@model("group norm", (2, 4, 3, 5), n=trained(lambda: nn.GroupNorm(2, 4)))
def of_an_image_that_comes_in(net, x):
    return net.n(x)


# --- transformers


def one_layer(**options: object) -> nn.Module:
    return nn.TransformerEncoderLayer(8, 2, 16, **options)


@model("transformer", SEQUENCE, e=trained(lambda: one_layer(batch_first=True)))
def encoder_layer(net, x):
    return net.e(x)


@model(
    "transformer",
    (6, 1, 8),
    e=trained(lambda: nn.TransformerEncoder(one_layer(norm_first=True, activation="gelu"), 2)),
)
def encoder_of_two_layers_batch_second_with_their_norms_first(net, x):
    return net.e(x)


@model("transformer", SEQUENCE, a=lambda: nn.MultiheadAttention(8, 2, batch_first=True))
def attention_with_its_weights(net, x):
    return net.a(x, x, x)


#: Those of this module.
NORM_MODELS = {name: MODELS.pop(name) for name in list(MODELS) if name not in _BEFORE}
