# SPDX-License-Identifier: BSD-3-Clause
"""Every operator that looks at shapes or memory order x where it stands x how memory lies there.

    python tests/torch/view_models.py

lists the cases.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from plain_models import Model
from torch import nn

T = torch.Tensor
#: What the operator gets: big enough for every axis to differ, and for two to be even.
SHAPE = (1, 4, 6, 8)
PLACES = ("convolution", "input", "pool")
ORDERS = ("contiguous", "channels_last")

VIEWS: dict[str, Callable[[T], T]] = {
    "flatten": lambda t: t.flatten(),
    "flatten-1": lambda t: t.flatten(1),
    "flatten-2": lambda t: t.flatten(2),
    "flatten-1-2": lambda t: t.flatten(1, 2),
    "view": lambda t: t.reshape(1, 8, 24),
    "view-size": lambda t: t.view(t.size(0), -1) if t.is_contiguous() else t.reshape(1, -1),
    "reshape-4d": lambda t: t.reshape(1, 6, 4, 8),
    "reshape-5d": lambda t: t.reshape(1, 2, 2, 6, 8),
    "unflatten": lambda t: t.unflatten(1, (2, 2)),
    "unsqueeze-0": lambda t: t.unsqueeze(0),
    "unsqueeze-2": lambda t: t.unsqueeze(2),
    "unsqueeze-last": lambda t: t.unsqueeze(-1),
    "squeeze": lambda t: t.squeeze(0),
    "squeeze-select": lambda t: t[:, :, 1:2].squeeze(2),
    "permute-nhwc": lambda t: t.permute(0, 2, 3, 1),
    "permute-nchw": lambda t: t.permute(0, 2, 3, 1).relu().permute(0, 3, 1, 2),
    "permute-flatten": lambda t: t.permute(0, 2, 3, 1).reshape(1, 48, 4),
    "transpose-1-2": lambda t: t.transpose(1, 2),
    "transpose-2-3": lambda t: t.transpose(2, 3).contiguous(),
    "movedim": lambda t: t.movedim(1, -1),
    "tokens": lambda t: t.flatten(2).transpose(1, 2),
    "pixel-shuffle": lambda t: F.pixel_shuffle(t, 2),
    "pixel-unshuffle": lambda t: F.pixel_unshuffle(t, 2),
    "channel-shuffle": lambda t: t.reshape(1, 2, 2, 6, 8).transpose(1, 2).reshape(1, 4, 6, 8),
    "windows": lambda t: t.reshape(1, 4, 3, 2, 4, 2).permute(0, 2, 4, 3, 5, 1).reshape(12, 4, 4),
    "slice-channels": lambda t: t[:, 1:3],
    "slice-rows": lambda t: t[:, :, 1:5],
    "slice-step": lambda t: t[:, :, ::2, 1::2],
    "select-channel": lambda t: t[:, 1],
    "select-row": lambda t: t[:, :, 3],
    "split": lambda t: torch.split(t, 3, 1)[1],
    "chunk-swap": lambda t: torch.cat(torch.chunk(t, 2, 1)[::-1], 1),
    "unbind": lambda t: torch.unbind(t, 2)[4],
    "narrow": lambda t: t.narrow(3, 2, 5),
    "cat-channels": lambda t: torch.cat([t, t.relu()], 1),
    "cat-width": lambda t: torch.cat([t, t.relu()], 3),
    "cat-with-view": lambda t: torch.cat([t, t.reshape(1, 4, 8, 6).transpose(2, 3)], 1),
    "stack": lambda t: torch.stack([t, t.relu()], 1),
    "stack-last": lambda t: torch.stack([t, t.relu()], -1),
    "expand": lambda t: t[:, :, :1].expand(1, 4, 3, 8),
    "repeat": lambda t: t.repeat(1, 2, 1, 1),
    "flip": lambda t: t.flip(1),
    "flip-width": lambda t: t.flip(3),
    "roll": lambda t: torch.roll(t, 1, 2),
    "pad": lambda t: F.pad(t, (1, 0, 2, 1)),
    "pad-channels": lambda t: F.pad(t, (0, 0, 0, 0, 1, 2)),
    "pad-flatten": lambda t: F.pad(t, (1, 1)).flatten(1),
    "matmul": lambda t: t.flatten(2) @ t.flatten(2).transpose(1, 2),
    "matmul-4d": lambda t: t @ t.transpose(2, 3),
    "softmax-positions": lambda t: torch.softmax(t.flatten(2), -1),
    "softmax-channels": lambda t: torch.softmax(t, 1),
    "softmax-width": lambda t: torch.softmax(t, -1),
    "sum-with-view": lambda t: t + t.reshape(1, 4, 8, 6).transpose(2, 3),
    "product-with-view": lambda t: t * t.reshape(1, 4, 8, 6).transpose(2, 3),
    "maximum-with-view": lambda t: torch.maximum(t, t.reshape(1, 4, 8, 6).transpose(2, 3)),
    "where-with-view": lambda t: torch.where(t > 0, t, t.reshape(1, 4, 8, 6).transpose(2, 3)),
    "mean-image": lambda t: t.mean((2, 3)),
    "amax-channels": lambda t: t.amax(1),
    "pool-of-view": lambda t: F.max_pool2d(t.reshape(1, 8, 6, 4), 2),
    "average-of-view": lambda t: F.avg_pool2d(t.reshape(1, 8, 6, 4), 2, padding=1),
    "adaptive-twice": lambda t: F.adaptive_avg_pool2d(F.adaptive_avg_pool2d(t, (3, 4)), 1),
    "upsample-flatten": lambda t: F.interpolate(t, scale_factor=2.0).flatten(2),
    "index-channels": lambda t: t[:, [2, 0, 3]],
    "one-channel": lambda t: F.max_pool2d(t[:, :1].flatten(1).view(1, 1, 6, 8), 2).flatten(1),
    "write-channel": lambda t: t.index_fill(1, torch.tensor([1]), 0.25),
}


class Layer(nn.Module):
    """A view between layers that want images, rows or nothing in particular."""

    def __init__(self, view: str, place: str, order: str) -> None:
        super().__init__()
        self.view, self.place, self.order = VIEWS[view], place, order
        if place == "convolution":
            self.before: nn.Module = nn.Conv2d(3, 4, 3, padding=1)
        elif place == "pool":
            self.before = nn.MaxPool2d(3, 1, 1)
        else:
            self.before = nn.Identity()

    def forward(self, x: T) -> T:
        x = self.before(x)
        if self.order == "contiguous":
            # A view of rows, which an image becomes where it is one.
            x = x.reshape(1, -1, 8).reshape(x.shape) * 1.0
        else:
            x = x.contiguous(memory_format=torch.channels_last)
        return self.view(x)


CASES = tuple(itertools.product(VIEWS, PLACES, ORDERS))


def cases(seed: int, count: int) -> list[tuple[str, str, str]]:
    """Return `count` of the cases, in an order from a seed."""
    return random.Random(seed).sample(CASES, min(count, len(CASES)))


def models(chosen: list[tuple[str, str, str]]) -> dict[str, Model]:
    """Return the cases as models that can be put together."""
    return {
        "/".join(case): Model(
            "view",
            lambda case=case: Layer(*case),  # type: ignore[misc]
            ((1, 3, *SHAPE[2:]) if case[1] == "convolution" else SHAPE,),
        )
        for case in chosen
    }


if __name__ == "__main__":
    print("\n".join("/".join(case) for case in CASES))
