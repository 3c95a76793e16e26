# SPDX-License-Identifier: BSD-3-Clause
"""JapaneseVowels: nine men saying two vowels; 270 utterances to train on, 370 to test on.

Each is a series of 7 to 29 frames of 12 LPC cepstrum coefficients. M. Kudo, J. Toyama, M. Shimbo,
UCI Machine Learning Repository, CC BY 4.0; sktime carries it.
"""

from __future__ import annotations

import numpy as np

from mcugen.model.datasets.packaged import data_file
from mcugen.model.datasets.ts_file import read_ts

COEFFICIENTS, MOST_FRAMES = 12, 29


def read(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return float32[n, 12, 29], NaN after an utterance's end, and labels: speakers 0 to 8."""
    path = f"sktime/datasets/data/JapaneseVowels/JapaneseVowels_{split.upper()}.ts"
    utterances, speakers = read_ts(data_file("japanese_vowels", path))
    inputs = np.full((len(utterances), COEFFICIENTS, MOST_FRAMES), np.nan, np.float32)
    for row, utterance in zip(inputs, utterances, strict=True):
        row[:, : utterance.shape[1]] = utterance
    return inputs, np.array([int(speaker) - 1 for speaker in speakers])
