# SPDX-License-Identifier: BSD-3-Clause
"""An install prefix with the names of an Arm build of ExecuTorch, made of our own sources.

There is no such build to test with: what is tried on these libraries is everything around them.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mcugen.base.resources import executorch_include_dir, firmware_dir
from mcugen.boards.spec import BoardSpec
from mcugen.program import operator_table
from mcugen.project.headers import header_closure

_C10 = "executorch/runtime/core/portable_type/c10"
FLAGS = (
    *("-std=gnu++17", "-Os", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"),
    *("-ffp-contract=off", "-ffunction-sections", "-fdata-sections", "-DNDEBUG", "-w"),
    *("-DC10_USING_CUSTOM_GENERATED_MACROS", "-DMAX_KERNEL_NUM=200", "-DET_LOG_ENABLED=0"),
)


def copy_headers(prefix: Path) -> None:
    """Put the wheel's headers, as far as our firmware uses them, under `prefix`."""
    sources = [p.read_bytes() for p in firmware_dir().rglob("*") if p.suffix in (".h", ".cpp")]
    for path, data in header_closure(sources).items():
        target = prefix / "include" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def archive(path: Path, sources: Iterable[Path], flags: Sequence[str]) -> None:
    """Compile `sources` into the static library `path`."""
    objects = path.parent / f"{path.stem}.dir"
    objects.mkdir(parents=True)

    def compile_one(numbered: tuple[int, Path]) -> str:
        number, source = numbered
        target = str(objects / f"{number}_{source.stem}.o")
        command = ["arm-none-eabi-g++", *flags, "-c", str(source), "-o", target]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return target

    with ThreadPoolExecutor(2) as pool:
        compiled = list(pool.map(compile_one, enumerate(sources)))
    subprocess.run(["arm-none-eabi-ar", "rcsD", str(path), *compiled], check=True)
    shutil.rmtree(objects)


def make_prefix(prefix: Path, board: BoardSpec, names: Sequence[str]) -> Path:
    """Make `prefix`: our runtime, and the operators called `names`, registered at boot."""
    firmware = firmware_dir()
    copy_headers(prefix)
    include = executorch_include_dir()
    flags = [*board.machine_flags, *FLAGS, f"-I{firmware}", f"-I{include}", f"-I{include / _C10}"]
    runtime = sorted((firmware / "runtime").rglob("*.cpp"))
    defaults = [path for path in runtime if path.parent.name == "default"]
    lib = prefix / "lib"
    archive(lib / "libexecutorch_core.a", [p for p in runtime if p not in defaults], flags)
    archive(lib / "libexecutorch.a", defaults, flags)
    files = {operator_table.operator(name).file for name in names}
    ops = [
        path
        for path in sorted((firmware / "ops").rglob("*.cpp"))
        if path.relative_to(firmware / "ops").as_posix() in files
        or path.parent.name == "common"
        or not path.name.startswith("op_")
    ]
    kernels = [p for p in sorted((firmware / "kernels").glob("*.cpp")) if "_mve" not in p.stem]
    archive(lib / "libcortex_m_kernels.a", [*ops, *kernels], flags)
    rows = "".join(
        f'    Kernel("{name}", mcugen::ops::{operator_table.function_for(name)}),\n'
        for name in names
    )
    registration = prefix / "register.cpp"
    registration.write_text(
        "#include <executorch/runtime/kernel/operator_registry.h>\n#include <ops/ops.h>\n"
        "using executorch::runtime::Kernel;\n"
        f"static const Kernel kKernels[] = {{\n{rows}}};\n"
        "static const auto registered = executorch::runtime::register_kernels(\n"
        "    {kKernels, sizeof(kKernels) / sizeof(kKernels[0])});\n"
    )
    archive(lib / "libcortex_m_ops_lib.a", [registration], flags)
    return prefix
