# SPDX-License-Identifier: BSD-3-Clause
"""BasicMotions: four students with a smart watch, standing, running, walking, playing badminton.

Three axes of acceleration, then three of the gyroscope, 10 s at 10 Hz; each of the four did each
activity five times; 40 recordings to train on, 40 to test on. From the UEA multivariate time series
classification archive (A. Bagnall et al., arXiv:1811.00075), which states no licence; sktime
carries it.
"""

from __future__ import annotations

import numpy as np

from mcugen.model.datasets.packaged import data_file
from mcugen.model.datasets.ts_file import read_ts

#: In the order of the labels.
CLASSES = ("Standing", "Running", "Walking", "Badminton")


def read(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return float32[n, 6, 100] as recorded, and labels."""
    path = f"sktime/datasets/data/BasicMotions/BasicMotions_{split.upper()}.ts"
    samples, classes = read_ts(data_file("basic_motions", path))
    return np.stack(samples), np.array([CLASSES.index(name) for name in classes])
