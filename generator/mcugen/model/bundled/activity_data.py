# SPDX-License-Identifier: BSD-3-Clause
"""What `activity` is fed with. No torch, so that verifying a built model needs none."""

from __future__ import annotations

import numpy as np

#: Deviation of each channel in the training data, rounded: acceleration x, y, z, gyroscope x, y, z.
_DEVIATION = np.array([7, 7, 3.5, 2, 2, 3.5], np.float32)
#: In deviations. A blow to the watch goes beyond, and would take steps of int8 from all the rest.
_LIMIT = 4


def preprocess(windows: np.ndarray) -> np.ndarray:
    """Turn float32[n, 6, 100] as recorded into deviations, at most 4."""
    return np.clip(windows / _DEVIATION[:, None], -_LIMIT, _LIMIT).astype(np.float32)
