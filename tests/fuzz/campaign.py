# SPDX-License-Identifier: BSD-3-Clause
"""The long run: coverage-guided fuzzing of one target after the other, and a table of what it did.

    apt-get install clang-14 libclang-rt-14-dev llvm-14; pip install atheris
    python tests/fuzz/campaign.py [--work DIR] [--runs TARGET=N ...] [--seed S]
    python tests/fuzz/campaign.py [--work DIR] --minimise TARGET ...

libFuzzer drives the firmware's targets, atheris the host's. What it finds is left in
DIR/<target>-crash-…; run it again with DIR/fuzz_<target> FILE or fuzz_host.py <target> FILE, put it
into tests/fuzz/corpus under a name that tells, and mend what is fuzzed. --minimise writes the
committed corpus of these targets anew from what DIR has collected.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import fuzz_host
from build_targets import TARGETS, build

HERE = Path(__file__).resolve().parent
RUNS = {
    **{"program": 4_000_000, "runner": 4_000_000, "server": 6_000_000},
    **dict.fromkeys(fuzz_host.MODULES, 1_000_000),
}
MOST_LENGTH = {
    **dict.fromkeys(fuzz_host.MODULES, 1024),
    **{
        "program": 4096,
        "runner": 8192,
        "server": 1024,
        "protocol": 256,
        "board": 2048,
        "pte": 1500,
    },
}
TIMEOUT_S = 20
HOST_TIMEOUT_S = 600  # fuzz_host.py has its own, by CPU time
# Stack traces of allocations cost most of the time, and are there when a file is run again.
ASAN = "malloc_context_size=2:quarantine_size_mb=8:detect_leaks=0"
MOST_FILES = 150  # of a kind
MOST_FILE_BYTES = 1500
#: Bytes of corpus that are kept, about.
KEEP = {
    **{"program": 85_000, "runner": 20_000, "server": 25_000, "protocol": 15_000, "client": 10_000},
    **dict.fromkeys(("replies", "board", "config", "tensors", "state", "plan"), 6000),
}


def kind_of(target: str) -> str:
    """The corpus a target takes its inputs from."""
    return "program" if target in ("runner", "pte") else target


def corpora_of(target: str) -> list[Path]:
    """The committed inputs of a target."""
    return [HERE / "corpus" / kind for kind in dict.fromkeys((kind_of(target), target))]


def command_of(target: str, work: Path) -> list[str]:
    if target in fuzz_host.MODULES:
        return [sys.executable, str(HERE / "fuzz_host.py"), target]
    return [str(work / f"fuzz_{target}")]


def write_seeds(work: Path, kinds: Iterable[str]) -> None:
    for kind in sorted(kinds):
        folder = work / "seeds" / kind
        if not folder.exists():
            script = "fuzz_host.py" if kind in fuzz_host.MODULES else "seeds.py"
            option = ["--seeds"] if kind in fuzz_host.MODULES else []
            subprocess.run([sys.executable, HERE / script, kind, *option, folder], check=True)


def run(target: str, work: Path, runs: int, seed: int) -> str:
    """Fuzz; return a row of the table."""
    collected = work / "collected" / target
    collected.mkdir(parents=True, exist_ok=True)
    kind = kind_of(target)
    log = work / f"{target}.log"
    command = [*command_of(target, work), f"-runs={runs}", f"-seed={seed}", "-reload=0"]
    command += [
        f"-max_len={MOST_LENGTH[target]}",
        f"-timeout={HOST_TIMEOUT_S if target in fuzz_host.MODULES else TIMEOUT_S}",
        "-rss_limit_mb=2000",
    ]
    command += ["-print_final_stats=1", f"-artifact_prefix={work}/{target}-"]
    folders = [collected, *corpora_of(target), work / "seeds" / kind]
    command += [str(folder) for folder in folders if folder.is_dir()]
    started, cpu_started = time.monotonic(), children_cpu_s()
    with log.open("w") as output:
        code = subprocess.run(command, stdout=output, stderr=output, env=environment()).returncode
    seconds, cpu_s = time.monotonic() - started, children_cpu_s() - cpu_started
    text = log.read_text(errors="replace")
    # The number in front counts what was really run, wherever it ended.
    done = max(map(int, re.findall(r"^#(\d+)", text, re.MULTILINE)), default=0)
    edges = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", text)
    cov, features, corpus = edges[-1] if edges else ("?", "?", "?")
    total = re.search(r"\((\d+) inline 8-bit counters\)", text)
    of = f" of {int(total[1]):,}" if total else ""
    result = "nothing" if code == 0 else f"see {log}"
    rate = f"{done / cpu_s:,.0f}"
    cells = [
        target,
        f"{done:,}",
        f"{int(seconds):,} s",
        rate,
        f"{cov}{of}",
        features,
        corpus,
        result,
    ]
    return f"| {' | '.join(cells)} |"


def children_cpu_s() -> float:
    """CPU time of the processes that have ended: what a rate counts on a machine that is shared."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def minimise(kind: str, work: Path) -> str:
    """Write tests/fuzz/corpus/<kind>: small inputs that together reach the most; return a row."""
    folder = HERE / "corpus" / kind
    folder.mkdir(parents=True, exist_ok=True)
    named = [path for path in folder.iterdir() if not re.fullmatch("[0-9a-f]{12}", path.name)]
    inputs = [folder, work / "collected" / kind, work / "seeds" / kind_of(kind)]
    if kind == "program":
        inputs.append(work / "collected" / "runner")
    with tempfile.TemporaryDirectory(dir=work) as base:
        for path in (
            *named,
            *((HERE / "corpus" / "program").iterdir() if kind == "runner" else ()),
        ):
            shutil.copy(path, base)  # there already: only what reaches more is added
        command = [*command_of(kind, work), "-merge=1", f"-max_len={MOST_FILE_BYTES}", base]
        known = set(os.listdir(base))
        with (work / f"{kind}-merge.log").open("w") as log:
            command += [str(path) for path in inputs if path.is_dir()]
            subprocess.run(command, check=True, stdout=log, stderr=log, env=environment())
        found = [path for path in Path(base).iterdir() if path.name not in known]
        files = sorted(found, key=lambda path: (path.stat().st_size, path.name))
        if not files:
            raise SystemExit(f"{kind}: the merge left nothing, see {log.name}")
        # Small ones of all sizes: the smallest alone are those that are refused at once.
        most_bytes = sum(path.stat().st_size for path in files)
        stride = max(1, -(-len(files) // MOST_FILES), -(-most_bytes // KEEP[kind]))
        for path in folder.iterdir():
            if path not in named:  # those once found something
                path.unlink()
        for path in files[::stride]:
            shutil.copy(path, folder / path.name[:12])
    kept = list(folder.iterdir())
    size = sum(path.stat().st_size for path in kept)
    return f"{kind}: {len(files)} files reach everything, {len(kept)} kept, {size:,} B"


def environment() -> dict[str, str]:
    return {**os.environ, "ASAN_OPTIONS": ASAN}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("mcugen_out/fuzz"))
    parser.add_argument("--runs", action="append", default=[], metavar="TARGET=N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minimise", nargs="+", default=[], metavar="TARGET", choices=KEEP)
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    runs = {name: int(number) for name, _, number in (r.partition("=") for r in arguments.runs)}
    if not runs and not arguments.minimise:
        runs = RUNS
    needed = [*runs, *(target for target in arguments.minimise if target not in runs)]
    write_seeds(work, {kind_of(target) for target in needed})
    build([target for target in needed if target in TARGETS], work, libfuzzer=True)
    if runs:
        print("| target | executions | time | per CPU second | edges | features | corpus | found |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for target, number in runs.items():
        print(run(target, work, number, arguments.seed), flush=True)
    # The runner's is what its target reaches beyond the programs'.
    for target in sorted(arguments.minimise):
        print(minimise(target, work), flush=True)


if __name__ == "__main__":
    main()
