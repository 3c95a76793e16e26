# SPDX-License-Identifier: BSD-3-Clause
"""`--runtime PREFIX`: link an Arm build of ExecuTorch itself instead of firmware/runtime and ops.

docs/upstream.md says what PREFIX must hold, and how the project differs.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mcugen.base.errors import ConfigError, ToolMissingError, UnsupportedOperatorError
from mcugen.base.resources import executorch_include_dir, firmware_dir
from mcugen.base.toolchain import COMPILER, find_tool

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec
    from mcugen.program.artifact import PteArtifact

#: What every build of ExecuTorch installs; kernels are in further archives, which vary.
REQUIRED = ("libexecutorch.a", "libexecutorch_core.a")
#: Kernels, the libraries that register them, and what they call. Others are not linked.
OPTIONAL = (
    "libcortex_m_ops_lib.a",
    "libcortex_m_kernels.a",
    "libcmsis-nn.a",
    "libportable_ops_lib.a",
    "libportable_kernels.a",
    "libquantized_ops_lib.a",
    "libquantized_kernels.a",
    "libkernels_util_all_deps.a",
)
#: Where in a project they go.
FOLDER = "lib/executorch"
# What upstream's runtime takes beyond ours is not known exactly: it is reported by the device.
METHOD_FACTOR = 2
METHOD_EXTRA_BYTES = 4096
TEMP_BYTES = 8192
STACK_BYTES = 4096

# Tag_CPU_arch, as readelf prints it, that each core executes.
_V6M = ("v6-M", "v6S-M")
_V7M = (*_V6M, "v7")
_V7EM = (*_V7M, "v7E-M")
_V8M = (*_V7EM, "v8-M.baseline", "v8-M.mainline")
_ARCHITECTURES: Mapping[str, tuple[str, ...]] = {
    "cortex-m0": _V6M,
    "cortex-m0plus": _V6M,
    "cortex-m3": _V7M,
    "cortex-m4": _V7EM,
    "cortex-m7": _V7EM,
    "cortex-m33": _V8M,
    "cortex-m55": (*_V8M, "v8.1-M.mainline"),
    "cortex-m85": (*_V8M, "v8.1-M.mainline"),
}


@dataclass(frozen=True)
class Archive:
    """A static library. whole: objects in it have static constructors, so all must be linked."""

    path: Path
    whole: bool


@dataclass(frozen=True)
class UpstreamRuntime:
    """What PREFIX holds, checked for a board."""

    prefix: Path
    archives: tuple[Archive, ...]

    @property
    def include_dir(self) -> Path:
        """The include root: it contains `executorch/`."""
        return self.prefix / "include"

    def check_headers(self, paths: Iterable[str]) -> None:
        """Raise ToolMissingError unless these headers are those of the installed wheel."""
        different = []
        for path in sorted(paths):
            file = self.include_dir / path
            if not file.is_file():
                different.append(f"{path} is missing")
            elif file.read_bytes() != (executorch_include_dir() / path).read_bytes():
                different.append(f"{path} differs")
        if different:
            more = f" and {len(different) - 3} more" if len(different) > 3 else ""
            raise ToolMissingError(
                f"the headers in {self.include_dir} are not those of the installed executorch "
                f"package: {', '.join(different[:3])}{more}",
                hint=f"Build ExecuTorch {_wheel_version()}: the .pte is made by that version.",
            )

    def check_operators(self, names: Iterable[str]) -> None:
        """Raise UnsupportedOperatorError for an operator whose name is in none of the libraries.

        A kernel is registered under its name, which is therefore a string in the library.
        """
        contents = [archive.path.read_bytes() for archive in self.archives if archive.whole]
        missing = [
            name
            for name in sorted(names)
            if not any(name.encode() + b"\0" in data for data in contents)
        ]
        if missing:
            raise UnsupportedOperatorError(
                f"the ExecuTorch libraries in {self.prefix} register no kernel for "
                + ", ".join(missing),
                hint="ExecuTorch has no operators of mcugen's own: leave out --runtime."
                if all(name.startswith("mcugen::") for name in missing)
                else "Build ExecuTorch with their kernels, or leave out --runtime.",
            )


def find_runtime(prefix: Path, board: BoardSpec) -> UpstreamRuntime:
    """Return the Arm build of ExecuTorch that was installed to `prefix`.

    Raises ConfigError if there is no such folder, ToolMissingError if what is there is incomplete
    or for another core.
    """
    if not prefix.is_dir():
        raise ConfigError(
            f"--runtime {prefix}: there is no such folder",
            hint="Give the install prefix of an Arm build of ExecuTorch (CMAKE_INSTALL_PREFIX).",
        )
    prefix = prefix.absolute()
    missing = [] if (prefix / "include" / "executorch").is_dir() else ["include/executorch"]
    missing += [f"lib/{name}" for name in REQUIRED if not (prefix / "lib" / name).is_file()]
    if missing:
        raise ToolMissingError(
            f"--runtime {prefix} is not an installed ExecuTorch: it has no {', '.join(missing)}",
            hint="Build ExecuTorch for Arm bare metal, with its portable and Cortex-M operators, "
            "and cmake --install it there.",
        )
    paths = [path for name in (*REQUIRED, *OPTIONAL) if (path := prefix / "lib" / name).is_file()]
    for path in paths:
        _check_architecture(path, board)
    return UpstreamRuntime(prefix, tuple(Archive(path, _has_constructors(path)) for path in paths))


def with_room(artifact: PteArtifact) -> PteArtifact:
    """Return the artifact with memory for upstream's runtime and kernels, estimated upwards."""
    return replace(
        artifact,
        method_bytes=METHOD_FACTOR * artifact.method_bytes + METHOD_EXTRA_BYTES,
        temp_bytes=max(artifact.temp_bytes, TEMP_BYTES),
        least_stack_bytes=STACK_BYTES,
    )


