# SPDX-License-Identifier: BSD-3-Clause
"""Put a project's files on disk.

Writing is all or nothing: files are staged inside the project and renamed into place, and what was
interrupted between two renames is finished by the next call. Unchanged files are not touched, so
PlatformIO does not rebuild them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mcugen.base.cache import CACHE_HINT, cache_dir, make_cache_dir, sha256_hex
from mcugen.base.errors import TemplateError
from mcugen.base.files import writing_to
from mcugen.base.locks import locked
from mcugen.boards.spec import BoardSpec
from mcugen.program.level import Level
from mcugen.project.board_json import env_name
from mcugen.project.manifest import (
    MANIFEST,
    MANIFEST_SCHEMA,
    FirmwareProject,
    old_manifest,
    read_manifest,
)
from mcugen.project.model_io import tensor_document

if TYPE_CHECKING:
    from mcugen.program.artifact import TensorSpec
    from mcugen.project.render import RenderedProject

_ROOM_HINT = "Generate into another folder with -o DIR, or make room."
_STAGED = "mcugen/staged"
_COMMIT = f"{_STAGED}/commit.json"


def place_project(
    project: RenderedProject,
    board: BoardSpec,
    root: Path,
    *,
    model_name: str,
    pte_bytes: int = 0,
    pte_sha256: str = "",
    inputs: Sequence[TensorSpec] = (),
    outputs: Sequence[TensorSpec] = (),
    notes: Sequence[str] = (),
    level: Level = Level.BALANCED,
) -> FirmwareProject:
    """Write a project and its manifest into `root`. pte_bytes: 0 for an image without a model."""
    manifest = {path: sha256_hex(data) for path, data in sorted(project.files.items())}
    document = {
        "schema": MANIFEST_SCHEMA,
        "board": board.id,
        "env": env_name(board),
        "model": model_name,
        "optimize": level.value,
        "pte_bytes": pte_bytes,
        "pte_sha256": pte_sha256,
        "inputs": [tensor_document(spec) for spec in inputs],
        "outputs": [tensor_document(spec) for spec in outputs],
        "notes": list(notes),
        "firmware_id": project.firmware_id,
        "files": manifest,
    }
    root = root.absolute()
    with writing_to(root, hint=_ROOM_HINT):
        if root.exists() and not root.is_dir():
            raise TemplateError(f"{root} is a file, not a folder")
        finish_interrupted_write(root)
        old = old_manifest(root)
        _refuse_foreign_files(root, project.files, old)
        stale = [path for path in old if path not in project.files]
        manifest_text = json.dumps(document, indent=2, sort_keys=True) + "\n"
        _write_all(root, {**project.files, MANIFEST: manifest_text.encode()}, stale)
    return FirmwareProject(
        root=root,
        manifest=manifest,
        firmware_id=project.firmware_id,
        board_id=board.id,
        model_name=model_name,
        env_name=env_name(board),
    )


@contextlib.contextmanager
def project_lock(root: Path) -> Iterator[None]:
    """Let one process at a time write and build the project in `root`; the others wait.

    The lock lies in the cache: a project's folder is put in place as a whole.
    """
    folder = cache_dir() / "locks"
    with writing_to(cache_dir(), hint=CACHE_HINT):
        make_cache_dir()
        folder.mkdir(exist_ok=True)
    with locked(folder / sha256_hex(str(root.resolve()).encode())[:16], hint=CACHE_HINT):
        yield


def load_project(root: Path) -> FirmwareProject:
    """Return the project that was written to `root`. Raises TemplateError if there is none."""
    finish_interrupted_write(root)
    document = read_manifest(root)
    return FirmwareProject(
        root=root.absolute(),
        manifest=document["files"],
        firmware_id=document["firmware_id"],
        board_id=document["board"],
        model_name=document["model"],
        env_name=document["env"],
    )


def finish_interrupted_write(root: Path) -> None:
    """Complete, or drop, what an earlier call left when it was killed in the middle."""
    if (root / _COMMIT).is_file():
        _commit(root)
    elif (root / _STAGED).is_dir():
        shutil.rmtree(root / _STAGED)


def _refuse_foreign_files(root: Path, files: Mapping[str, bytes], old: Mapping[str, str]) -> None:
    """Raise TemplateError if writing would destroy something that mcugen did not write."""
    edited: list[str] = []
    foreign: list[str] = []
    for path in sorted({*files, *old}):
        try:
            on_disk = sha256_hex((root / path).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise TemplateError(f"{root / path} cannot be read: {error.strerror}") from error
        if on_disk == old.get(path) or (path in files and on_disk == sha256_hex(files[path])):
            continue
        (edited if path in old else foreign).append(path)
    for paths, what, hint in (
        (
            edited,
            "was edited since mcugen wrote it",
            "Keep the edit: generate elsewhere with -o DIR. Drop it: delete the file.",
        ),
        (
            foreign,
            "is in the way and was not written by mcugen",
            "Choose an empty folder with -o DIR.",
        ),
    ):
        if paths:
            more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
            raise TemplateError(f"{root / paths[0]} {what}{more}", hint=hint)


def _write_all(root: Path, files: Mapping[str, bytes], stale: Sequence[str]) -> None:
    changed = {p: d for p, d in sorted(files.items()) if not _holds(root / p, d)}
    if not changed and not any((root / path).exists() for path in stale):
        return
    if not root.exists():
        _write_new(root, files)
        return
    staged = root / _STAGED
    try:
        for path, data in changed.items():
            target = staged / "files" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        plan = {"replace": list(changed), "remove": list(stale)}
        (staged / "commit.new").write_text(json.dumps(plan), encoding="utf-8")
        with _interrupts_deferred():
            os.replace(staged / "commit.new", root / _COMMIT)
            _commit(root)
    except BaseException:
        if not (root / _COMMIT).exists():  # else the next call completes it
            shutil.rmtree(staged, ignore_errors=True)
        raise


def _write_new(root: Path, files: Mapping[str, bytes]) -> None:
    root.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
    try:
        staged.chmod(0o755)
        for path, data in files.items():
            (staged / path).parent.mkdir(parents=True, exist_ok=True)
            (staged / path).write_bytes(data)
        os.replace(staged, root)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def _commit(root: Path) -> None:
    """Do what commit.json says. May be repeated after any interruption."""
    plan = json.loads((root / _COMMIT).read_text(encoding="utf-8"))
    for path in plan["remove"]:
        (root / path).unlink(missing_ok=True)
        for parent in (root / path).parents:
            if parent == root or not _remove_if_empty(parent):
                break
    # The manifest goes last: until then, an edit check sees the old one.
    for path in sorted(plan["replace"], key=lambda path: path == MANIFEST):
        source = root / _STAGED / "files" / path
        if source.exists():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, root / path)
    (root / _COMMIT).unlink()
    shutil.rmtree(root / _STAGED)


def _remove_if_empty(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.rmdir()
        return True
    return False


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


@contextlib.contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Let Ctrl-C and a polite kill wait for the few milliseconds of the renames."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    previous = {
        number: signal.signal(number, lambda number, _frame: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for caught in received:
            signal.raise_signal(caught)
