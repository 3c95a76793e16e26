# SPDX-License-Identifier: BSD-3-Clause
"""What a project holds that is copied as it lies: firmware, headers, platform, licenses."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

from mcugen.base.errors import TemplateError
from mcugen.base.resources import (
    executorch_dir,
    executorch_include_dir,
    firmware_dir,
    templates_dir,
)
from mcugen.boards.spec import BoardSpec, Isa

PLATFORM = "mcugen/platforms/mcugen-cortexm"
RUNTIME = "lib/mcugen_runtime"
KERNELS = "lib/mcugen_kernels"
_SOURCE_SUFFIXES = frozenset({".c", ".cpp", ".h", ".inc", ".S"})
# Where a header inside executorch/ is looked up: as the firmware's include paths do.
C10 = "executorch/runtime/core/portable_type/c10"
_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def header_closure(sources: Sequence[bytes]) -> dict[str, bytes]:
    """Return the ExecuTorch headers that `sources` need, directly or not: path → contents.

    Paths are relative to ExecuTorch's include root. Every `#include` counts, taken or not, so the
    result does not depend on macros; names that are not in the wheel are the toolchain's.
    """
    root = executorch_include_dir()
    found: dict[str, bytes] = {}
    queue = [(PurePosixPath(), data) for data in sources]
    while queue:
        folder, data = queue.pop()
        for match in _INCLUDE.finditer(data):
            name = match[2].decode(errors="replace")
            places = [PurePosixPath(name), PurePosixPath(C10) / name]
            if match[1] == b'"':
                places.insert(0, folder / name)
            for place in places:
                path = os.path.normpath(place.as_posix()).replace(os.sep, "/")
                if path in found:
                    break
                contents = _header(path) if path.startswith("executorch/") else None
                if contents is not None:
                    found[path] = contents
                    queue.append((PurePosixPath(path).parent, contents))
                    break
    assert all((root / path).is_file() for path in found)
    return found


@cache
def _header(path: str) -> bytes | None:
    file = executorch_include_dir() / path
    return file.read_bytes() if file.is_file() else None


@cache
def copied_files(board: BoardSpec) -> Mapping[str, bytes]:
    """Return what is copied as it lies: firmware, platform, headers, licenses."""
    firmware = firmware_dir()
    files: dict[str, bytes] = {}
    for folder in ("runtime", "ops", "app", "port/cortex_m", f"bsp/{board.bsp}"):
        for path in _sources(firmware / folder):
            files[f"{RUNTIME}/{path.relative_to(firmware).as_posix()}"] = path.read_bytes()
    for path in (firmware / "port").glob("*.h"):
        files[f"{RUNTIME}/port/{path.name}"] = path.read_bytes()
    files["src/main.cpp"] = files.pop(f"{RUNTIME}/app/main.cpp", b"")
    for path in _sources(firmware / "kernels"):
        if _kernel_variant_runs_on(path.stem, board.isa):
            files[f"{KERNELS}/{path.relative_to(firmware).as_posix()}"] = path.read_bytes()
    for path in sorted((firmware / "platform").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md":
            files[f"{PLATFORM}/{path.relative_to(firmware / 'platform').as_posix()}"] = (
                path.read_bytes()
            )
    generated = b"#include <executorch/runtime/kernel/operator_registry.h>\n"
    for header, data in header_closure([*files.values(), generated]).items():
        files[f"{RUNTIME}/{header}"] = data
    files[f"{RUNTIME}/executorch/LICENSE"] = _executorch_license()
    files[".gitignore"] = (templates_dir() / "gitignore").read_bytes()
    files["LICENSE"] = (templates_dir() / "LICENSE").read_bytes()
    files["include/README.md"] = (templates_dir() / "include_readme.md").read_bytes()
    return files


def _sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _SOURCE_SUFFIXES)


def _kernel_variant_runs_on(stem: str, isa: Isa) -> bool:
    """Tell whether the compiler accepts the file: a variant's guard is an #error."""
    if stem.endswith("_mve"):
        return isa is Isa.MVE
    if stem.endswith("_dsp"):
        return isa is not Isa.SCALAR
    return True


def _executorch_license() -> bytes:
    """Return the license text of the installed executorch wheel."""
    for folder in executorch_dir().parent.glob("executorch-*.dist-info"):
        for path in (folder / "licenses" / "LICENSE", folder / "LICENSE"):
            if path.is_file():
                return path.read_bytes()
    raise TemplateError(
        "the executorch package has no LICENSE file, and its headers must not be copied without it",
        hint="Reinstall executorch.",
    )