def main_source() -> bytes:
    """Return the source of a `main()` that runs static constructors first."""
    return (firmware_dir() / "upstream" / "main.cpp").read_bytes()


def archives_by_path(runtime: UpstreamRuntime) -> dict[str, Archive]:
    """Return the libraries by where they go in a project."""
    return {f"{FOLDER}/{archive.path.name}": archive for archive in runtime.archives}


def _readelf(option: str, path: Path) -> str:
    readelf = find_tool(COMPILER).path.with_name("arm-none-eabi-readelf")
    try:
        result = subprocess.run(
            [readelf, option, path], capture_output=True, text=True, timeout=60, check=False
        )
    except OSError as error:
        raise ToolMissingError(f"{readelf} does not run: {error}") from error
    return result.stdout


def _check_architecture(path: Path, board: BoardSpec) -> None:
    text = _readelf("-A", path)
    found = set(re.findall(r"Tag_CPU_arch: (\S+)", text))
    allowed = _ARCHITECTURES[board.cpu]
    if not found:
        raise ToolMissingError(
            f"{path} holds no code for Arm",
            hint=f"Build ExecuTorch for {board.cpu} with arm-none-eabi-gcc.",
        )
    if found - set(allowed):
        raise ToolMissingError(
            f"{path} is for Arm {', '.join(sorted(found - set(allowed)))}, "
            f"which the {board.cpu} of {board.id} does not execute",
            hint=f"Build ExecuTorch for {board.cpu}.",
        )
    hard = "Tag_ABI_VFP_args: VFP registers" in text
    if hard != (board.float_abi == "hard") and (hard or "Tag_FP_arch" in text):
        raise ToolMissingError(
            f"{path} passes floats in {'FPU' if hard else 'core'} registers; "
            f"{board.id} is built with -mfloat-abi={board.float_abi}",
            hint=f"Build ExecuTorch with -mfloat-abi={board.float_abi}.",
        )


def _has_constructors(path: Path) -> bool:
    return re.search(r"\s\.(init_array|ctors)\b", _readelf("-SW", path)) is not None


def _wheel_version() -> str:
    from importlib import metadata

    try:
        return metadata.version("executorch")
    except metadata.PackageNotFoundError:
        return "of the same version"
