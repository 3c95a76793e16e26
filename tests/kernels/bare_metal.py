# SPDX-License-Identifier: BSD-3-Clause
"""Bare-metal images of kernels alone, without operators and model, and the cores that run them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from mcugen.base.resources import firmware_dir
from mcugen.project.forms import HEADER as FORMS
from mcugen.project.forms import forms_header

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


@dataclass(frozen=True)
class Core:
    """A variant's core: how to compile for it, the machine that has it, its RAM and clock."""

    isa: str
    flags: tuple[str, ...]
    machine: str
    ram: str
    hz: int = 25_000_000

    def __str__(self) -> str:
        """Name the core."""
        return self.flags[0].removeprefix("-mcpu=")


CORES = (
    Core("dsp", ("-mcpu=cortex-m4", "-mfloat-abi=hard"), "mps2-an386", "0x21000000"),
    Core("mve", ("-mcpu=cortex-m55", "-mfloat-abi=hard"), "mps3-an547", "0x60000000", 32_000_000),
    Core("mla", ("-mcpu=cortex-m3",), "mps2-an385", "0x21000000"),
    Core("mla", ("-mcpu=cortex-m0plus",), "mps2-an385", "0x21000000"),
)


def build(core: Core, folder: Path, main: str, *given: str, left_out: Sequence[str] = ()) -> Path:
    """Build an image of `main` with the kernels of the core, without some forms; return it."""
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
    elf = folder / "image.elf"
    script = folder / "machine.ld"
    text = START.with_suffix(".ld").read_text()
    script.write_text(text.replace("0x21000000", core.ram).replace("4M", "512K"))
    header = folder / FORMS
    header.parent.mkdir()
    header.write_bytes(forms_header((firmware_dir() / FORMS).read_bytes(), left_out))
    includes = ["-I", str(folder), "-I", str(firmware_dir())]
    files = [HERE / main, START.with_suffix(".cpp"), *sorted(sources)]
    subprocess.run(
        [
            *("arm-none-eabi-g++", *core.flags, "-mthumb", *FLAGS, *given, *includes),
            *(*map(str, files), *LINK, "-T", str(script), "-o", str(elf)),
        ],
        check=True,
    )
    return elf


def run(core: Core, elf: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run an image on the core's machine."""
    semihosting = ("-semihosting-config", "enable=on,target=native")
    return subprocess.run(
        [
            *("qemu-system-arm", "-M", core.machine, *MACHINE, *options, *semihosting),
            *("-kernel", str(elf)),
        ],
        capture_output=True,
        text=True,
        timeout=600,
    )
