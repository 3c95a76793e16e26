# SPDX-License-Identifier: BSD-3-Clause
"""Small models of layers that once ran in float, or were refused: all of each runs in int8."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from plain_models import IMAGE, MODELS, ROW, SEQUENCE, conv, linear, model, norm
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

SIGNAL = (1, 3, 24)
_BEFORE = set(MODELS)


def conv1d(channels: int = 3, out: int = 4, kernel: int = 3, **options):
    return lambda: nn.Conv1d(channels, out, kernel, **options)


# --- signals


@model(
    "signal",
    SIGNAL,
    a=conv1d(3, 6, 5, stride=2, padding=2),
    n=norm(6, nn.BatchNorm1d),
    b=conv1d(6, 4, padding=1, groups=2),
)
def convolutions_and_pools(net, x):
    return net.b(F.max_pool1d(F.relu(net.n(net.a(x))), 2)).mean(-1)


@model("signal", SIGNAL, a=conv1d(3, 3, padding=1))
def residual_signal(net, x):
    return F.relu(net.a(x) + x).flatten(1)


@model("signal", SIGNAL, a=lambda: nn.ConvTranspose1d(3, 2, 4, 2, 1))
def transposed_signal(net, x):
    return net.a(x)


@model("signal", SIGNAL, a=lambda: nn.ConvTranspose1d(3, 4, 4, 2, 1), b=conv1d(4, 2))
def there_and_back(net, x):
    return net.b(net.a(x))


@model("signal", SIGNAL, a=conv1d(padding=1), b=conv1d(padding=1))
def upsampled_signals(net, x):
    line = F.interpolate(x, scale_factor=2, mode="linear")
    return net.a(line) + net.b(F.interpolate(x, scale_factor=2))


@model("signal", SIGNAL)
def by_a_factor_that_is_not_the_ratio_of_the_lengths(net, x):
    short = x[:, :, :5]
    return F.interpolate(short, scale_factor=1.5, mode="linear") + F.interpolate(
        short, scale_factor=1.5
    )


@model("signal", SIGNAL)
def averages_of_signals(net, x):
    return torch.cat([F.avg_pool1d(F.relu(x), 3, 2, 1), F.adaptive_avg_pool1d(x, 5)], 2)


@model("signal", SIGNAL)
def largest_of_signals(net, x):
    return torch.cat([F.adaptive_max_pool1d(x, 5), F.max_pool1d(x, 4, 3, 1, ceil_mode=True)], 2)


@model("signal", SIGNAL, a=conv1d(padding="same", dilation=3), b=conv1d(4, 4, 4, padding="same"))
def same_padding_of_signals(net, x):
    return net.b(torch.relu(net.a(x)))


@model("signal", SIGNAL, a=conv1d(3, 4, 5), b=conv1d(4, 4, 3, dilation=2))
def causal(net, x):
    return net.b(F.pad(F.relu(net.a(F.pad(x, (4, 0)))), (4, 0)))[:, :, -1]


@model("signal", (1, 6, 9), a=conv1d(6, 4, 3, padding=2))
def padded_average_in_front_of_a_layer(net, x):
    return net.a(F.avg_pool1d(x * 0.7, 3, 2, 1))


# --- other names of what the quantizer knows


@model("name", IMAGE, a=conv(padding=1), b=conv(padding=1), c=conv(padding=1))
def bounds_by_other_names(net, x):
    return net.a(x).clamp_min(0.1) + net.b(x).clamp_max(0.3) + torch.clip(net.c(x), -0.2, 0.2)


@model("name", IMAGE, a=conv(padding=1), b=conv(padding=1))
def of_several_tensors(net, x):
    a, b = net.a(x), net.b(x)
    return torch.lerp(F.glu(a, 1), F.glu(b, 1), 0.3) + torch.addcmul(a, a, b, value=0.5)[:, :2]


@model("name", SEQUENCE, a=linear(), b=linear())
def products_by_letters(net, x):
    return torch.einsum("btf,bsf->bts", net.a(x), net.b(x))


# --- products with a matrix


@model("product", SEQUENCE, a=linear(), b=linear(), m=lambda: nn.Linear(6, 8))
def with_constants(net, x):
    rows = net.a(x) @ net.m.weight
    columns = (net.m.weight @ net.b(x))[:, :6, :6]
    vectors = net.a(x) @ net.m.weight[:, 0]
    return rows + columns + vectors[:, :, None]


@model("product", SEQUENCE, a=linear(), b=linear(), m=lambda: nn.Linear(8, 8))
def of_stacks_that_broadcast(net, x):
    left, right = net.a(x).view(1, 2, 3, 8), net.b(x).view(1, 1, 6, 8).transpose(2, 3)
    return (left @ right)[:, :, :, :4] + left @ net.m.weight.view(2, 8, 4)


@model("product", SEQUENCE, a=linear(), b=linear(), w=linear(48, 8))
def of_matrices_and_vectors(net, x):
    rows, vector = net.a(x)[0], net.w(x.flatten(1))[0]
    return rows @ net.b(x)[0].t() + vector @ rows.t() + (rows @ vector)[:, None]


@model("product", SEQUENCE, w=linear(48, 27), c=lambda: nn.Conv1d(6, 3, 3))
def layers_of_computed_weights_and_bias(net, x):
    weights = net.w(x.flatten(1))[0]
    there = F.linear(x, weights[:24].view(3, 8), weights[24:])
    return there.transpose(1, 2) + F.conv1d(x, net.c.weight, weights[:3])


# --- writes to a part


@model("part", IMAGE, c=conv(padding=1))
def leaky_by_hand(net, x):
    t = net.c(x)
    t[t < 0] *= 0.1
    t[t > 0.2] = torch.tanh(t[t > 0.2]) + net.c(x)[t > 0.2]
    return t


@model("part", SEQUENCE, a=linear())
def rows_by_a_mask(net, x):
    t = net.a(x)
    high = t[:, :, 0] > 0
    u = t.clone()
    u[high] = t[high] * 0.5 + torch.linspace(0, 0.3, 8)
    return u


@model("part", SEQUENCE, a=linear())
def roots_of_what_has_one(net, x):
    t = net.a(x).clone()
    t[t > 0.1] = torch.sqrt(t[t > 0.1])
    return t


@model("part", IMAGE, c=conv(padding=1))
def filled_by_index(net, x):
    return net.c(x).index_fill(1, torch.tensor([-1, 0]), 0.25)


# --- pools, padding, resizing of images


@model("pool", IMAGE)
def averages_without_a_stride(net, x):
    outside = F.avg_pool2d(x, 2, padding=1, count_include_pad=False)
    return F.avg_pool2d(x, 2, padding=1) + outside


@model("pool", IMAGE)
def cut_windows(net, x):
    pools = (F.max_pool2d(x, 3, 2, ceil_mode=True), F.max_pool2d(x, 2, 2, 1))
    return torch.cat([pool.flatten(1) for pool in pools], 1)


@model("pool", IMAGE)
def spread_windows(net, x):
    return F.max_pool2d(x, 3, 1, 1, dilation=2)


@model("pool", IMAGE)
def averages_of_cut_windows(net, x):
    return torch.cat([F.avg_pool2d(x, 2, ceil_mode=True), F.avg_pool2d(x, 3, 2, 1)], 2)


@model("pool", (1, 3, 8, 8))
def averages_of_padded_windows(net, x):
    return F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)


@model("pool", IMAGE)
def two_adaptive_pools(net, x):
    return F.adaptive_avg_pool2d(F.adaptive_avg_pool2d(x, (2, 3)), 1).flatten(1)


@model("pool", IMAGE)
def adaptive_largest(net, x):
    return F.adaptive_max_pool2d(x, (3, 2)).flatten(1) + F.adaptive_max_pool2d(x, (2, 3)).flatten(1)


@model("pool", IMAGE)
def padded_by_others(net, x):
    whole = F.pad(x, (2, 1, 1, 2), mode="reflect")
    return F.pad(whole, (1, 0, 0, 1), mode="replicate") + F.pad(
        whole, (0, 1, 1, 0), mode="circular"
    )


@model("pool", IMAGE, c=conv(padding=1, padding_mode="circular"), d=conv(4, 2, padding="same"))
def padding_modes(net, x):
    return net.d(net.c(x))


@model("pool", IMAGE, c=conv(padding=1))
def resized(net, x):
    big = F.interpolate(net.c(x), scale_factor=2, mode="bilinear")
    return big + F.interpolate(x[:, :1], size=(16, 14))


# --- functions of numbers


@model("number", ROW)
def activations(net, x):
    return torch.cat(
        [F.mish(x), F.softplus(x), F.selu(x), F.elu(x), F.leaky_relu(x, 0.2), F.logsigmoid(x)], 1
    )


@model("number", ROW)
def functions(net, x):
    return torch.cat([x.abs(), x**2, 1 - x, 1 / (x * x + 1), torch.exp(x), x * x.sigmoid()], 1)


@model("number", ROW, a=linear(), b=linear())
def gates(net, x):
    z = torch.sigmoid(net.a(x))
    return z * torch.tanh(net.b(x)) + (1 - z) * x * 0.5


@model("number", SEQUENCE)
def selected_by_sign(net, x):
    return torch.where(x > 0, x, 0.1 * x) + (x > 0.3).float() * x


@model("number", SEQUENCE)
def used_within_and_behind(net, x):
    half = x * 0.5
    return torch.exp(half) * (half > 0.1) + half


@model("number", IMAGE, p=lambda: nn.PReLU(3))
def slope_of_each_channel(net, x):
    return net.p(x)


@model("number", IMAGE)
def normalized_image(net, x):
    mean = torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1)
    return (x - mean) / torch.tensor([0.5, 0.6, 0.7]).view(3, 1, 1)


@model("number", SEQUENCE, a=linear())
def factors_of_the_last_axis(net, x):
    return x * net.a.weight[0] + net.a.bias


# --- axes that others are stretched over, sums


@model("axis", SEQUENCE)
def stretched(net, x):
    return x.mean(1, keepdim=True) * x + x[:, :, :1]


@model("axis", SEQUENCE)
def sums_and_means(net, x):
    return x.sum(1) + x.mean(1)


@model("axis", SEQUENCE)
def largest_and_smallest(net, x):
    return x.max(1)[0] - x.min(1).values + x.amax(1)


@model("axis", SEQUENCE)
def overall(net, x):
    return x[:, 0] * x.mean() + x.max()


@model("axis", IMAGE, c=conv(padding=1))
def attention_over_pixels(net, x):
    image = net.c(x)
    return image * torch.sigmoid(image.mean(1, keepdim=True))


@model("axis", IMAGE, c=conv(padding=1), a=linear(4, 4))
def squeeze_and_excite(net, x):
    image = F.relu(net.c(x))
    return image * torch.sigmoid(net.a(image.mean((2, 3)))).view(1, 4, 1, 1)


# --- bounds by another name


@model("bound", IMAGE, c=conv(), d=conv(4, 2))
def relu6_by_its_function(net, x):
    return F.relu6(net.d(F.relu6(net.c(x))))


# --- attention, computed weights


@model("attention", SEQUENCE, q=linear())
def by_hand(net, x):
    return torch.softmax(net.q(x) @ x.transpose(1, 2) / 8**0.5, -1) @ x


@model("attention", SEQUENCE, q=linear(), k=linear(), v=linear())
def of_torch(net, x):
    return F.scaled_dot_product_attention(net.q(x), net.k(x), net.v(x))


@model("attention", SEQUENCE, a=linear(), k=linear(), v=linear())
def attention_behind_hardswish(net, x):
    x = F.hardswish(net.a(x))
    return F.scaled_dot_product_attention(x, net.k(x), net.v(x))


CAUSAL = torch.triu(torch.full((6, 6), float("-inf")), 1)


@model("mask", SEQUENCE, q=linear(), k=linear())
def causal_attention(net, x):
    q, k = net.q(x), net.k(x)
    bias = torch.arange(6)[:, None] * torch.full((6,), 0.1)
    return (
        F.scaled_dot_product_attention(q, k, x, is_causal=True)
        + F.scaled_dot_product_attention(q, k, x, attn_mask=CAUSAL + bias)
        + F.scaled_dot_product_attention(q, k, x, attn_mask=CAUSAL[None] == 0)
        + F.scaled_dot_product_attention(q, k, x, attn_mask=bias)
    )


@model("mask", SEQUENCE, q=linear(), k=linear())
def causal_by_hand(net, x):
    scores = net.q(x) @ net.k(x).transpose(1, 2) * 8**-0.5
    added = torch.softmax(scores + CAUSAL, -1) @ x
    return added + torch.softmax(scores.masked_fill(CAUSAL < 0, -1e9), -1) @ x


@model("mask", (1, 3, 9), a=conv1d(padding=1))
def over_a_signal(net, x):
    return torch.softmax(net.a(x).masked_fill(torch.arange(9) > 6, -1e9), -1)


@model("mask", SEQUENCE, a=linear())
def of_more_than_there_is(net, x):
    hidden = torch.eye(8, dtype=torch.bool)
    return torch.softmax(torch.where(hidden, float("-inf"), net.a(x)[:, 0]), -1)


@model("mask", SEQUENCE, a=linear())
def of_what_is_masked_by_itself(net, x):
    scores = net.a(x) * 4
    return torch.softmax(scores.masked_fill(scores < -2, -1e9), -1)


@model("mask", SEQUENCE, q=linear(), k=linear())
def of_what_is_high(net, x):
    scores = net.q(x) @ net.k(x).transpose(1, 2)
    low = torch.tensor(-1e4)
    return torch.softmax(torch.where(x[:, None, :, 0] > -1, scores, low), -1)


@model("mask", SEQUENCE, a=lambda: nn.MultiheadAttention(8, 2, batch_first=True), b=linear())
def of_torchs_layer(net, x):
    outputs, weights = net.a(x, x, x, attn_mask=CAUSAL)
    return net.b(outputs) + weights @ x


@model("attention", ROW, a=lambda: weight_norm(nn.Linear(8, 8)), b=linear())
def computed_weights(net, x):
    return net.a(x) + F.linear(x, net.b.weight * 0.35) + F.linear(x, net.b.weight.t())


@model("attention", ROW, a=linear())
def pruned_rows(net, x):
    mask = torch.ones(8, 1)
    mask[2:4] = 0
    return F.linear(x, net.a.weight * mask, net.a.bias + 1)


#: Those of this module.
INT8_MODELS = {name: MODELS.pop(name) for name in set(MODELS) - _BEFORE}
INT8_MODELS = dict(sorted(INT8_MODELS.items()))
