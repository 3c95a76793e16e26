# SPDX-License-Identifier: BSD-3-Clause
"""What `mnist` is fed with. No torch, so that verifying a built model needs none."""

from __future__ import annotations

import numpy as np


def preprocess(images: np.ndarray) -> np.ndarray:
    """Turn uint8[n, 28, 28, 1] into float32[n, 1, 28, 28] in [-1, 1]: an int8 per byte."""
    scaled = images.astype(np.float32) / 127.5 - 1
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))
