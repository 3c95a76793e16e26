# SPDX-License-Identifier: BSD-3-Clause
"""An install prefix of ExecuTorch, checked for a board and a model; what a project takes of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mcugen.base.errors import ConfigError, ToolMissingError, UnsupportedOperatorError
from mcugen.base.resources import executorch_include_dir
from mcugen.boards.spec import Isa
from mcugen.project.upstream.archives import Archive
from mcugen.project.upstream.kernels import UpstreamKernel, upstream_kernel

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec

#: What every build of ExecuTorch installs.
REQUIRED = ("libexecutorch.a", "libexecutorch_core.a")
#: Kernels and what they call. With those above they are linked into every project.
KERNELS = (
    "libcortex_m_kernels.a",
    "libcmsis-nn.a",
    "libportable_kernels.a",
    "libquantized_kernels.a",
    "libkernels_util_all_deps.a",
)
#: Registration of all kernels of a kind, or of a selection: linked only where the project cannot
#: register a kernel itself. Preferred in this order.
REGISTERING = (
    "libexecutorch_selected_kernels.a",
    "libcortex_m_ops_lib.a",
    "libquantized_ops_lib.a",
    "libportable_ops_lib.a",
)

#: Begins the names of operators that are ours: what ExecuTorch calls custom ones.
OURS = "mcugen::"

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
class Linked:
    """What a model's project takes of a prefix."""

    kernels: tuple[UpstreamKernel, ...]  #: registered by the project
    ours: tuple[str, ...]  #: operators that ExecuTorch does not have; registered by it, too
    archives: tuple[Archive, ...]


@dataclass(frozen=True)
class UpstreamRuntime:
    """What PREFIX holds, checked for a board."""

    prefix: Path
    archives: tuple[Archive, ...]  #: runtime and kernels
    registering: tuple[Archive, ...]

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

    def link(self, operators: Collection[str]) -> Linked:
        """Return what to link for a model that calls these operators.

        A kernel whose function is in a library is registered by the project itself, as is an
        operator of ours. A library that registers kernels is linked only for what is left: one at
        most if one will do.

        Raises UnsupportedOperatorError for an operator without a kernel, ToolMissingError if a
        kernel would be registered twice, which ExecuTorch answers with an abort at boot.
        """
        functions = frozenset[str]().union(*(each.functions for each in self.archives))
        _check_once([each for each in self.archives if each.whole])
        registered = frozenset[str]().union(*(each.registers for each in self.archives))
        own: dict[str, UpstreamKernel] = {}
        left: set[str] = set()
        ours = {name for name in operators if name.startswith(OURS)} - registered
        for name in set(operators) - registered - ours:
            kernel = upstream_kernel(name)
            if kernel is not None and kernel.qualified in functions:
                own[name] = kernel
            else:
                left.add(name)
        chosen = self._registering(left)
        _check_once([*(each for each in self.archives if each.whole), *chosen])
        for archive in chosen:
            own = {name: each for name, each in own.items() if name not in archive.registers}
            ours -= archive.registers
        return Linked(
            tuple(kernel for _, kernel in sorted(own.items())),
            tuple(sorted(ours)),
            (*chosen, *self.archives),
        )

    def _registering(self, operators: set[str]) -> list[Archive]:
        """Return the libraries that register these operators."""
        if not operators:
            return []
        for archive in self.registering:
            if operators <= archive.registers:
                return [archive]
        chosen = []
        left = set(operators)
        for archive in self.registering:
            if left & archive.registers:
                chosen.append(archive)
                left -= archive.registers
        if left:
            raise UnsupportedOperatorError(
                f"the ExecuTorch libraries in {self.prefix} have no kernel for "
                + ", ".join(sorted(left)),
                hint="Build ExecuTorch with their kernels, or leave out --runtime.",
            )
        return chosen


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
            "and cmake --install it there; docs/upstream.md has the options.",
        )
    runtime = UpstreamRuntime(
        prefix, _archives(prefix, (*REQUIRED, *KERNELS)), _archives(prefix, REGISTERING)
    )
    for archive in (*runtime.archives, *runtime.registering):
        _check_core(archive, board)
    return runtime


def _archives(prefix: Path, names: Iterable[str]) -> tuple[Archive, ...]:
    paths = (prefix / "lib" / name for name in names)
    return tuple(Archive(path) for path in paths if path.is_file())


def _check_once(archives: Iterable[Archive]) -> None:
    """Raise ToolMissingError if two libraries register the same kernel."""
    by: dict[str, str] = {}
    twice: dict[str, str] = {}
    for archive in archives:
        for name in sorted(archive.registers):
            if name in by:
                twice[name] = f"{by[name]} and {archive.path.name}"
            by[name] = archive.path.name
    if twice:
        name, where = min(twice.items())
        more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
        raise ToolMissingError(
            f"{where} both register {name}{more}: ExecuTorch aborts at boot when a kernel is "
            "registered twice",
            hint="Take one of the two libraries out of PREFIX/lib.",
        )


def _check_core(archive: Archive, board: BoardSpec) -> None:
    """Raise ToolMissingError unless every object of the library is made for the board."""
    path = archive.path
    if not archive.members:
        raise ToolMissingError(
            f"{path} holds no code for Arm",
            hint=f"Build ExecuTorch for {board.cpu} with arm-none-eabi-gcc.",
        )
    foreign = {each.architecture for each in archive.members} - set(_ARCHITECTURES[board.cpu])
    if foreign:
        raise ToolMissingError(
            f"{path} is for Arm {', '.join(sorted(foreign))}, "
            f"which the {board.cpu} of {board.id} does not execute",
            hint=f"Build ExecuTorch for {board.cpu}.",
        )
    # The kernels would still run, but a model is lowered for one instruction set: its linear layers
    # carry other constants for Helium, and the numbers come out wrong without a word.
    mve = board.isa is Isa.MVE
    for member in archive.members:
        if member.mve != mve:
            raise ToolMissingError(
                f"{path} ({member.name}) is compiled {'with' if member.mve else 'without'} Helium "
                f"(MVE); {board.id} and the models lowered for it are {board.isa.value}",
                hint=f"Build ExecuTorch with {' '.join(board.machine_flags)}.",
            )
    # Also where no float is passed: the linker compares what the compiler says of each object.
    hard = board.float_abi == "hard"
    for member in archive.members:
        if member.hard_float not in (None, hard):
            raise ToolMissingError(
                f"{path} ({member.name}) passes floats in "
                f"{'FPU' if member.hard_float else 'core'} registers; "
                f"{board.id} is built with -mfloat-abi={board.float_abi}",
                hint=f"Build ExecuTorch with {' '.join(board.machine_flags)}.",
            )


def _wheel_version() -> str:
    from importlib import metadata

    try:
        return metadata.version("executorch")
    except metadata.PackageNotFoundError:
        return "of the same version"
