# SPDX-License-Identifier: BSD-3-Clause
"""Kernels of an instruction set against the scalar ones, on random calls, on the emulated core.

variants.cpp has both in one bare-metal image, without operators and model: thousands of shapes,
paddings, zero points, scalings and sizes of working memory in seconds. That the scalar kernels are
right is shown elsewhere (test_reference.py).

`--kernel-calls N` tries N calls of each kernel, drawn by --seed.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from bare_metal import CORES, Core, build, run

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

SEED = 20261127


@pytest.mark.parametrize("core", CORES, ids=str)
def test_kernels_of_an_instruction_set_equal_the_scalar_ones(
    core: Core, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """A wrong offset, a border taken for a pixel, a sum without room: any byte that differs."""
    calls = pytestconfig.getoption("--kernel-calls")
    done = _run(core, tmp_path, calls, seed=SEED + pytestconfig.getoption("--seed"))

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    # The greater part has enough working memory for the fast form.
    fast = int(done.stdout.split(" calls, ")[1].split()[0])
    assert fast > calls // 4
    if core.isa == "dsp" or str(core) == "cortex-m3":
        winograd = int(done.stdout.split(" with scratch, ")[1].split()[0])
        assert winograd > calls // 10
    if core.isa == "dsp":
        assert int(done.stdout.split(" by Winograd, ")[1].split()[0]) > calls // 2
        assert int(done.stdout.split(" F(4x4), ")[1].split()[0]) > calls // 4


FEW = 150


def test_forms_that_are_left_out_become_others_with_the_same_results(tmp_path: Path) -> None:
    """Each has a more general one: what was by Winograd goes by a matrix product, and so on."""
    done = _run(
        CORES[0],
        tmp_path,
        FEW,
        *("kWinograd", "kPackedWinograd4", "kBorder", "kDepthwiseAsConv", "kPlanes"),
        *("kFourPixels", "kTransposeRows"),
        *("kPackedRows", "kAvgPoolRows", "kMaxPoolRows"),
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert "0 by Winograd" in done.stdout


def test_the_loops_for_size_give_the_same_results(tmp_path: Path) -> None:
    """What --optimize size has instead of a loop for each form."""
    done = _run(CORES[0], tmp_path, FEW, given=("-DMCUGEN_SMALL_KERNELS=1",))

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr


def test_a_form_that_has_no_other_stops_the_image_by_its_name(tmp_path: Path) -> None:
    """Never another result."""
    done = _run(CORES[0], tmp_path, FEW, "kDepthwiseScalar")

    assert (done.returncode, done.stdout.splitlines()[-1]) == (3, "depthwise_conv2d_s8_scalar")


def _run(
    core: Core,
    tmp_path: Path,
    calls: int,
    *left_out: str,
    given: tuple[str, ...] = (),
    seed: int = SEED,
) -> subprocess.CompletedProcess[str]:
    """Build the image, without some forms of the kernels, and run it."""
    given = (f"-DCALLS={calls}", f"-DSEED={seed}", *given)
    return run(core, build(core, tmp_path, "variants.cpp", *given, left_out=left_out))
