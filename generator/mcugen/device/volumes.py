# SPDX-License-Identifier: BSD-3-Clause
"""Volumes that boot loaders show: the platform's script knows where they are mounted."""

from __future__ import annotations

import importlib.util
from functools import cache
from types import ModuleType

from mcugen.base.resources import firmware_dir


@cache
def _script() -> ModuleType:
    path = firmware_dir() / "platform" / "builder" / "uf2.py"
    spec = importlib.util.spec_from_file_location("mcugen_uf2", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def volumes(board_id: str | None = None) -> tuple[tuple[str, str], ...]:
    """Return (folder, Board-ID) of each mounted volume, or of those with one Board-ID."""
    return tuple(_script().volumes(board_id))
