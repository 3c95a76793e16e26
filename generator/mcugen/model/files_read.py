# SPDX-License-Identifier: BSD-3-Clause
"""Which files of the user's own a block of code reads."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mcugen.base.resources import package_dir

_opened: set[str] | None = None
_hook_installed = False


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _opened is not None and event == "open" and isinstance(args[0], str):
        mode = args[1]
        if mode is None or "r" in str(mode):
            _opened.add(args[0])


@contextlib.contextmanager
def files_read() -> Iterator[set[Path]]:
    """Collect the user's files that Python opens in the block: modules, weights, configuration.

    The interpreter's own files and installed packages do not count (their versions are part of the
    cache key), nor does what C++ code opens by itself: see library_files.
    """
    global _opened, _hook_installed
    if not _hook_installed:
        sys.addaudithook(_audit)  # Cannot be removed; does nothing while `_opened` is None.
        _hook_installed = True
    files: set[Path] = set()
    _opened = set()
    try:
        yield files
    finally:
        opened, _opened = _opened, None
        files.update(_own_files(opened))


#: Libraries that open files without Python's knowledge, and what these are called.
_LIBRARIES = {
    "safetensors": (".safetensors",),
    "h5py": (".h5", ".hdf5", ".keras"),
    "pyarrow": (".parquet", ".arrow", ".feather"),
}
#: Folders with more files than that are a data set or a home, not a model's.
_MOST_LOOKED_AT = 20_000


def library_files(folder: Path) -> set[Path]:
    """Return files below a folder that libraries which are loaded may have read unseen.

    That is all of their kind: one that was not read makes nothing wrong, only made anew.
    """
    suffixes = [
        suffix for name, kinds in _LIBRARIES.items() if name in sys.modules for suffix in kinds
    ]
    found: set[Path] = set()
    looked_at = 0
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__", "mcugen_out"))]
        looked_at += len(names)
        if not suffixes or looked_at > _MOST_LOOKED_AT:
            break
        found |= {Path(at, name) for name in names if name.endswith(tuple(suffixes))}
    return found


# Not all of /usr: containers keep a user's own files in /usr/src.
_SYSTEM_FOLDERS = (
    *("/proc/", "/sys/", "/dev/", "/etc/", "/usr/bin/"),
    *("/usr/lib", "/usr/share/", "/usr/local/lib"),
)


def _own_files(opened: Iterable[str]) -> Iterator[Path]:
    installed = {Path(p).resolve() for p in (sys.prefix, sys.base_prefix, package_dir())}
    for name in opened:
        path = Path(name)
        if path.suffix == ".pyc":
            with contextlib.suppress(ValueError, NotImplementedError):
                path = Path(importlib.util.source_from_cache(name))
        with contextlib.suppress(OSError):
            path = path.resolve()
            system = str(path).startswith(_SYSTEM_FOLDERS)
            if path.is_file() and not system and not installed & set(path.parents):
                yield path
