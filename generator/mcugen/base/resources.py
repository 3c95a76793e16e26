# SPDX-License-Identifier: BSD-3-Clause
"""Where the files that are not Python live: in a checkout, or inside the installed wheel."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from mcugen.base.errors import ToolMissingError


def package_dir() -> Path:
    """Return the folder of the Python package `mcugen`."""
    return Path(__file__).resolve().parents[1]


@cache
def data_root() -> Path:
    """Return the folder that holds `templates/`, `firmware/` and `boards/`.

    Raises ToolMissingError if the installation is incomplete.
    """
    package = package_dir()
    for root in (package / "_data", package.parent.parent):
        if all((root / name).is_dir() for name in ("templates", "firmware", "boards")):
            return root
    raise ToolMissingError(
        f"mcugen's data folders (templates, firmware, boards) are not beside {package}",
        hint="Reinstall mcugen.",
    )


def templates_dir() -> Path:
    """Return the folder of Jinja templates."""
    return data_root() / "templates"


def firmware_dir() -> Path:
    """Return the folder of C++ sources copied into every project."""
    return data_root() / "firmware"


def boards_dir() -> Path:
    """Return the folder of board descriptions."""
    return data_root() / "boards"


@cache
def executorch_dir() -> Path:
    """Return the installed `executorch` package's folder, without importing it (no torch).

    Raises ToolMissingError if the wheel is not installed.
    """
    spec = importlib.util.find_spec("executorch")
    for location in (spec.submodule_search_locations or []) if spec else []:
        if (Path(location) / "include" / "executorch" / "runtime").is_dir():
            return Path(location)
    raise ToolMissingError(
        "the executorch package with its C++ headers is not installed",
        hint="pip install 'executorch[ethos-u]==1.5.1'",
    )


def executorch_include_dir() -> Path:
    """Return the include root of ExecuTorch's public headers (it contains `executorch/`)."""
    return executorch_dir() / "include"
