# SPDX-License-Identifier: BSD-3-Clause
"""Instructions of loading the model at boot: CRC, `Program::load`, `load_method`.

    .venv/bin/python tests/bench/load_time.py [--functions] [MODEL ...]

Builds each model (by default the four MLPerf Tiny ones) for qemu-m4, as `mcugen build` does, and
counts the instructions of `model_load()` in QEMU's trace: no clock is involved, the same image
gives the same counts. Zeros written to inputs are left out. `--functions` adds where they go.
"""

from __future__ import annotations

import argparse
import bisect
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

GOLDEN = Path(__file__).parent.parent / "golden" / "mlperf_tiny"
MODELS = ("kws", "vww", "ic", "ad")
_QEMU = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"]
#: Each instruction a block of its own, so that each leaves a line.
_TRACE = ["-icount", "shift=0", "-singlestep", "-d", "exec,nochain", "-D", "/dev/stdout"]


def build(model: str, folder: Path) -> Path:
    """Return the image of a model."""
    mcugen = Path(sys.executable).parent / "mcugen"
    command = [mcugen, "build", model, "--board", "qemu-m4", "-o", folder / Path(model).stem]
    done = subprocess.run(
        [*command, "--json", "-q"], cwd=folder, stdout=subprocess.PIPE, check=True
    )
    return Path(json.loads(done.stdout)["firmware"]["elf"])


class Symbols:
    """The functions of an image, by address."""

    def __init__(self, elf: Path) -> None:
        command = ["arm-none-eabi-nm", "-C", "-n", elf]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = re.findall(r"^(\w+) [tT] (.*)$", text, re.MULTILINE)
        self._starts = [int(address, 16) & ~1 for address, _ in found]
        self._names = [name for _, name in found]

    def at(self, address: int) -> str:
        return self._names[bisect.bisect_right(self._starts, address) - 1]


def count(elf: Path) -> tuple[Counter[str], Counter[str]]:
    """Return the instructions of each stage, and of each function, of `model_load()`."""
    symbols = Symbols(elf)
    stages: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    stage = None
    command = [*_QEMU, *_TRACE, "-kernel", str(elf)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as qemu:
        assert qemu.stdout is not None
        for line in qemu.stdout:
            found = re.search(r"\[\w+/(\w+)/", line)
            if found is None:
                continue
            function = symbols.at(int(found[1], 16))
            if re.search(r"::(model_load|load_method)\(", function):
                stage = "load_method"  # inlined or not, with what surrounds it
            elif stage is not None and function.startswith("mcugen::crc32("):
                stage = "CRC"
            elif stage is not None and function == "memset":
                stage = "zeros"  # inputs, and memory that keeps state
            elif stage is not None and "::Program::load(" in function:
                stage = "Program::load"
            elif stage is not None and function.endswith("::run()"):
                break
            if stage is not None:
                stages[stage] += 1
                functions[function] += 1
        qemu.kill()
    return stages, functions


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--functions", action="store_true")
    options = parser.parse_args()
    models = [str(Path(m).resolve()) if Path(m).exists() else m for m in options.models] or [
        str(GOLDEN / f"{name}_cm_q_m4.pte") for name in MODELS
    ]
    print("| model | CRC | Program::load | load_method | sum without CRC |")
    print("|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for model in models:
            stages, functions = count(build(model, Path(folder)))
            crc, program, method = (stages[s] for s in ("CRC", "Program::load", "load_method"))
            counts = (crc, program, method, program + method)
            print(f"| {Path(model).stem} | {' | '.join(f'{n:,}' for n in counts)} |")
            if options.functions:
                for function, instructions in functions.most_common(30):
                    print(f"    {instructions:9,} {function[:120]}")


if __name__ == "__main__":
    main()
