# SPDX-License-Identifier: BSD-3-Clause
"""What `anomaly` is fed with. No torch, so that verifying a built model needs none."""

from __future__ import annotations

import numpy as np

#: Of the training data in mV, rounded.
_MEAN, _DEVIATION = -0.27, 0.17


def preprocess(windows: np.ndarray) -> np.ndarray:
    """Turn float32[n, 128] in mV into deviations from the mean."""
    return ((windows - _MEAN) / _DEVIATION).astype(np.float32)
