# SPDX-License-Identifier: BSD-3-Clause
"""21 seconds of an electrocardiogram in which one beat, 26 in all, comes too early.

From the MIT-BIH Arrhythmia Database (G. Moody, R. Mark; PhysioNet, ODC-By 1.0), one lead at 360 Hz
in mV, with the samples of the early beat marked; sktime carries it. Here it is cut into windows of
1.4 s at 90 Hz, one beginning with each sample. The first 60 % of the recording is to train on.
"""

from __future__ import annotations

import numpy as np

from mcugen.model.datasets.packaged import data_file

#: This many samples become one, their mean.
_DECIMATION = 4
_STEPS = 128
_TRAIN_SHARE = 0.6


def read(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return float32[n, 128] in mV, and labels: 1 where the middle is of the early beat."""
    file = data_file("mitdb", "sktime/datasets/data/mitdb/mitdb.csv")
    table = np.loadtxt(file, delimiter=",", skiprows=1)
    table = table[: len(table) // _DECIMATION * _DECIMATION].reshape(-1, _DECIMATION, 2)
    signal, marked = table[..., 0].mean(axis=1), table[..., 1].max(axis=1)
    cut = int(len(signal) * _TRAIN_SHARE)
    part = slice(cut, None) if split == "test" else slice(0, cut)
    windows = np.lib.stride_tricks.sliding_window_view(signal[part], _STEPS)
    middle = _STEPS // 2
    return windows.astype(np.float32), marked[part][middle : middle + len(windows)]
