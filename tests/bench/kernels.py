# SPDX-License-Identifier: BSD-3-Clause
"""Instructions per output of single int8 kernels, as kernels/select.h chooses them.

    .venv/bin/python tests/bench/kernels.py [cortex-m4 | cortex-m55 | cortex-m3 | cortex-m0plus ...]

Builds kernels.cpp with the firmware's flags and its own memory functions, without a model, and
counts under QEMU: the same sources give the same counts.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from mcugen.base.resources import firmware_dir

HERE = Path(__file__).parent
START = HERE.parent / "runtime" / "qemu_host"
#: Per core: the variants' suffix, further flags, machine, RAM, clock of SysTick.
CORES = {
    "cortex-m4": ("dsp", ("-mfloat-abi=hard",), "mps2-an386", "0x21000000", 25_000_000),
    "cortex-m55": ("mve", ("-mfloat-abi=hard",), "mps3-an547", "0x60000000", 32_000_000),
    "cortex-m3": ("mla", (), "mps2-an385", "0x21000000", 25_000_000),
    "cortex-m0plus": ("mla", (), "mps2-an385", "0x21000000", 25_000_000),
}
_FLAGS = (
    *("-mthumb", "-std=gnu++17", "-Os", "-ffunction-sections", "-fno-exceptions", "-fno-rtti"),
    *("-ffp-contract=off", "--specs=rdimon.specs", "-Wl,--gc-sections"),
)
_QEMU = ("-icount", "shift=0", "-nographic", "-monitor", "none", "-serial", "none")


def measure(cpu: str, folder: Path) -> list[list[str]]:
    """Return kernel, case, outputs and instructions of each case."""
    isa, flags, machine, ram, clock = CORES[cpu]
    kernels = firmware_dir() / "kernels"
    files = [
        HERE / "kernels.cpp",
        START.with_suffix(".cpp"),
        firmware_dir() / "port" / "cortex_m" / "libc.cpp",
        *kernels.glob("*_scalar.cpp"),
        *kernels.glob(f"*_{isa}.cpp"),
        *kernels.glob(f"*_{isa}*.S"),
        *(kernels / name for name in ("math_f32.cpp", "trig_f32.cpp", "recurrent_gates.cpp")),
    ]
    elf = folder / f"{cpu}.elf"
    script = folder / f"{cpu}.ld"
    text = START.with_suffix(".ld").read_text()
    script.write_text(text.replace("0x21000000", ram).replace("4M", "512K"))
    compiler = ["arm-none-eabi-g++", f"-mcpu={cpu}", *flags, *_FLAGS, f"-DHZ={clock}"]
    sources = ["-I", str(firmware_dir()), *map(str, sorted(files))]
    if subprocess.run([*compiler, *sources, "-T", str(script), "-o", str(elf)]).returncode:
        raise SystemExit(f"{cpu}: the kernels do not compile")
    semihosting = ("-semihosting-config", "enable=on,target=native")
    done = subprocess.run(
        ["qemu-system-arm", "-M", machine, *_QEMU, *semihosting, "-kernel", str(elf)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("|") for line in done.stdout.splitlines()]


def main() -> None:
    """Print the table of each core asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cpu", nargs="*", choices=[*CORES, []], default=["cortex-m4"])
    for cpu in parser.parse_args().cpu:
        print(cpu)
        with tempfile.TemporaryDirectory() as folder:
            for kernel, case, outputs, instructions in measure(cpu, Path(folder)):
                each = int(instructions) / int(outputs)
                print(f"  {kernel:20} {case:32} {int(instructions):>10,} {each:>8.2f}")


if __name__ == "__main__":
    main()
