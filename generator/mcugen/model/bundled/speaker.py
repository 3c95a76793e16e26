# SPDX-License-Identifier: BSD-3-Clause
"""Which of nine people speaks: convolutions along time, on cepstrum coefficients of a vowel."""

from __future__ import annotations

import torch
from torch import nn

from mcugen.model.bundled.layers import separable_signal_convolution, signal_convolution
from mcugen.model.bundled.speaker_data import preprocess
from mcugen.model.bundled.training import Recipe, Workload


class SpeakerNet(nn.Module):
    """float32[1, 12, 29] in deviations to float32[1, 9] logits; 5 k parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            signal_convolution(12, 24, 3),
            *separable_signal_convolution(24, 48, 3),
            *separable_signal_convolution(48, 48, 3),
        )
        self.pool = nn.AvgPool1d(29)
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(48, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of the speakers."""
        x = torch.flatten(self.pool(self.features(x)), 1)
        return self.classifier(self.dropout(x))


def _augment(utterances: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Add noise, up to an utterance's end."""
    noise = 0.2 * torch.randn(utterances.shape, generator=generator)
    return utterances + noise * (utterances != 0)


WORKLOAD = Workload(
    name="speaker",
    network=SpeakerNet,
    input_shape=(1, 12, 29),
    preprocess=preprocess,
    recipe=Recipe(seed=1, epochs=60, batch=16, rate=1e-2, decay=1e-2, augment=_augment),
)
