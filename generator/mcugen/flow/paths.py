# SPDX-License-Identifier: BSD-3-Clause
"""Names and paths as people read and write them."""

from __future__ import annotations

import re
from pathlib import Path


def show_path(path: Path | str) -> str:
    """Return a path relative to the working directory where that is shorter."""
    try:
        relative = str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return str(path)
    return relative if len(relative) < len(str(path)) else str(path)


def slug(name: str) -> str:
    """Return a name that is one plain folder name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "model"


def absolute_model(model: str) -> str:
    """Return the model as it can be named from any folder; a bundled model's name stays."""
    path, colon, factory = model.rpartition(":")
    if colon and Path(path).exists():
        return f"{Path(path).absolute()}:{factory}"
    return str(Path(model).absolute()) if Path(model).is_file() else model
