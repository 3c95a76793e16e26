# SPDX-License-Identifier: BSD-3-Clause
"""A project's manifest: which files are ours, by sha256."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcugen.base.errors import TemplateError

MANIFEST = "mcugen/manifest.json"
MANIFEST_SCHEMA = 1
_KEYS = {
    **dict.fromkeys(("board", "env", "model", "pte_sha256", "firmware_id"), str),
    "pte_bytes": int,
    "files": dict,
}


@dataclass(frozen=True)
class FirmwareProject:
    """A project on disk, as generated."""

    root: Path
    manifest: Mapping[str, str]  #: path (with /) → sha256
    firmware_id: str  #: 16 hex digits, of everything in the project
    board_id: str
    model_name: str
    env_name: str


def read_manifest(root: Path) -> dict[str, Any]:
    """Return the manifest of the project in `root`. Raises TemplateError if there is none."""
    try:
        document = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    except OSError as error:
        raise TemplateError(
            f"{root} is not a project of mcugen: {MANIFEST} cannot be read",
            hint="Make one with: mcugen build MODEL --board BOARD",
        ) from error
    except (ValueError, RecursionError) as error:
        raise _bad_manifest(root) from error
    if (
        not isinstance(document, dict)
        or document.get("schema") != MANIFEST_SCHEMA
        or not all(isinstance(document.get(key), kind) for key, kind in _KEYS.items())
        # No path that the file system refuses by ValueError: a NUL, half of a surrogate pair.
        or not all(path.isprintable() for path in document["files"])
    ):
        raise _bad_manifest(root)
    return document


def _bad_manifest(root: Path) -> TemplateError:
    return TemplateError(
        f"{root / MANIFEST} is damaged or of another version of mcugen",
        hint="Generate into another folder, or delete this one first.",
    )


def old_manifest(root: Path) -> Mapping[str, str]:
    if not (root / MANIFEST).exists():
        return {}
    files: dict[str, str] = read_manifest(root)["files"]
    for path in files:
        # A manifest is a file anyone may edit: it must not lead out of the project.
        if path != os.path.normpath(path) or path.startswith(("/", "..")) or "\\" in path:
            raise _bad_manifest(root)
    return files
