# SPDX-License-Identifier: BSD-3-Clause
"""Kernels of an instruction set against the scalar ones, on random calls, on the emulated core.

variants.cpp has both in one bare-metal image, without operators and model: thousands of shapes,
paddings, zero points, scalings and sizes of working memory in seconds. That the scalar kernels are
right is shown elsewhere (test_reference.py).
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from mcugen.base.resources import firmware_dir

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

HERE = Path(__file__).parent
START = HERE.parent / "runtime" / "qemu_host"

FLAGS = [
    "-std=gnu++17",
    "-Os",
    "-ffunction-sections",
    "-fno-exceptions",
    "-fno-rtti",
    "-Wall",
    "-Wextra",
    "-Werror",
]
LINK = ["--specs=rdimon.specs", "-Wl,--gc-sections"]
MACHINE = ["-nographic", "-monitor", "none", "-serial", "none"]

CALLS = 1200
SEED = 20261127


@dataclass(frozen=True)
class Core:
    """A variant's core: how to compile for it, the machine that has it, its RAM, and how many."""

    isa: str
    flags: tuple[str, ...]
    machine: str
    ram: str
    calls: int = CALLS

    def __str__(self) -> str:
        """Name the core."""
        return self.flags[0].removeprefix("-mcpu=")


CORES = (
    Core("dsp", ("-mcpu=cortex-m4", "-mfloat-abi=hard"), "mps2-an386", "0x21000000"),
    Core("mve", ("-mcpu=cortex-m55", "-mfloat-abi=hard"), "mps3-an547", "0x60000000"),
    Core("mla", ("-mcpu=cortex-m3",), "mps2-an385", "0x21000000", calls=1000),
    Core("mla", ("-mcpu=cortex-m0plus",), "mps2-an385", "0x21000000", calls=1000),
)


@pytest.mark.parametrize("core", CORES, ids=str)
def test_kernels_of_an_instruction_set_equal_the_scalar_ones(core: Core, tmp_path: Path) -> None:
    """A wrong offset, a border taken for a pixel, a sum without room: any byte that differs."""
    for tool in ("arm-none-eabi-g++", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    kernels = firmware_dir() / "kernels"
    sources = [
        *kernels.glob(f"*_{core.isa}.cpp"),
        *kernels.glob(f"*_{core.isa}*.S"),
        *kernels.glob("*_s8_scalar.cpp"),
        kernels / "minmax_scalar.cpp",
    ]
    elf = tmp_path / "variants.elf"
    script = tmp_path / "machine.ld"
    script.write_text(
        START.with_suffix(".ld").read_text().replace("0x21000000", core.ram).replace("4M", "512K")
    )
    given = [f"-DCALLS={core.calls}", f"-DSEED={SEED}", "-I", str(firmware_dir())]
    files = [HERE / "variants.cpp", START.with_suffix(".cpp"), *sorted(sources)]
    subprocess.run(
        [
            *("arm-none-eabi-g++", *core.flags, "-mthumb", *FLAGS, *given),
            *(*map(str, files), *LINK, "-T", str(script), "-o", str(elf)),
        ],
        check=True,
    )

    done = subprocess.run(
        [
            "qemu-system-arm",
            *("-M", core.machine, *MACHINE),
            "-semihosting-config",
            "enable=on,target=native",
            "-kernel",
            str(elf),
        ],
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    # The greater part has enough working memory for the fast form.
    fast = int(done.stdout.split(" calls, ")[1].split()[0])
    assert fast > core.calls // 4
    if core.isa == "dsp" or str(core) == "cortex-m3":
        winograd = int(done.stdout.split(" with scratch, ")[1].split()[0])
        assert winograd > core.calls // 10
