# SPDX-License-Identifier: BSD-3-Clause
"""Kernels of an instruction set against the scalar ones, on random calls, on the emulated core.

variants.cpp has both in one bare-metal image, without operators and model: thousands of shapes,
paddings, zero points, scalings and sizes of working memory in seconds. That the scalar kernels are
right is shown elsewhere (test_reference.py).
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mcugen.base.resources import firmware_dir

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

HERE = Path(__file__).parent
START = HERE.parent / "runtime" / "qemu_host"

CORE = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
FLAGS = ["-std=gnu++17", "-Os", "-ffunction-sections", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror"]
LINK = ["--specs=rdimon.specs", "-Wl,--gc-sections", "-T", str(START.with_suffix(".ld"))]
MACHINE = ["-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"]

CALLS = 4000
SEED = 20261127


def test_kernels_with_the_dsp_extension_equal_the_scalar_ones(tmp_path: Path) -> None:
    """A wrong offset, a border taken for a pixel, a sum without room: any byte that differs."""
    for tool in ("arm-none-eabi-g++", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    kernels = firmware_dir() / "kernels"
    sources = [
        *kernels.glob("*_dsp.cpp"),
        *kernels.glob("*_dsp.S"),
        *kernels.glob("*_s8_scalar.cpp"),
    ]
    elf = tmp_path / "variants.elf"
    given = [f"-DCALLS={CALLS}", f"-DSEED={SEED}", "-I", str(firmware_dir())]
    files = [HERE / "variants.cpp", START.with_suffix(".cpp"), *sorted(sources)]
    subprocess.run(
        ["arm-none-eabi-g++", *CORE, *FLAGS, *given, *map(str, files), *LINK, "-o", str(elf)],
        check=True,
    )

    done = subprocess.run(
        [
            "qemu-system-arm",
            *MACHINE,
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
    assert fast > CALLS // 4
    winograd = int(done.stdout.split(" with scratch, ")[1].split()[0])
    assert winograd > CALLS // 10
