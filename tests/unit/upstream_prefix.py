# SPDX-License-Identifier: BSD-3-Clause
"""An install prefix with the names of an Arm build of ExecuTorch, made of our own sources.

There is no such build to test with, but it is known what one is like (docs/upstream.md): position-
independent code, users of snprintf and malloc, large stack frames, kernels under ExecuTorch's names
that take their arguments one by one, others that register them. These libraries are like that.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mcugen.base.resources import executorch_include_dir, firmware_dir, templates_dir
from mcugen.boards.spec import BoardSpec
from mcugen.program import operator_table
from mcugen.project import copied
from mcugen.project.headers import header_closure
from mcugen.project.needed import needed_sources
from mcugen.project.upstream.kernels import UpstreamKernel, upstream_kernel

STAND_IN = Path(__file__).resolve().parent / "upstream_stand_in"
_C10 = "executorch/runtime/core/portable_type/c10"
FLAGS = (
    *("-std=gnu++17", "-Os", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"),
    *("-ffp-contract=off", "-ffunction-sections", "-fdata-sections", "-DNDEBUG", "-w"),
    *("-DC10_USING_CUSTOM_GENERATED_MACROS", "-DET_LOG_ENABLED=0"),
)
#: A registry as large as ExecuTorch's own build has it where nothing pins its size.
MAX_KERNEL_NUM = 200
_KERNELS = "kernels_by_name"
#: What nearly every source of the runtime and of an operator includes.
_HEADERS = ("core/exec_aten/util/tensor_util.h", "executor/method.h", "executor/program.h")
_REGISTRY = "#include <executorch/runtime/kernel/operator_registry.h>\n#include <ops/ops.h>\n"


def copy_headers(prefix: Path) -> None:
    """Put the wheel's headers, as far as our firmware uses them, under `prefix`."""
    sources = [
        path.read_bytes()
        for folder in (firmware_dir(), templates_dir(), STAND_IN)
        for path in folder.rglob("*")
        if path.suffix in (".h", ".cpp", ".j2")
    ]
    for path, data in header_closure(sources).items():
        target = prefix / "include" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def compiled(
    folder: Path, sources: Iterable[Path], flags: Sequence[str], headers: Path | None = None
) -> list[Path]:
    """Compile `sources` into objects in `folder`, with precompiled headers if there are some."""
    folder.mkdir(parents=True, exist_ok=True)

    def compile_one(numbered: tuple[int, Path]) -> Path:
        number, source = numbered
        target = folder / f"{number}_{source.stem}.o"
        command = ["arm-none-eabi-g++", *flags, "-c", str(source), "-o", str(target)]
        # Kernels and the platform include none of them.
        if headers and source.parts[-3] in ("ops", "runtime") and source.parts[-2] != "platform":
            command += ["-include", str(headers)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return target

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(compile_one, enumerate(sources)))


def archive(
    path: Path, sources: Iterable[Path], flags: Sequence[str], headers: Path | None = None
) -> None:
    """Compile `sources` into the static library `path`, which is made anew."""
    path.unlink(missing_ok=True)
    objects = path.parent / f"{path.stem}.dir"
    found = compiled(objects, sources, flags, headers)
    subprocess.run(["arm-none-eabi-ar", "rcsD", str(path), *map(str, found)], check=True)
    shutil.rmtree(objects)


