# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen.lock`: what a build was made of, and a build that refuses to be made of anything else.

The file is JSON. It lies beside `mcugen.toml` where there is one, else in the generated project. An
entry for each model and board has, by section: versions, sources (hashes of what mcugen itself is
made of), files (the user's, by path), calibration, flags, results. `mcugen build` writes it;
`--locked` compares, first what is known before anything is built, then the `.pte`, then the image.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen import __version__
from mcugen.base import cache
from mcugen.base.errors import LockError, ToolMissingError
from mcugen.base.files import write_atomically
from mcugen.flow.paths import show_path, slug

if TYPE_CHECKING:
    from mcugen.export.lowering_report import LoweringReport
    from mcugen.flow.settings import Settings
    from mcugen.program.artifact import PteArtifact
    from mcugen.project.build import BuiltImage

CONFIG_NAME = "mcugen.toml"
LOCK_NAME = "mcugen.lock"
_SCHEMA = "mcugen.lock/1"
_PACKAGES = ("torch", "executorch", "torchao", "numpy", "platformio")
#: Settings that change nothing in a build, or are named apart.
_NO_FLAGS = frozenset(
    {"root", "model", "board", "output", "simulate", "device", "samples", "runs", "warmups"}
) | {"timeout_s", "trust", "data", "metric", "max_drop"}
#: From mcugen_out/PROJECT to the folder in which one works.
_UPWARDS = 2
#: Where each kind of difference leads.
_WHAT_TO_DO = {
    "versions": "install the locked version",
    "sources": "check out the mcugen that wrote the lock",
    "files": "restore the file",
    "calibration": "restore the calibration data",
    "flags": "give the locked value",
    "results": "its inputs are as locked, so something unknown differs: please report it",
}
Section = Mapping[str, Any]
Entry = dict[str, dict[str, Any]]


def lock_path(settings: Settings) -> Path:
    """Return where the lock of a build lies: beside `mcugen.toml`, else in the project."""
    if (settings.root / CONFIG_NAME).is_file():
        return settings.root / LOCK_NAME
    return project_folder(settings) / LOCK_NAME


def project_folder(settings: Settings) -> Path:
    """Return where the project of a build goes."""
    from mcugen.model.source import resolve_model
    from mcugen.project import last_build

    name = f"{slug(resolve_model(settings.model).name)}-{settings.board.id}"
    return settings.output or last_build.out_dir(settings.root) / name


def known_before(settings: Settings, lock: Path) -> Entry:
    """Return the sections that are known before anything is built; no torch is imported."""
    from mcugen.export.pipeline import identity
    from mcugen.model.source import resolve_model

    ref = resolve_model(settings.model)
    files = {} if ref.path is None else {_shown(ref.path, lock): cache.file_sha256(ref.path)}
    sources = {"mcugen": _own_hash()}
    if ref.info is not None:
        sources["model"] = identity(ref)["source"]
    return {
        "versions": {"mcugen": __version__, **cache.package_versions(_PACKAGES), **_compiler()},
        "sources": sources,
        "files": files | _calibration_files(settings, lock),
        "flags": _flags(settings, lock),
    }


def known_lowered(lowering: LoweringReport, artifact: PteArtifact, lock: Path) -> Entry:
    """Return the sections that are known once there is a `.pte`."""
    from mcugen.export.calibration import SEED

    return {
        "files": {
            _shown(Path(path), lock): digest for path, digest in lowering.dependencies.items()
        },
        "calibration": {
            "data": lowering.calibration,
            "samples": lowering.calibration_samples,
            "seed": SEED,
            "sha256": lowering.calibration_sha256,
        },
        "results": {"pte": artifact.sha256},
    }


def known_built(image: BuiltImage) -> Entry:
    """Return what is known of the image."""
    return {
        "results": {
            "firmware": image.firmware_id,
            "elf": cache.file_sha256(image.elf),
        }
    }


def merged(*entries: Entry) -> Entry:
    """Return several entries' sections as one."""
    result: Entry = {}
    for entry in entries:
        for section, values in entry.items():
            result.setdefault(section, {}).update(values)
    return result


def write(settings: Settings, lock: Path, entry: Entry) -> None:
    """Put an entry into the lock, beside those of other models and boards."""
    document = {"schema": _SCHEMA, "builds": {**_builds(lock, missing={}), _key(settings): entry}}
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if not lock.is_file() or lock.read_text(encoding="utf-8") != text:
        write_atomically(lock, text.encode())


def read(settings: Settings, lock: Path) -> Entry:
    """Return the entry of a build. Raises LockError if there is none, or the lock is damaged."""
    builds = _builds(lock, missing=None)
    try:
        entry: Entry = builds[_key(settings)]
    except KeyError:
        raise LockError(
            f"{show_path(lock)} has no entry for {_key(settings)}; it has: "
            + (", ".join(sorted(builds)) or "none"),
            hint="Build it once without --locked, which writes the entry.",
        ) from None
    return entry


def refuse_differences(locked: Entry, present: Entry, lock: Path, *, complete: bool) -> None:
    """Raise LockError naming each thing that differs from what is locked.

    Args:
        locked: the lock's entry.
        present: what is known now.
        lock: the lock's path.
        complete: whether `present` has all files; else the others of the lock are looked at.
    """
    differences = []
    for section, values in present.items():
        known = dict(locked.get(section, {}))
        if section == "files" and not complete:
            values = {**_files_now(known, lock), **values}
        names = sorted({*known, *values}) if complete or section == "files" else sorted(values)
        for name in names:
            if section == "results" and name not in values:
                continue
            old, new = known.get(name), values.get(name)
            if old != new:
                differences.append(
                    f"{section}.{name}: locked {_value(old)}, now {_value(new)}; "
                    f"{_WHAT_TO_DO[section]}"
                )
    if differences:
        count = "1 thing differs" if len(differences) == 1 else f"{len(differences)} things differ"
        raise LockError(
            f"{count} from {show_path(lock)}:\n  " + "\n  ".join(differences),
            hint="Or build without --locked, which writes the lock anew.",
        )


def _builds(lock: Path, missing: dict[str, Any] | None) -> dict[str, Any]:
    try:
        document = json.loads(lock.read_text(encoding="utf-8"))
        if document["schema"] != _SCHEMA or not isinstance(document["builds"], dict):
            raise ValueError(document["schema"])
    except FileNotFoundError:
        if missing is not None:
            return missing
        raise LockError(
            f"there is no {show_path(lock)} to compare with",
            hint="Build once without --locked, which writes it.",
        ) from None
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        if missing is not None:
            return missing
        raise LockError(
            f"{show_path(lock)} is not a lock of this mcugen ({_SCHEMA})",
            hint="Restore it, or build without --locked, which writes it anew.",
        ) from error
    builds: dict[str, Any] = document["builds"]
    return builds


def _key(settings: Settings) -> str:
    from mcugen.model.source import resolve_model

    return f"{resolve_model(settings.model).name} for {settings.board.id}"


def _flags(settings: Settings, lock: Path) -> dict[str, Any]:
    """Return every setting that may change a result, those to come among them."""
    found: dict[str, Any] = {}
    for field in fields(settings):
        if field.name in _NO_FLAGS:
            continue
        value = _plain(getattr(settings, field.name), lock)
        if isinstance(value, dict):  # so that what differs of several options is named
            found |= {f"{field.name}.{key}": each for key, each in value.items()}
        else:
            found[field.name] = value
    path, behind = _calibration_source(settings)
    if path is not None:
        prefix = "tfds:" if str(settings.calibrate).startswith("tfds:") else ""
        found["calibrate"] = f"{prefix}{_shown(path, lock)}{behind}"
    found["cpu"] = settings.board.cpu
    return found


def _plain(value: Any, lock: Path) -> Any:
    """Return a setting as JSON gives it back."""
    if isinstance(value, Path):
        return _shown(value, lock)
    told = value.to_json() if hasattr(value, "to_json") else value
    return json.loads(json.dumps(told, default=repr))


def _calibration_files(settings: Settings, lock: Path) -> dict[str, Any]:
    """Return the hash of what `--calibrate` names, if that is a file or a folder."""
    path, _ = _calibration_source(settings)
    return {} if path is None else {_shown(path, lock): _tree_sha256(path)}


def _calibration_source(settings: Settings) -> tuple[Path | None, str]:
    """Return the file or folder that `--calibrate` names, if there is one, and what follows it."""
    from mcugen.model.data import source_parts

    path, behind = source_parts(settings.calibrate or "random")
    return (path, behind) if path is not None and path.exists() else (None, "")


def _files_now(known: Section, lock: Path) -> dict[str, Any]:
    """Return the hashes of the locked files as they are."""
    found: dict[str, Any] = {}
    for name in known:
        path = lock.parent / name
        found[name] = _tree_sha256(path) if path.exists() else None
    return found


def _tree_sha256(path: Path) -> str:
    if path.is_file():
        return cache.file_sha256(path)
    digest = hashlib.sha256()
    files = (each for each in path.rglob("*") if "__pycache__" not in each.parts)
    for each in sorted(each for each in files if each.is_file()):
        digest.update(f"{each.relative_to(path).as_posix()}\0{cache.file_sha256(each)}\0".encode())
    return digest.hexdigest()


@functools.cache
def _own_hash() -> str:
    """Return one hash over the package, the firmware, the templates and the boards."""
    from mcugen.base.resources import boards_dir, firmware_dir, templates_dir

    digest = hashlib.sha256(cache.source_hash((".",)).encode())
    for folder in (firmware_dir(), templates_dir(), boards_dir()):
        digest.update(_tree_sha256(folder).encode())
    return digest.hexdigest()


def _compiler() -> dict[str, str]:
    from mcugen.base.toolchain import COMPILER, find_tool

    try:
        return {COMPILER: find_tool(COMPILER).description}
    except ToolMissingError:
        return {COMPILER: "none"}


def _shown(path: Path, lock: Path) -> str:
    """Return a path as the lock has it: from its own folder where it lies near that."""
    resolved = path.resolve()
    relative = Path(os.path.relpath(resolved, lock.parent.resolve()))
    return (relative if relative.parts.count("..") <= _UPWARDS else resolved).as_posix()


def _value(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    is_hash = len(text) == 64 and all(each in "0123456789abcdef" for each in text)
    return f"{text[:12]}…" if is_hash else text
