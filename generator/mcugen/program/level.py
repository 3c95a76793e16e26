# SPDX-License-Identifier: BSD-3-Clause
"""What a build is made for: `--optimize`."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """One choice per build."""

    SIZE = "size"  #: least flash of code
    BALANCED = "balanced"  #: quicker for little more flash, without what is never taken
    SPEED = "speed"  #: what the board's flash and RAM allow, where it makes the program quicker
