# SPDX-License-Identifier: BSD-3-Clause
"""The long run: coverage-guided fuzzing of one target after the other, and a table of what it did.

    apt-get install clang-14 libclang-rt-14-dev llvm-14
    python tests/fuzz/campaign.py [--work DIR] [--runs TARGET=N ...] [--seed S]

What it finds is left in DIR/<target>-crash-…; run it again with DIR/fuzz_<target> FILE, put it into
tests/fuzz/corpus, and mend the firmware. --minimise writes the committed corpus anew from what DIR
has collected.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from build_targets import TARGETS, build

HERE = Path(__file__).resolve().parent
RUNS = {"program": 4_000_000, "runner": 200_000, "server": 6_000_000, "protocol": 1_000_000}
MOST_LENGTH = {"program": 4096, "runner": 8192, "server": 1024, "protocol": 1024}
TIMEOUT_S = 20
# Stack traces of allocations cost most of the time, and are there when a file is run again.
ASAN = "malloc_context_size=2:quarantine_size_mb=8:detect_leaks=0"
MOST_FILES = 150  # of a kind
MOST_FILE_BYTES = 1500
#: Bytes of corpus that are kept, about.
KEEP = {"program": 120_000, "server": 30_000, "protocol": 20_000}


def kind_of(target: str) -> str:
    """The corpus a target takes its inputs from."""
    return "program" if target == "runner" else target


def command_of(target: str, work: Path) -> list[str]:
    if target == "protocol":
        return [sys.executable, str(HERE / "fuzz_protocol.py")]
    return [str(work / f"fuzz_{target}")]


def write_seeds(work: Path) -> None:
    for kind in ("program", "server"):
        folder = work / "seeds" / kind
        if not folder.exists():
            subprocess.run([sys.executable, HERE / "seeds.py", kind, folder], check=True)
    folder = work / "seeds" / "protocol"
    folder.mkdir(parents=True, exist_ok=True)
    import fuzz_protocol

    for name, data in fuzz_protocol.seeds().items():
        (folder / name).write_bytes(data)


def run(target: str, work: Path, runs: int, seed: int) -> str:
    """Fuzz; return a row of the table."""
    collected = work / "collected" / target
    collected.mkdir(parents=True, exist_ok=True)
    kind = kind_of(target)
    log = work / f"{target}.log"
    command = [*command_of(target, work), f"-runs={runs}", f"-seed={seed}", "-reload=0"]
    command += [f"-max_len={MOST_LENGTH[target]}", f"-timeout={TIMEOUT_S}", "-rss_limit_mb=2000"]
    command += ["-print_final_stats=1", f"-artifact_prefix={work}/{target}-"]
    command += [str(collected), str(HERE / "corpus" / kind), str(work / "seeds" / kind)]
    started = time.monotonic()
    with log.open("w") as output:
        code = subprocess.run(
            command, stdout=output, stderr=output, env={**os.environ, "ASAN_OPTIONS": ASAN}
        ).returncode
    seconds = time.monotonic() - started
    text = log.read_text(errors="replace")
    # The number in front counts what was really run, wherever it ended.
    done = max(map(int, re.findall(r"^#(\d+)", text, re.MULTILINE)), default=0)
    edges = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", text)
    cov, features, corpus = edges[-1] if edges else ("?", "?", "?")
    total = re.search(r"\((\d+) inline 8-bit counters\)", text)
    of = f" of {int(total[1]):,}" if total else ""
    result = "nothing" if code == 0 else f"see {log}"
    cells = [target, f"{done:,}", f"{int(seconds):,} s", f"{cov}{of}", features, corpus, result]
    return f"| {' | '.join(cells)} |"


def minimise(work: Path) -> None:
    """Write tests/fuzz/corpus: the smallest inputs that together reach the most."""
    for kind, most in KEEP.items():
        folder = HERE / "corpus" / kind
        with tempfile.TemporaryDirectory() as merged:
            inputs = [str(work / "collected" / kind), str(folder)]
            if kind == "program":
                inputs.append(str(work / "collected" / "runner"))
            inputs = [path for path in inputs if Path(path).is_dir()]
            command = [*command_of(kind, work), "-merge=1", merged, *inputs]
            subprocess.run(command, check=True, capture_output=True)
            files = sorted(Path(merged).iterdir(), key=lambda path: path.stat().st_size)
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.iterdir():
                if re.fullmatch("[0-9a-f]{12}", path.name):  # the others once found something
                    path.unlink()
            # Small ones of all sizes: the smallest alone are those that are refused at once.
            small = [path for path in files if path.stat().st_size <= MOST_FILE_BYTES]
            most_bytes = sum(path.stat().st_size for path in small)
            stride = max(1, -(-len(small) // MOST_FILES), -(-most_bytes // most))
            for path in small[::stride]:
                shutil.copy(path, folder / path.name[:12])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("mcugen_out/fuzz"))
    parser.add_argument("--runs", action="append", default=[], metavar="TARGET=N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minimise", action="store_true")
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    runs = {name: int(number) for name, _, number in (r.partition("=") for r in arguments.runs)}
    runs = runs or RUNS
    write_seeds(work)
    build([target for target in runs if target in TARGETS], work, libfuzzer=True)
    print("| target | executions | time | edges | features | corpus | found |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for target, number in runs.items():
        print(run(target, work, number, arguments.seed), flush=True)
    if arguments.minimise:
        minimise(work)


if __name__ == "__main__":
    main()
