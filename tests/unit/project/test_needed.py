# SPDX-License-Identifier: BSD-3-Clause
"""A project has the operators and kernels that its model calls, what those call, and no others."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from mcugen.base.errors import DoesNotFitError
from mcugen.base.toolchain import COMPILER
from mcugen.boards.load import load_board
from mcugen.program import operator_table
from mcugen.program.memory import plan_memory
from mcugen.program.read import read_pte
from mcugen.project import copied
from mcugen.project.contents import model_contents
from mcugen.project.headers import C10, INCLUDE
from mcugen.project.libraries import KERNELS, RUNTIME
from mcugen.project.needed import needed_sources

GOLDEN = Path(__file__).parents[2] / "golden"
PROGRAMS = sorted([*GOLDEN.glob("nets/*.pte"), *GOLDEN.glob("mlperf_tiny/*.pte")])
M4 = load_board("qemu-m4")

SOURCES = {
    "ops/one/op_one.cpp": b'#include <kernels/select.h>\n#include <ops/args.h>\n"two"; one(1);\n',
    "ops/one/op_two.cpp": b"#include <kernels/select.h>\n#include <ops/args.h>\ntwo();  // one\n",
    "ops/one/op_none.cpp": b"#include <ops/args.h>\n",
    "ops/args.h": b"#pragma once\n",
    "ops/args.cpp": b"#include <ops/args.h>\n#include <kernels/shared.h>\n",
    "ops/other.cpp": b"",
    "kernels/select.h": (
        b"#include <kernels/one.h>\n#include <kernels/both.h>\n"
        b"MCUGEN_KERNEL(one, scalar, scalar, mve);\nMCUGEN_KERNEL(two, scalar, dsp, mve);\n"
    ),
    "kernels/one.h": b"#include <kernels/shared.h>\nvoid one_scalar(int);\n",
    "kernels/both.h": b"int two_dsp(int);\n",
    "kernels/shared.h": b"inline int f() {}\n",
    "kernels/one_scalar.cpp": b"#include <kernels/one.h>\nvoid one_scalar(int x) {\n}\n",
    "kernels/two.cpp": b"#include <kernels/both.h>\nint two_dsp(int x) {\n}\n",
    "kernels/three.cpp": b"#include <kernels/both.h>\nint g() {\n  return two_dsp(3);\n}\n",
}
COMMON = {"ops/args.h", "ops/args.cpp", "kernels/shared.h"}
SELECT = {"kernels/select.h", "kernels/one.h", "kernels/both.h"}


@pytest.mark.parametrize(
    ("operator", "others"),
    [
        ("ops/one/op_one.cpp", {*SELECT, "kernels/one_scalar.cpp"}),
        ("ops/one/op_two.cpp", {*SELECT, "kernels/two.cpp"}),
        ("ops/one/op_none.cpp", set()),
    ],
)
def test_an_operator_brings_along_what_it_includes_and_calls(operator: str, others: set) -> None:
    """Not what it names in a string or a comment, and not all that `select.h` declares."""
    assert set(needed_sources(SOURCES, [operator], [])) == {operator, *COMMON, *others}


def test_others_may_include_kernels_too() -> None:
    needed = needed_sources(SOURCES, [], [b"#include <kernels/one.h>\n"])

    assert set(needed) == {"kernels/one.h", "kernels/shared.h", "kernels/one_scalar.cpp"}


def test_without_operators_there_is_nothing() -> None:
    assert needed_sources(SOURCES, [], [b"#include <app/main.h>\n"]) == {}


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_every_file_of_a_project_s_libraries_is_used(path: Path) -> None:
    """Each header is included by another file, and each `#include` finds its file."""
    artifact = read_pte(path.read_bytes(), name="model")
    board = load_board("qemu-m55" if path.stem.endswith("m55") else "qemu-m4")
    try:
        plan = plan_memory(artifact, board)
    except DoesNotFitError:
        pytest.skip("does not fit the simulated board")
    contents = model_contents(artifact, plan, board)
    files = {
        path.removeprefix(f"{folder}/"): data
        for folder in (RUNTIME, KERNELS)
        for path, data in contents.copied.items()
        if path.startswith(f"{folder}/")
    }
    # What templates include is said by the templates.
    included = {"app/app_config.h", "port/board.h", "ops/ops.h"}
    included.add("executorch/runtime/kernel/operator_registry.h")
    for name, data in {**files, "main": contents.copied["src/main.cpp"]}.items():
        for match in INCLUDE.finditer(data):
            target = match[2].decode()
            beside = (PurePosixPath(name).parent / target).as_posix()
            found = {target, f"{C10}/{target}", beside} & set(files)
            included |= found
            assert found or target.split("/")[0] not in ("app", "kernels", "ops", "port", "runtime")

    headers = {name for name in files if name.endswith(".h")}
    assert headers - included <= {"runtime/devtools/instruction_counters.h"}  # for host tests
    operators = {f"ops/{operator_table.operator(use.name).file}" for use in artifact.operators}
    assert {name for name in files if "/op_" in name and name.endswith(".cpp")} >= operators
    assert len([name for name in files if name.startswith(("ops/", "kernels/"))]) < 125


@dataclass(frozen=True)
class Objects:
    """What compiled sources define and call, by the stem of their names."""

    defines: dict[str, str]  #: function or constant → where it is
    calls: dict[str, set[str]]

    def missing(self, stems: set[str]) -> dict[str, str]:
        """Return what the sources named call that is only in others: function → where it is."""
        return {
            name: self.defines[name]
            for stem in stems
            for name in self.calls.get(stem, ())
            if self.defines.get(name, stem) not in stems
        }

    def reached(self, stem: str) -> set[str]:
        reached: set[str] = set()
        queue = [stem]
        while queue:
            stem = queue.pop()
            if stem not in reached:
                reached.add(stem)
                queue += (self.defines[n] for n in self.calls.get(stem, ()) if n in self.defines)
        return reached


@pytest.fixture(scope="module")
def objects(runner_libraries: Callable[[str], list[Path]]) -> Objects:
    """All operators and kernels, compiled for the runner."""
    defines: dict[str, str] = {}
    calls: dict[str, set[str]] = {}
    sources = {Path(name).stem for name in copied.operator_sources(M4)}
    for archive in runner_libraries(M4.id):
        text = subprocess.run(
            ["arm-none-eabi-gcc-nm", archive], capture_output=True, text=True, check=True
        ).stdout
        for member in text.split("\n\n"):
            lines = member.strip().splitlines()
            stem = lines[0].removesuffix(".o:")
            for line in lines[1:] if stem in sources else ():
                kind, name = line.split()[-2:]
                if kind == "U":
                    calls.setdefault(stem, set()).add(name)
                elif kind in "TDRBV":
                    assert name not in defines
                    defines[name] = stem
    assert len(calls) > 50
    return Objects(defines, calls)


@pytest.mark.toolchain
@pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} missing")
def test_what_an_operator_brings_along_is_all_that_it_calls(objects: Objects) -> None:
    """Whatever operators a model has, its project links; and it compiles little else."""
    available = copied.operator_sources(M4)
    not_called: dict[str, set[str]] = {}
    for name in operator_table.names():
        file = f"ops/{operator_table.operator(name).file}"
        needed = needed_sources(available, [file], [])
        stems = {Path(path).stem for path in needed if path.endswith((".cpp", ".S"))}

        assert objects.missing(stems) == {}, name
        # The test itself: without any one of them, it would not link.
        for stem in stems & objects.reached(Path(file).stem) - {Path(file).stem}:
            assert stem in objects.missing(stems - {stem}).values(), (name, stem)
        not_called[file] = stems - objects.reached(Path(file).stem)

    assert {file: stems for file, stems in not_called.items() if stems} == {}
