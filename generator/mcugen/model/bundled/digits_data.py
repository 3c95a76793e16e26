# SPDX-License-Identifier: BSD-3-Clause
"""What `digits` is fed with. No torch, so that verifying a built model needs none."""

from __future__ import annotations

import numpy as np

DATASET = "digits8"
_PIXEL_MAX = 16


def preprocess(images: np.ndarray) -> np.ndarray:
    """Turn uint8[n, 8, 8, 1] pixels of 0 to 16 into float32[n, 1, 8, 8] in [-1, 1]."""
    scaled = images.astype(np.float32) / (_PIXEL_MAX / 2) - 1
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))
