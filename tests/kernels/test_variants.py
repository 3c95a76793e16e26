# SPDX-License-Identifier: BSD-3-Clause
"""Kernels of an instruction set against the scalar ones, on random calls, on the emulated core.

variants.cpp has both in one bare-metal image, without operators and model: thousands of shapes,
paddings, zero points, scalings and sizes of working memory in seconds. That the scalar kernels are
right is shown elsewhere (test_reference.py).
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mcugen.base.resources import firmware_dir
from mcugen.project.forms import HEADER as FORMS
from mcugen.project.forms import forms_header

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
    done = _run(core, tmp_path)

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    # The greater part has enough working memory for the fast form.
    fast = int(done.stdout.split(" calls, ")[1].split()[0])
    assert fast > core.calls // 4
    if core.isa == "dsp" or str(core) == "cortex-m3":
        winograd = int(done.stdout.split(" with scratch, ")[1].split()[0])
        assert winograd > core.calls // 10


DSP = replace(CORES[0], calls=300)


def test_forms_that_are_left_out_become_others_with_the_same_results(tmp_path: Path) -> None:
    """Each has a more general one: what was by Winograd goes by a matrix product, and so on."""
    done = _run(
        DSP,
        tmp_path,
        *("kWinograd", "kBorder", "kDepthwiseAsConv", "kPlanes", "kTransposeRows"),
        *("kPackedRows", "kAvgPoolRows", "kMaxPoolRows"),
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert "0 by Winograd" in done.stdout


def test_a_form_that_has_no_other_stops_the_image_by_its_name(tmp_path: Path) -> None:
    """Never another result."""
    done = _run(DSP, tmp_path, "kDepthwiseScalar")

    assert (done.returncode, done.stdout.splitlines()[-1]) == (3, "depthwise_conv2d_s8_scalar")


def _run(core: Core, tmp_path: Path, *left_out: str) -> subprocess.CompletedProcess[str]:
    """Build the image, without some forms of the kernels, and run it."""
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
    header = tmp_path / FORMS
    header.parent.mkdir()
    header.write_bytes(forms_header((firmware_dir() / FORMS).read_bytes(), left_out))
    includes = ["-I", str(tmp_path), "-I", str(firmware_dir())]
    given = [f"-DCALLS={core.calls}", f"-DSEED={SEED}", *includes]
    files = [HERE / "variants.cpp", START.with_suffix(".cpp"), *sorted(sources)]
    subprocess.run(
        [
            *("arm-none-eabi-g++", *core.flags, "-mthumb", *FLAGS, *given),
            *(*map(str, files), *LINK, "-T", str(script), "-o", str(elf)),
        ],
        check=True,
    )
    return subprocess.run(
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
