# SPDX-License-Identifier: BSD-3-Clause
"""Models that cannot be built, as people write them. The line that is to blame ends in `# here`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

IMAGE = (1, 1, 8, 8)


class Inside(nn.Module):
    """What is to blame is a layer of a layer: "body.1"."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.ReLU(), layer)

    def forward(self, x):
        return self.body(x)


class Branch(nn.Module):
    def forward(self, x):
        if x.mean() > 0:  # here: branch
            return x
        return -x


class Loop(nn.Module):
    def forward(self, x):
        while x.sum() > 1:  # here: loop
            x = x * 0.5
        return x


class Masked(nn.Module):
    def forward(self, x):
        return x[x > 0]  # here: masked


class Item(nn.Module):
    def forward(self, x):
        count = int(x.abs().sum().item()) % 4 + 1  # here: item
        return x[..., :count]


class Spectrum(nn.Module):
    def forward(self, x):
        return torch.fft.rfft(x).abs()  # here: spectrum


class Double(nn.Module):
    def forward(self, x):
        return (x.double() * 2).sum(-1)  # here: double


class Sort(nn.Module):
    def forward(self, x):
        return torch.sort(x, dim=-1)[0]  # here: sort


class Noise(nn.Module):
    def forward(self, x):
        return x + torch.randn_like(x)  # here: noise


class Dropped(nn.Module):
    def forward(self, x):
        return nn.functional.dropout(x, 0.5)  # here: dropped


class Normed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x):
        norm = self.norm
        mean, var = norm.running_mean, norm.running_var
        return nn.functional.batch_norm(x, mean, var, training=True)  # here: normed


class Computed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Linear(64, 9)

    def forward(self, x):
        weights = self.weights(x.flatten(1)).view(1, 1, 3, 3)
        return nn.functional.conv2d(x, weights, padding="same")  # here: computed


class Raises(nn.Module):
    def forward(self, x):
        raise ValueError("images must be 32 x 32")  # here: raises


@dataclass
class Result:
    scores: torch.Tensor


class Structured(nn.Module):
    def forward(self, x):
        return Result(x * 2)


class OneOfTwo(nn.Module):
    def forward(self, x, unused):
        return x * 2


class Label(nn.Module):
    def forward(self, x):
        return {"scores": x * 2, "label": "cat"}


class Seen(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(IMAGE))

    def forward(self, x):
        self.seen.add_(x)  # here: seen
        return self.seen * 0.5


def _made(layer: nn.Module):
    return Inside(layer).eval(), (torch.randn(IMAGE),), [torch.randn(IMAGE) for _ in range(4)]


def branch():
    return _made(Branch())


def loop():
    return _made(Loop())


def masked():
    return _made(Masked())


def item():
    return _made(Item())


def spectrum():
    return _made(Spectrum())


def double():
    return _made(Double())


def sort():
    return _made(Sort())


def noise():
    return _made(Noise())


def dropped():
    return _made(Dropped())


def normed():
    return _made(Normed())


def computed():
    return _made(Computed())


def structured():
    return _made(Structured())


def one_of_two():
    image = torch.randn(IMAGE)
    return OneOfTwo().eval(), (image, image), [(image, image)] * 4


def imaginary():
    value = torch.zeros(1, 3, dtype=torch.complex64)
    return nn.Identity(), (value,), [value] * 4


def raises():
    return _made(Raises())


def label():
    return _made(Label())


def seen():
    return _made(Seen())


def wrong_shape():
    """What fails is torch's own code: there is a layer, but no line."""
    return _made(nn.Sequential(nn.Flatten(), nn.Linear(60, 4)))


def float64():
    module, inputs, samples = _made(nn.Conv2d(1, 2, 3))
    return module.double(), (inputs[0].double(),), [each.double() for each in samples]


def other_dtype():
    table = nn.Embedding(10, 4)
    return table, (torch.zeros(1, 3, dtype=torch.long),), [torch.zeros(1, 3)]


def no_weights():
    return torch.load("weights.pt")  # here: no_weights


def other_weights():
    net = nn.Linear(4, 4)
    net.load_state_dict({"weights": torch.zeros(4, 4)})  # here: other_weights
    return net, (torch.zeros(1, 4),)


def nothing():
    return None


def only_the_module():
    return nn.Linear(4, 4)


def with_argument(path):
    return nn.Linear(4, 4), (torch.zeros(1, 4),)


def beyond_the_table():
    table, word = nn.Embedding(10, 4).eval(), torch.zeros(1, 3, dtype=torch.long)
    return table, (word,), [word + 7 * i for i in range(4)]
