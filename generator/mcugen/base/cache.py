# SPDX-License-Identifier: BSD-3-Clause
"""Results kept between runs, by the hash of what they were made from.

An entry is a folder of files plus `manifest.json`, which lists each file's sha256. It is written to
a temporary folder and renamed into place, so an interrupted run leaves either the whole entry or
none of it. An entry whose files do not match their hashes is thrown away and made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

import platformdirs

from mcugen.base.ownership import refuse_shared
from mcugen.base.resources import package_dir

_FORMAT = 1
_ENV = "MCUGEN_CACHE_DIR"
CACHE_HINT = f"Choose another folder with {_ENV}."


def cache_dir() -> Path:
    """Return mcugen's cache folder: `$MCUGEN_CACHE_DIR`, else the platform's user cache folder.

    Raises ConfigError if others could put entries there: they are trusted, and toolchains run.
    """
    override = os.environ.get(_ENV)
    folder = (
        Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("mcugen"))
    )
    refuse_shared(
        folder,
        what="the cache folder",
        hint=f"Set {_ENV} to a folder of your own, or 'chmod go-w' this one once it is emptied.",
    )
    return folder


def make_cache_dir() -> Path:
    """Return the cache folder, made for this user alone to write, whatever the umask."""
    folder = cache_dir()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder


def sha256_hex(data: bytes) -> str:
    """Return the sha256 of `data` as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_key(**parts: object) -> str:
    """Return 32 hex digits that change when any of `parts` (JSON-able values) changes."""
    text = json.dumps({"format": _FORMAT, **parts}, sort_keys=True, separators=(",", ":"))
    return sha256_hex(text.encode())[:32]


@cache
def package_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Return {package: installed version}; "none" for a package that is not installed."""
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "none"
    return versions


@cache
def source_hash(relative_paths: tuple[str, ...]) -> str:
    """Return one hash over files and folders (their modules) of this package, relative to it."""
    package = package_dir()
    names: set[str] = set()
    for given in relative_paths:
        path = package / given
        modules = path.rglob("*.py") if path.is_dir() else (path,)
        names.update(each.relative_to(package).as_posix() for each in modules)
    digest = hashlib.sha256()
    for name in sorted(names):
        path = package / name
        digest.update(f"{name}\0".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def load(kind: str, key: str) -> dict[str, bytes] | None:
    """Return the files of an entry, or None if there is no undamaged one."""
    folder = cache_dir() / kind / key
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        files = {name: (folder / name).read_bytes() for name in manifest["files"]}
        sound = all(sha256_hex(files[n]) == want for n, want in manifest["files"].items())
    except FileNotFoundError:
        if not folder.is_dir():
            return None
        sound = False
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        _discard(folder)
        return None
    return files


def store(kind: str, key: str, files: Mapping[str, bytes]) -> None:
    """Keep `files` (name to bytes) as one entry; an entry already there is replaced.

    A cache that cannot be written (read-only, full) is not an error: the next run computes again.
    """
    parent = cache_dir() / kind
    try:
        make_cache_dir()
        parent.mkdir(exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=parent))
    except OSError:
        return
    try:
        for name, data in files.items():
            (staging / name).write_bytes(data)
        manifest = {"files": {name: sha256_hex(data) for name, data in files.items()}}
        (staging / "manifest.json").write_text(json.dumps(manifest, sort_keys=True, indent=1))
        target = parent / key
        try:
            os.rename(staging, target)
        except OSError:
            # Another process put its entry there first, or an old one is in the way.
            _discard(target)
            os.rename(staging, target)
    except OSError:
        pass
    finally:
        shutil.rmtree(staging, ignore_errors=True)


#: Every folder that mcugen makes in its cache.
KINDS = (
    *("artifacts", "pte", "arranged", "forms", "checked", "costs", "arguments"),
    *("weights", "accuracy", "reference", "tfds", "platformio", "objects"),
)


def clear(kinds: Iterable[str] = KINDS) -> int:
    """Remove entries of the given kinds; return the bytes freed.

    Nothing else in the cache folder is touched: it may be one that other programs use too.
    """
    root = cache_dir()
    freed = 0
    for folder in (root / kind for kind in kinds):
        if not folder.is_dir():
            continue
        for path in folder.rglob("*"):
            with contextlib.suppress(OSError):
                if path.is_file() and not path.is_symlink():
                    freed += path.stat().st_size
        shutil.rmtree(folder, ignore_errors=True)
    return freed


def _discard(folder: Path) -> None:
    """Remove an entry: renamed first, so that nobody reads a half-removed one."""
    try:
        grave = Path(tempfile.mkdtemp(prefix=".discard-", dir=folder.parent))
        os.rename(folder, grave / "entry")
        shutil.rmtree(grave, ignore_errors=True)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
