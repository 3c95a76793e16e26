# SPDX-License-Identifier: BSD-3-Clause
"""The `.ts` files of the UEA and UCR archives: a line per sample, its channels, then its class."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def read_ts(path: Path) -> tuple[list[np.ndarray], list[str]]:
    """Return each sample as float32[channels, steps], and the names of their classes."""
    samples, classes = [], []
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.strip().lower() == "@data":
            break
    for line in lines:
        if line.strip():
            *channels, name = line.strip().split(":")
            samples.append(np.array([channel.split(",") for channel in channels], np.float32))
            classes.append(name)
    return samples, classes
