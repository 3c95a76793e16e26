# SPDX-License-Identifier: BSD-3-Clause
"""The executorch wheel's own tests for Cortex-M, unmodified, on our runner for M4 and M55.

`cases.txt` names every case and how it ends, so that a suite that shrinks fails as well. A seeded
sample of the cases runs; `--suite-cases 0` runs all.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.torch, pytest.mark.toolchain, pytest.mark.qemu]

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases.txt"
BOARDS = {"cortex-m4": "qemu-m4", "cortex-m55": "qemu-m55"}
SHARDS = 2  #: CI has two cores; each more costs 10 s to import torch and collect
TIMEOUT_S = 1500
#: Files whose import fails, without a case that runs on a device.
NOTHING_TO_RUN = {"models/test_wav2letter.py", "models/test_yolo11.py"}

Key = tuple[str, str]  #: case and CPU


@dataclass(frozen=True)
class End:
    outcome: str  #: of on_device.py, or "not-collected"
    error: str = ""


def read_cases(text: str) -> dict[Key, End]:
    """The lines of cases.txt: `outcome cpu,cpu case`."""
    cases = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            outcome, cpus, case = line.split(" ", 2)
            cases |= {(case, cpu): End(outcome) for cpu in cpus.split(",")}
    return cases


def write_cases(cases: dict[Key, End]) -> str:
    cpus: dict[tuple[str, str], list[str]] = {}
    for (case, cpu), end in cases.items():
        cpus.setdefault((case, end.outcome), []).append(cpu)
    lines = [f"{outcome} {','.join(sorted(on))} {case}" for (case, outcome), on in cpus.items()]
    header = CASES.read_text(encoding="utf-8").partition("\n\n")[0]
    return header + "\n\n" + "\n".join(sorted(lines, key=lambda line: line.split(" ", 2)[2])) + "\n"


def file_of(case: str) -> str:
    return case.partition("::")[0]


def wheel_tests() -> Path:
    """The folder of the suite; found without importing torch."""
    spec = importlib.util.find_spec("executorch")
    assert spec is not None and spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "backends/cortex_m/test"


def draw(cases: set[str], wanted: int, seed: int) -> list[str]:
    """Return `wanted` of the cases, drawn by the seed: of each file one first; all for 0."""
    drawn = random.Random(seed).sample(sorted(cases), len(cases))
    first = {file_of(case): case for case in reversed(drawn)}.values()
    return [*first, *(case for case in drawn if case not in first)][: wanted or None]


def shard_files(shard: int, drawn: list[str]) -> list[str]:
    """Share the suite's files out so that all shards have about the same number of drawn cases."""
    root = wheel_tests()
    files = {str(path.relative_to(root)) for path in root.rglob("test_*.py")} - NOTHING_TO_RUN
    sizes = Counter(map(file_of, drawn))
    shards: list[list[str]] = [[] for _ in range(SHARDS)]
    loads = [0] * SHARDS
    for file in sorted(files, key=lambda file: (-sizes[file], file)):
        lightest = loads.index(min(loads))
        shards[lightest].append(file)
        loads[lightest] += sizes[file]
    return sorted(shards[shard])


def run_suite(
    files: list[str], drawn: list[str] | None, elfs: dict[str, Path], folder: Path
) -> dict[Key, End]:
    """Run these files of the suite, or what is drawn of them, in a process of their own."""
    results = folder / "results.jsonl"
    results.touch()
    log = folder / "pytest.log"
    command = [sys.executable, "-m", "pytest", "-c", str(HERE / "suite.ini")]
    command += ["--rootdir", ".", "--results", str(results)]
    if drawn is not None:
        only = folder / "drawn.txt"
        only.write_text("\n".join(drawn), encoding="utf-8")
        command += ["--only", str(only)]
    for cpu, elf in elfs.items():
        command += ["--device", f"{cpu}={BOARDS[cpu]}={elf}"]
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    environment |= {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join(
            [str(HERE), str(HERE.parent / "differential"), environment.get("PYTHONPATH", "")]
        ),
        "OMP_NUM_THREADS": "1",  # the other cores have work of their own
    }
    with open(log, "w") as output:
        done = subprocess.run(
            [*command, *files],
            cwd=wheel_tests(),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
        )
    # 0: all passed; 1: some failed; 2: some files were not collected.
    tail = log.read_text(errors="replace")[-4000:]
    assert done.returncode in (0, 1, 2), f"pytest ended with {done.returncode}:\n{tail}"
    return read_results(results.read_text(encoding="utf-8").splitlines())


def read_results(lines: list[str]) -> dict[Key, End]:
    ends = {}
    for line in map(json.loads, lines):
        cpus = [line["cpu"]] if "cpu" in line else BOARDS
        for cpu in cpus:
            key = (line["case"], cpu)
            # An error in a case's teardown comes after its own result.
            if key not in ends or line["outcome"] == "failed":
                ends[key] = End(line["outcome"], line["error"])
    return ends


def summary(cases: dict[Key, End]) -> str:
    """What the counts are of; the same for all shards."""
    names: dict[str, set[str]] = {}
    for (case, _), end in cases.items():
        names.setdefault(end.outcome, set()).add(case)
    words = {
        "xfailed": "expected to fail",
        "skipped": "skipped",
        "not-collected": "not collectable",
    }
    rest = [f"{len(names[key])} {text}" for key, text in words.items() if key in names]
    return f"executorch's own tests ({', '.join(rest)})"


@pytest.mark.parametrize("shard", range(SHARDS))
def test_executorch_suite(
    shard: int,
    runner_elf: Callable[[str], Path],
    tmp_path: Path,
    count: Callable[[str, str, int, int], None],
    update_golden: bool,
    pytestconfig: pytest.Config,
) -> None:
    elfs = {cpu: runner_elf(board) for cpu, board in BOARDS.items()}
    expected = read_cases(CASES.read_text(encoding="utf-8"))
    wanted = 0 if update_golden else pytestconfig.getoption("--suite-cases")
    drawn = draw({case for case, _ in expected}, wanted, pytestconfig.getoption("--seed"))
    files = shard_files(shard, drawn)

    ends = run_suite(files, drawn if wanted else None, elfs, tmp_path)

    mine = {
        key: end if key[0] in drawn or end.outcome == "not-collected" else End("not-drawn")
        for key, end in expected.items()
        if file_of(key[0]) in files
    }
    # A file that could not be imported does not name its cases.
    for file, cpu in [key for key in ends if "::" not in key[0]]:
        end = ends.pop((file, cpu))
        ends |= {key: end for key in mine if file_of(key[0]) == file and key[1] == cpu}
    for cpu in BOARDS:
        outcomes = Counter(end.outcome for key, end in ends.items() if key[1] == cpu)
        good = outcomes["passed"] + outcomes["xpassed"]
        count(summary(expected), cpu, good, outcomes["failed"])
    if update_golden:
        others = {key: end for key, end in expected.items() if file_of(key[0]) not in files}
        CASES.write_text(write_cases(others | ends), encoding="utf-8")
        return
    missing = End("not there")
    wrong = [
        f"{key[0]} on {key[1]}: {ends.get(key, missing).outcome}, "
        f"not {mine.get(key, missing).outcome}\n{ends.get(key, missing).error[-1500:]}"
        for key in sorted(mine.keys() | ends.keys())
        if ends.get(key, missing).outcome != mine.get(key, missing).outcome
    ]
    assert not wrong, f"{len(wrong)} cases differ from {CASES.name}:\n" + "\n".join(wrong[:20])
