# SPDX-License-Identifier: BSD-3-Clause
"""Compiles the fuzz targets, with libFuzzer (clang) or with replay.cpp (any compiler).

Also "host_runner": the runner image's application on the host, which no fuzzer drives.

python tests/fuzz/build_targets.py FOLDER [--libfuzzer] [TARGET...]
"""

from __future__ import annotations

import argparse
import fcntl
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mcugen.base.resources import executorch_include_dir
from mcugen.program import operator_table

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FIRMWARE = ROOT / "firmware"
TARGETS = ("program", "runner", "server")
UNITS = ("ops", "runtime", "kernels")
GOOD_MODEL = ROOT / "tests" / "golden" / "nets" / "net_23_m4.pte"

#: Kernels that are made for an Arm instruction set.
_OF_ARM = ("_dsp", "_mve", "_mla")
#: What of the runtime stands in no unit: for its macros, for what `using` names there, and for
#: MCUGEN_MAX_INSTRUCTIONS.
_ALONE = ("minimal", "method_meta", "method_execute")

_SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
_FLAGS = [
    *("-std=gnu++17", "-g1", "-fno-exceptions", "-fno-rtti", "-ffp-contract=off"),
    *("-DC10_USING_CUSTOM_GENERATED_MACROS", "-DET_MIN_LOG_LEVEL=Error"),
    *("-Wall", "-Wextra", "-Wno-deprecated-declarations"),
    # Few rounds of a loop without end are enough.
    "-DMCUGEN_MAX_INSTRUCTIONS=100",
    *_SANITIZERS,
]
# Conversions that would give other bytes on another CPU are findings, too. Counters alone, not all
# of fuzzer-no-link: tracing comparisons takes two thirds of the time, and what it learns
# program_mutator.cpp does not use.
_LIBFUZZER_FLAGS = ["-fsanitize=float-cast-overflow"]
_COVERAGE = "-fsanitize-coverage=inline-8bit-counters,pc-table"
_NOT_COVERED = ("program_mutator.cpp", "crc32.cpp")


def op_table() -> str:
    """Return a header that lists every operator of the firmware."""
    lines = [
        f'  OPERATOR("{name}", {operator_table.function_for(name)})'
        for name in operator_table.names()
    ]
    return "\n".join(
        [
            "#pragma once",
            "#include <ops/ops.h>",
            "#define FUZZ_OPERATORS \\",
            *(f"{line} \\" for line in lines[:-1]),
            lines[-1],
            "",
        ]
    )


def sources(target: str, folder: Path) -> list[Path]:
    """Return what a target consists of, without its driver."""
    files = [HERE / f"{program_name(target)}.cpp"]
    test_firmware = ROOT / "tests" / "firmware"
    app = [path for path in sorted(FIRMWARE.glob("app/*.cpp")) if path.name != "main.cpp"]
    if target == "server":
        files += [path for path in app if path.name != "model.cpp"]
        files += [FIRMWARE / "app" / "embedded" / "model_store.cpp"]
        return [*files, test_firmware / "test_config.cpp", test_firmware / "fake_model.cpp"]
    if target != "host_runner":
        files.append(HERE / "program_mutator.cpp")
    # One translation unit each: a fraction of the time.
    for part in UNITS:
        paths = sorted((FIRMWARE / part).rglob("*.cpp"))
        paths = [path for path in paths if not path.stem.endswith(_OF_ARM)]
        paths = [path for path in paths if path.stem not in _ALONE]
        unit = folder / f"{part}.cpp"
        unit.write_text("".join(f"#include <{path.relative_to(FIRMWARE)}>\n" for path in paths))
        files.append(unit)
    runtime = sorted((FIRMWARE / "runtime").rglob("*.cpp"))
    files += [path for path in runtime if path.stem in _ALONE]
    if target != "program":
        files += [*app, *sorted(FIRMWARE.glob("app/runner/*.cpp"))]
    return files


def build(
    targets: Sequence[str],
    folder: Path,
    *,
    libfuzzer: bool = False,
    compiler: str = "",
    units: Mapping[str, Path] | None = None,
) -> dict[str, Path]:
    """Compile the targets, what they share once; return the programs.

    units: objects of UNITS, made with the same sanitizers; None: compile them, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "op_table.h").write_text(op_table())
    numbers = ",".join(map(str, GOOD_MODEL.read_bytes()))
    (folder / "good_model.h").write_text(
        f"#include <cstdint>\nalignas(16) constexpr uint8_t kGoodModel[] = {{{numbers}}};\n"
    )
    include = executorch_include_dir()
    compiler = compiler or ("clang++-14" if libfuzzer else "g++")
    flags = [*_FLAGS, f"-I{FIRMWARE}", f"-I{folder}", f"-I{HERE}", "-isystem", str(include)]
    flags += ["-isystem", str(include / "executorch/runtime/core/portable_type/c10")]
    flags += ["-O2", *_LIBFUZZER_FLAGS] if libfuzzer else ["-O1"]
    needed = {target: sources(target, folder) for target in targets}
    for target, files in needed.items():
        if not libfuzzer and target != "host_runner":
            files.append(HERE / "replay.cpp")

    def compile_one(numbered: tuple[int, Path]) -> tuple[Path, str]:
        number, source = numbered
        result = str(folder / f"{number}_{source.stem}.o")
        extra = []
        if source.name == "fake_model.cpp":
            extra = [f"-D{name}=fake_{name}" for name in ("model_execute", "model_execute_steps")]
        if libfuzzer and source.name not in _NOT_COVERED:
            extra.append(_COVERAGE)
        _run([compiler, *flags, *extra, "-c", str(source), "-o", result])
        return source, result

    objects = {folder / f"{part}.cpp": str(made) for part, made in (units or {}).items()}
    every = list(dict.fromkeys(source for files in needed.values() for source in files))
    with ThreadPoolExecutor(2) as pool:
        missing = enumerate(source for source in every if source not in objects)
        objects |= dict(pool.map(compile_one, missing))
    programs = {}
    for target, files in needed.items():
        programs[target] = folder / program_name(target)
        link = [*_SANITIZERS, *(["-fsanitize=fuzzer"] if libfuzzer else [])]
        _run([compiler, *link, *(objects[file] for file in files), "-o", str(programs[target])])
    return programs


def shared_programs(base: Path) -> dict[str, Path]:
    """Return all targets and host_runner, built once below `base` for all workers that ask."""
    from op_host import shared_units  # of tests/kernels: a campaign does without

    folder = base / "fuzz-programs"
    folder.mkdir(exist_ok=True)
    targets = [*TARGETS, "host_runner"]
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            build(targets, folder, units=shared_units(base))
            (folder / "done").touch()
    return {target: folder / program_name(target) for target in targets}


def program_name(target: str) -> str:
    return target if target == "host_runner" else f"fuzz_{target}"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[-6000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("targets", nargs="*", default=TARGETS)
    parser.add_argument("--libfuzzer", action="store_true")
    arguments = parser.parse_args()
    for program in build(
        arguments.targets, arguments.folder, libfuzzer=arguments.libfuzzer
    ).values():
        print(program)


if __name__ == "__main__":
    main()
