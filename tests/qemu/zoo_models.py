# SPDX-License-Identifier: BSD-3-Clause
"""Networks as users write them, small: what they leave behind for the firmware is the point.

Each function is a factory for `mcugen push tests/qemu/zoo_models.py:<name>`. Weights are random.
"""

from __future__ import annotations

import torch
import torch.nn.functional as f
from torch import nn

Model = tuple[nn.Module, tuple[torch.Tensor, ...], list[tuple[torch.Tensor, ...]]]


def _model(module: nn.Module, *inputs: torch.Tensor) -> Model:
    samples = [tuple(x + 0.1 * torch.randn_like(x) for x in inputs) for _ in range(4)]
    return module.eval(), inputs, samples


class Attention(nn.Module):
    def __init__(self, width: int = 16, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 32), nn.GELU(), nn.Linear(32, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, time, width = x.shape
        y = self.before(x)
        query, key, value = (
            layer(y).reshape(batch, time, self.heads, -1).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        mixed = f.scaled_dot_product_attention(query, key, value)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, time, width))
        return x + self.feed(self.after(x))


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels, channels // 2, 1)
        self.up = nn.Conv2d(channels // 2, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * f.hardsigmoid(self.up(f.relu(self.down(f.adaptive_avg_pool2d(x, 1)))))


class MobileNetV3Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.attend, self.project = SqueezeExcite(8), nn.Conv2d(8, 16, 1)
        self.classify = nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = f.hardswish(self.norm(self.stem(x)))
        x = x + self.attend(f.hardswish(self.depthwise(x)))
        x = f.hardswish(self.project(x))
        return f.log_softmax(self.classify(x.mean((2, 3))), dim=1)


class Recurrent(nn.Module):
    def __init__(self, cell: nn.Module, width: int) -> None:
        super().__init__()
        self.cell, self.classify = cell, nn.Linear(width, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classify(self.cell(x)[0].amax(1))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, 2, 1)
        self.up, self.last = nn.ConvTranspose2d(8, 4, 2, 2), nn.Conv2d(8, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fine = f.leaky_relu(self.first(x))
        coarse = f.elu(self.second(fine))
        nearest = f.interpolate(coarse, scale_factor=2, mode="nearest")[:, :4]
        bilinear = f.interpolate(coarse, scale_factor=2, mode="bilinear")[:, 4:]
        return self.last(torch.cat([fine + nearest + bilinear, self.up(coarse)], 1))


class Detector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU6(), nn.Conv2d(8, 12, 3, 2, 1), nn.ReLU6())
        )
        self.classes, self.boxes = nn.Conv2d(12, 6, 1), nn.Conv2d(12, 8, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        features = self.body(x)
        classes = self.classes(features).permute(0, 2, 3, 1).reshape(1, -1, 3)
        boxes = self.boxes(features).permute(0, 2, 3, 1).reshape(1, -1, 4)
        score = torch.sigmoid(classes).amax(-1)
        center, size = boxes[..., :2].tanh(), torch.exp(boxes[..., 2:].clamp(max=3))
        return torch.cat([center - size / 2, center + size / 2], -1), score


class Anomaly(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encode, self.decode = nn.Linear(20, 8), nn.Linear(4, 20)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, deviation = self.encode(x).chunk(2, -1)
        y = self.decode(mean + torch.exp(deviation * 0.5) * 0.1)
        return y, ((x - y) ** 2).mean(-1).sqrt()


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(1, 4, 3), nn.PReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 8))
        )

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return f.cosine_similarity(self.body(a), self.body(b))


class Restorer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect")
        self.groups, self.instance = nn.GroupNorm(2, 8), nn.InstanceNorm2d(8)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.shuffle(f.softplus(self.instance(f.mish(self.groups(self.conv(x))))))


def attention() -> Model:
    return _model(Attention(), torch.randn(1, 6, 16))


def mobilenet_v3() -> Model:
    return _model(MobileNetV3Block(), torch.randn(1, 3, 16, 16))


def lstm() -> Model:
    return _model(Recurrent(nn.LSTM(8, 12, batch_first=True), 12), torch.randn(1, 5, 8))


def gru() -> Model:
    cell = nn.GRU(8, 12, batch_first=True, bidirectional=True)
    return _model(Recurrent(cell, 24), torch.randn(1, 4, 8))


def audio() -> Model:
    layers = nn.Sequential(
        *(nn.Conv1d(3, 8, 5, 2, 2), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2)),
        *(nn.Conv1d(8, 8, 3, padding=2, dilation=2), nn.SiLU(), nn.AdaptiveAvgPool1d(1)),
        *(nn.Flatten(), nn.Linear(8, 4), nn.Sigmoid()),
    )
    return _model(layers, torch.randn(1, 3, 64))


def unet() -> Model:
    return _model(UNet(), torch.randn(1, 1, 8, 8))


def detector() -> Model:
    return _model(Detector(), torch.randn(1, 3, 16, 16))


def anomaly() -> Model:
    return _model(Anomaly(), torch.randn(1, 20))


def siamese() -> Model:
    return _model(Siamese(), torch.randn(1, 1, 8, 8), torch.randn(1, 1, 8, 8))


def restorer() -> Model:
    return _model(Restorer(), torch.randn(1, 3, 8, 8))


FACTORIES = ("attention", "mobilenet_v3", "lstm", "gru", "audio", "unet", "detector", "anomaly")
FACTORIES += ("siamese", "restorer")
