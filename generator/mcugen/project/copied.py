# SPDX-License-Identifier: BSD-3-Clause
"""What a project holds that is copied as it lies: firmware, platform, licenses.

Sources of the firmware go by the name they are included by: "kernels/requantize.h".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mcugen.base.errors import TemplateError
from mcugen.base.resources import executorch_dir, firmware_dir, templates_dir
from mcugen.boards.spec import BoardSpec, Isa
from mcugen.project.headers import INCLUDE

_SOURCE_SUFFIXES = frozenset({".c", ".cpp", ".h", ".inc", ".S"})
_MAIN = "app/main.cpp"
_UPSTREAM = "upstream"
# What the name of a kernel's variant ends with.
_ISAS: Mapping[str, Isa] = {"mla": Isa.SCALAR, "dsp": Isa.DSP, "mve": Isa.MVE}
# Of Armv6-M, and of Armv8-M Baseline, which has the same registers.
_ARMV6M_CPUS = frozenset({"cortex-m0", "cortex-m0plus", "cortex-m23"})


def main_source() -> bytes:
    """Return the source of `main()`."""
    return (firmware_dir() / _MAIN).read_bytes()


def upstream_sources() -> dict[str, bytes]:
    """Return what stands for `main()` where ExecuTorch's own libraries are linked, by its path."""
    files = _sources(_UPSTREAM)
    return {f"src/{Path(p).name}": data for p, data in files.items() if p.endswith(".cpp")}


def upstream_headers() -> dict[str, bytes]:
    """Return the headers that go with `upstream_sources()`."""
    return {path: data for path, data in _sources(_UPSTREAM).items() if path.endswith(".h")}


def application_sources(board: BoardSpec, *, store: str, scalars: str) -> dict[str, bytes]:
    """Return the command server, the port and the board's drivers, without `main()`.

    store: the folder in firmware/app that says where the model comes from.
    scalars: the one whose inputs and outputs can be numbers ("runner"), or only tensors.
    """
    files = _sources("app", "port/cortex_m") | bsp_sources(board.bsp)
    del files[_MAIN]
    for path in list(files):
        folder = path.split("/")[1] if path.startswith("app/") and path.count("/") == 2 else store
        if folder != (scalars if path.endswith("/scalars.cpp") else store):
            del files[path]
    port = (firmware_dir() / "port").glob("*.h")
    return files | {f"port/{path.name}": path.read_bytes() for path in port}


def bsp_sources(family: str) -> dict[str, bytes]:
    """Return a family's drivers: its folder, what lies in `bsp/` itself, and what these include.

    A header of another folder brings the source of its name along.
    """
    available = _sources("bsp")
    queue = [path for path in available if str(Path(path).parent) in ("bsp", f"bsp/{family}")]
    files: dict[str, bytes] = {}
    while queue:
        path = queue.pop()
        if path in files or path not in available:
            continue
        files[path] = data = available[path]
        queue += (name.decode() for _, name in INCLUDE.findall(data))
        if path.endswith(".h"):
            queue.append(Path(path).with_suffix(".cpp").as_posix())
    return dict(sorted(files.items()))


def runtime_sources() -> dict[str, bytes]:
    """Return the runtime."""
    return _sources("runtime")


def operator_sources(board: BoardSpec) -> dict[str, bytes]:
    """Return all operators, and all kernels that run on the board's core."""
    files = _sources("ops", "kernels")
    return {p: data for p, data in files.items() if _variant_runs_on(Path(p).stem, board)}


def platform_files() -> dict[str, bytes]:
    """Return the PlatformIO platform, by path in its folder."""
    folder = firmware_dir() / "platform"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    }


def common_files() -> dict[str, bytes]:
    """Return the files that are the same in every project, by path in it."""
    return {
        path: (templates_dir() / name).read_bytes()
        for path, name in (
            (".gitignore", "gitignore"),
            ("LICENSE", "LICENSE"),
            ("include/README.md", "include_readme.md"),
        )
    }


def executorch_license() -> bytes:
    """Return the license text of the installed executorch wheel."""
    for folder in executorch_dir().parent.glob("executorch-*.dist-info"):
        for path in (folder / "licenses" / "LICENSE", folder / "LICENSE"):
            if path.is_file():
                return path.read_bytes()
    raise TemplateError(
        "the executorch package has no LICENSE file, and its headers must not be copied without it",
        hint="Reinstall executorch.",
    )


def _sources(*folders: str) -> dict[str, bytes]:
    root = firmware_dir()
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in _SOURCE_SUFFIXES
    }


def _variant_runs_on(stem: str, board: BoardSpec) -> bool:
    """Tell whether a file is for the board's core, as kernels/select.h chooses variants."""
    isa = _ISAS.get(stem.rpartition("_")[2])
    if isa is not None:
        return board.isa is isa
    if stem.endswith("_armv6m"):
        return board.isa is Isa.SCALAR and board.cpu in _ARMV6M_CPUS
    if stem.endswith("_armv7m"):
        return board.isa is Isa.SCALAR and board.cpu not in _ARMV6M_CPUS
    return True
