# SPDX-License-Identifier: BSD-3-Clause
"""What a build is made for: `--optimize`."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """One choice per build."""

    SIZE = "size"  #: least flash of code
    BALANCED = "balanced"  #: whatever makes the program quicker, and nothing that it never takes
    SPEED = "speed"  #: and weights of 16 bits, with DSP, where flash is as fast as the core
