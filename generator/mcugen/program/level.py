# SPDX-License-Identifier: BSD-3-Clause
"""What a build is made for: `--optimize`."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """One choice per build."""

    SIZE = "size"  #: least flash of code
    BALANCED = "balanced"  #: whatever makes the program quicker, and nothing that it never takes
    SPEED = "speed"  #: nothing more than balanced yet
