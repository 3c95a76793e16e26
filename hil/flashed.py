# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hardware_map


@dataclass(frozen=True)
class Flashed:
    """A device that runs the firmware just built for it."""

    device: hardware_map.Device
    folder: Path
    port: str
    firmware_id: str
    pte_sha256: str
    mcugen: Callable[..., dict[str, Any]]
