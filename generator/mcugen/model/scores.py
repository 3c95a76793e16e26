# SPDX-License-Identifier: BSD-3-Clause
"""How good a model's outputs are, given what they should be. No torch."""

from __future__ import annotations

import numpy as np

from mcugen.base.errors import ConfigError


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of samples whose largest output is at the label's place."""
    if len(outputs) != len(labels):
        raise ConfigError(f"{len(outputs)} outputs for {len(labels)} labels")
    predicted = outputs.reshape(len(outputs), -1).argmax(axis=1)
    return float((predicted == labels).mean())
