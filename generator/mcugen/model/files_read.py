# SPDX-License-Identifier: BSD-3-Clause
"""Which files of the user's own a block of code reads."""

from __future__ import annotations

import contextlib
import importlib.util
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
    cache key), nor does what C++ code opens by itself.
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
