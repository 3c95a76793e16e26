# SPDX-License-Identifier: BSD-3-Clause
"""Remove what mcugen made, and nothing else: files are told by their hash in a manifest."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from mcugen.base import cache
from mcugen.base.errors import McugenError, TemplateError
from mcugen.device import qemu
from mcugen.project import last_build
from mcugen.project.manifest import MANIFEST, read_manifest

#: Besides the projects: what last_build.py and the transcripts put into `mcugen_out`.
_OURS = ("last.json", "last.pte", "last_exported.pte")
_OUR_FOLDERS = ("transcripts", "verify")
#: Made by PlatformIO and the simulator inside a project.
_MADE_FOLDERS = (".pio", "mcugen/staged")
_MADE_FILES = (
    ".mcugen-qemu.json",
    ".mcugen-qemu.json.lock",
    "mcugen/platforms/platforms.lock",
    "mcugen/platforms/mcugen-cortexm/.piopm",
)


@dataclass
class Cleaned:
    """What was removed, and what was found and left, with the reason."""

    removed: list[Path] = field(default_factory=list)
    kept: list[tuple[Path, str]] = field(default_factory=list)


def running_elsewhere() -> tuple[int, list[str]]:
    """Return how many background simulators of this user run, and the line that says so, if any.

    Asked when those of the folder at hand have been stopped.
    """
    count = len(qemu.background_states())
    what = "simulator of another folder runs" if count == 1 else "simulators of other folders run"
    return count, [f"{count} {what}; mcugen flash --stop --all ends all"] if count else []


def clean_project(root: Path) -> Cleaned:
    """Remove the generated projects, transcripts and state in `root`/mcugen_out."""
    result = Cleaned()
    folder = last_build.out_dir(root)
    with contextlib.suppress(McugenError):
        # Also where the project is gone, with the file that says where its simulator is.
        qemu.stop_under(folder)
    if not folder.is_dir():
        return result
    for child in sorted(folder.iterdir()):
        if child.is_symlink():
            result.kept.append((child, "a link, not made by mcugen"))
        elif child.is_dir() and (child / MANIFEST).is_file():
            _remove_project(child, result)
        elif child.is_dir() and child.name in _OUR_FOLDERS:
            shutil.rmtree(child)
            result.removed.append(child)
        elif child.is_file() and (child.name in _OURS or _is_leftover(child)):
            child.unlink()
            result.removed.append(child)
        else:
            result.kept.append((child, "not made by mcugen"))
    _remove_empty(folder)
    return result


def _is_leftover(path: Path) -> bool:
    """Tell whether it is a temporary file of an interrupted write."""
    return any(path.name.startswith(f".{name}.") for name in _OURS)


def _remove_project(project: Path, result: Cleaned) -> None:
    """Remove a generated project but for files that were added or edited by hand."""
    try:
        files = read_manifest(project)["files"]
    except TemplateError as error:
        result.kept.append((project, error.message))
        return
    with contextlib.suppress(McugenError):
        qemu.stop_session(qemu.session_path(project))
    for name in _MADE_FOLDERS:
        shutil.rmtree(project / name, ignore_errors=True)
    for name in _MADE_FILES:
        (project / name).unlink(missing_ok=True)
    edited = False
    for name, digest in files.items():
        path = project / name
        if not path.resolve().is_relative_to(project.resolve()) or not path.is_file():
            continue
        if cache.file_sha256(path) == digest:
            path.unlink()
        else:
            edited = True
            result.kept.append((path, "edited by hand"))
    if not edited:
        (project / MANIFEST).unlink()
    for path in sorted(project.rglob("__pycache__")):
        shutil.rmtree(path, ignore_errors=True)
    for path in sorted(project.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            _remove_empty(path)
    _remove_empty(project)
    if project.exists():
        known = {path for path, _ in result.kept}
        for path in sorted(project.rglob("*")):
            if path.is_file() and path not in known and path != project / MANIFEST:
                result.kept.append((path, "not made by mcugen"))
    else:
        result.removed.append(project)


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
