# SPDX-License-Identifier: BSD-3-Clause
"""What an image was made of: the project's files, the compiler, the C and C++ libraries.

A library that a package upgrade replaces changes neither the project nor the compiler, so its files
are noted by size and time before anything is compiled; to look at them again takes a millisecond.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mcugen.base.cache import file_sha256
from mcugen.base.files import write_atomically, writing_to
from mcugen.base.toolchain import Tool

_SCHEMA = 2
# Not part of what is built: results, caches, and what PlatformIO and Python leave behind.
_IGNORED_DIRS = frozenset({".pio", ".git", "__pycache__", "staged"})
_IGNORED_FILES = re.compile(
    r"^(mcugen\.lock|\.mcugen-qemu\.json.*|\.piopm|platforms\.lock|.*\.md)$"
)
# What firmware/platform/builder/main.py links with, beside the project's own.
_LINKED = ("libc_nano.a", "libm.a", "libnosys.a", "libstdc++_nano.a", "libgcc.a", "nano.specs")
_HEADERS = b"#include <newlib.h>\n#include <cstdlib>\n#include <cstring>\n#include <cmath>\n"


def make_stamp(root: Path, compiler: Tool) -> dict[str, Any]:
    """Return what the project's image depends on, but for libraries."""
    return {
        "schema": _SCHEMA,
        "tree": tree_digest(root),
        "compiler": [str(compiler.path), compiler.description],
    }


def is_built(stamp_path: Path, stamp: Mapping[str, Any], elf: Path) -> bool:
    """Tell whether `elf` is what was built when `stamp` was the same."""
    try:
        recorded = json.loads(stamp_path.read_text(encoding="utf-8"))
        return bool(recorded == {**stamp, "elf": file_sha256(elf)})
    except (OSError, ValueError, RecursionError):
        return False


def record_build(stamp_path: Path, stamp: Mapping[str, Any], elf: Path) -> None:
    """Write down that `elf` was built."""
    _write_json(stamp_path, {**stamp, "elf": file_sha256(elf)})


def record_libraries(path: Path, compiler: Tool, machine_flags: Sequence[str]) -> None:
    """Write down which files of the C and C++ libraries are about to be compiled and linked."""
    headers = _ask(compiler, *machine_flags, "-M", "-x", "c++", "-", stdin=_HEADERS)
    folders = _ask(compiler, *machine_flags, "-print-search-dirs")
    files = {Path(name) for name in re.findall(r"/\S+", headers)}
    match = re.search(r"^libraries: =(.*)$", folders, re.MULTILINE)
    places = [Path(folder) for folder in match[1].split(os.pathsep)] if match else []
    for name in _LINKED:
        files |= set([place / name for place in places if (place / name).is_file()][:1])
    _write_json(path, {str(file): _state(str(file)) for file in sorted(files)})


def libraries_changed(path: Path) -> bool | None:
    """Tell whether a library changed since it was written down; None if that never happened."""
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))
        return any(_state(name) != state for name, state in recorded.items())
    except (OSError, ValueError, RecursionError, AttributeError):
        return None


def tree_digest(root: Path) -> str:
    """Return a hash of every file of the project, edited or not, ours or the user's."""
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _IGNORED_DIRS)
        for name in sorted(names):
            if not _IGNORED_FILES.match(name):
                path = Path(folder, name)
                digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
                # An editor's lock file may be a link to nothing.
                content = file_sha256(path) if path.is_file() else "no file"
                digest.update(content.encode())
    return digest.hexdigest()


def _ask(compiler: Tool, *arguments: str, stdin: bytes = b"") -> str:
    """Return what the compiler says; nothing if it fails, as the build then will, too."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(
            [compiler.path, *arguments], input=stdin, capture_output=True, timeout=20, check=True
        ).stdout.decode(errors="replace")
    return ""


def _state(name: str) -> list[int] | None:
    try:
        status = os.stat(name)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    with writing_to(path.parent):
        write_atomically(path, (json.dumps(document, indent=2) + "\n").encode())