class StandIn:
    """A prefix that is made library by library."""

    def __init__(self, prefix: Path, board: BoardSpec) -> None:
        firmware = firmware_dir()
        include = executorch_include_dir()
        self.prefix = prefix
        self.board = board
        self._sources = prefix / "sources"
        self._sources.mkdir(parents=True, exist_ok=True)
        root = self._sources / "include"
        if not root.exists():
            root.mkdir()
            (root / "stand_in").symlink_to(STAND_IN)
        places = (root, firmware, include, include / _C10)
        self.flags = [*board.machine_flags, *FLAGS, "-fPIC", *(f"-I{place}" for place in places)]

    def copy(self, prefix: Path) -> StandIn:
        """Return a prefix with the same libraries and headers."""
        shutil.copytree(self.prefix / "lib", prefix / "lib")
        (prefix / "include").symlink_to(self.prefix / "include")
        return StandIn(prefix, self.board)

    def library(self, name: str) -> Path:
        return self.prefix / "lib" / f"lib{name}.a"

    def make(self, names: Sequence[str]) -> StandIn:
        """Make what an ordinary install has, with kernels for the operators called `names`."""
        copy_headers(self.prefix)
        self.make_core()
        archive(self.library("kernels_util_all_deps"), [STAND_IN / "kernels_util.cpp"], self.flags)
        self.make_registering("executorch", {"executorch_prim::add.Scalar": ""})
        # What registers kernels in an ordinary install; the project does not need it.
        self.make_registering("portable_ops_lib", {"aten::exp.out": ""})
        sources = copied.operator_sources(self.board)
        files = [f"ops/{operator_table.operator(name).file}" for name in names]
        needed = needed_sources(sources, files, [(STAND_IN / "boxed.h").read_bytes()])
        ours = [firmware_dir() / path for path in needed if path.endswith((".cpp", ".S"))]
        archive(
            self.library("cortex_m_kernels"),
            [*ours, self.kernels("cortex_m", names)],
            self.flags,
            self._headers(),
        )
        archive(self.library("portable_kernels"), [self.kernels("torch", names)], self.flags)
        return self

    def make_core(self, *, max_kernels: int = MAX_KERNEL_NUM) -> None:
        """Make libexecutorch_core.a, with a registry for so many kernels."""
        runtime = sorted((firmware_dir() / "runtime").rglob("*.cpp"))
        flags = [*self.flags, f"-DMAX_KERNEL_NUM={max_kernels}"]
        library = self.library("executorch_core")
        if library.exists():  # all but the registry stays
            registry = next(path for path in runtime if path.name == "operator_registry.cpp")
            position = runtime.index(registry)
            folder = self._sources / "core"
            [made] = compiled(folder, [registry], flags)
            target = made.rename(folder / f"{position}_{registry.stem}.o")
            subprocess.run(["arm-none-eabi-ar", "rsD", str(library), str(target)], check=True)
        else:
            archive(library, [*runtime, STAND_IN / "core.cpp"], flags, self._headers())

    def _headers(self) -> Path:
        """Return what sources are to include, precompiled: three quarters of their time."""
        headers = self._sources / "headers.h"
        if not headers.exists():
            headers.write_text("".join(f"#include <executorch/runtime/{h}>\n" for h in _HEADERS))
            target = headers.with_suffix(".h.gch")
            command = ["arm-none-eabi-g++", *self.flags, "-x", "c++-header", str(headers)]
            subprocess.run([*command, "-o", str(target)], check=True)
        return headers

    def remove_kernels(self, library: str) -> None:
        """Leave only our operators and kernels in a library, not those of ExecuTorch's names."""
        path = str(self.library(library))
        listed = subprocess.run(
            ["arm-none-eabi-ar", "t", path], capture_output=True, text=True, check=True
        ).stdout.split()
        objects = [name for name in listed if name.endswith(f"_{_KERNELS}.o")]
        subprocess.run(["arm-none-eabi-ar", "d", path, *objects], check=True)
        if objects == listed:
            Path(path).unlink()

    def make_registering(
        self, library: str, operators: Mapping[str, str], *, twice: bool = False
    ) -> None:
        """Make a library whose static constructor registers operators; twice: and another, too.

        operators: name → function of ours; "" where no program calls it.
        """
        rows = "".join(
            f'    Kernel("{name}", {f"mcugen::ops::{function}" if function else "unused"}),\n'
            for name, function in operators.items()
        )
        self.make_code(
            library,
            f"{_REGISTRY}using namespace executorch::runtime;\n"
            "static void unused(KernelRuntimeContext&, Span<EValue*>) {}\n"
            f"static const Kernel kKernels[] = {{\n{rows}}};\n"
            "static const auto registered = register_kernels(\n"
            "    {kKernels, sizeof(kKernels) / sizeof(kKernels[0])});\n"
            + ("static const auto again = register_kernel(kKernels[0]);\n" if twice else ""),
        )

    def make_code(self, library: str, text: str, *flags: str) -> None:
        """Make a library of one source; flags: instead of the board's and -fPIC."""
        source = self._sources / f"{library}.cpp"
        source.write_text(text)
        archive(self.library(library), [source], flags or self.flags)

    def kernels(self, namespace: str, names: Iterable[str]) -> Path:
        """Write ExecuTorch's kernels in `namespace`, which call our operators."""
        found = [upstream_kernel(name) for name in sorted(names)]
        texts = [
            self._kernel(kernel)
            for kernel in found
            if kernel is not None and kernel.namespace.startswith(namespace)
        ]
        source = self._sources / f"{namespace}_{_KERNELS}.cpp"
        source.write_text("#include <ops/ops.h>\n#include <stand_in/boxed.h>\n" + "\n".join(texts))
        return source

    def _kernel(self, kernel: UpstreamKernel) -> str:
        arguments = [each.name for each in operator_table.operator(kernel.operator).arguments]
        function = operator_table.function_for(kernel.operator)
        assert arguments[-1] == "out"
        return (
            f"namespace {kernel.namespace} {{\n{kernel.declaration} {{\n"
            f"  stand_in::call(mcugen::ops::{function}, context, out, {', '.join(arguments)});\n"
            "  return out;\n}\n}\n"
        )
