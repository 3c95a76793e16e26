# SPDX-License-Identifier: BSD-3-Clause
"""Instructions per inference, flash and RAM of the MLPerf Tiny workloads, beside published stacks.

    make bench            or            .venv/bin/python tests/bench/workloads.py [BOARD ...]

QEMU counts instructions, not time; the counts are deterministic. The baselines (their source and
way of counting are in baselines.json) were counted the same way.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "mlperf_tiny"
BASELINES = json.loads((HERE / "baselines.json").read_text(encoding="utf-8"))

#: Board, and the CPU its files were lowered for.
BOARDS = {"qemu-m4": "m4", "qemu-m55": "m55"}


def bench(model: str, board: str, cwd: Path) -> dict:
    """Return the document of `mcugen bench --json`."""
    command = [Path(sys.executable).parent / "mcugen", "bench", model, "--board", board]
    options = ["--runs", "3", "--warmups", "1", "--json"]
    done = subprocess.run([*command, *options], cwd=cwd, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main() -> None:
    boards = sys.argv[1:] or list(BOARDS)
    print("| board | model | instructions | ExecuTorch + CMSIS-NN | ratio ", end="")
    print("| engine flash | RAM used |")
    print("|---|---|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for board in boards:
            cpu = BOARDS.get(board, "m4")
            published = BASELINES["executorch_cmsis_nn"]["instructions_int8_io"][cpu]
            for model in ("kws", "vww", "ic", "ad"):
                result = bench(str(GOLDEN / f"{model}_cm_q_{cpu}.pte"), board, Path(folder))
                median = result["timing"]["median"]
                firmware = result["firmware"]
                print(
                    f"| {board} | {model} | {median:,} | {published[model]:,} "
                    f"| {median / published[model]:.2f} | {firmware['engine_bytes']:,} B "
                    f"| {firmware['ram_bytes']:,} B |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
