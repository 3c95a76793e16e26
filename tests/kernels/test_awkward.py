# SPDX-License-Identifier: BSD-3-Clause
"""Layers of awkward shapes: the same bytes as the scalar kernels', in no more instructions.

awkward.cpp has the layers: seven channels, 5x1 kernels, stride 3, dilation, groups, odd sizes,
depth multipliers, single pixels, signals; each with much, little and no working memory.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from bare_metal import CORES, Core, build, run

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

#: What it may cost to see that a call is one for the scalar kernel; Armv6-M has no division.
CHOICE, CHOICE_ARMV6M = 800, 1300


@pytest.mark.parametrize("core", CORES, ids=str)
def test_no_layer_is_slower_than_by_the_scalar_kernel(core: Core, tmp_path: Path) -> None:
    elf = build(core, tmp_path, "awkward.cpp", f"-DHZ={core.hz}")

    done = run(core, elf, "-icount", "shift=0")

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    rows = [line.split("|") for line in done.stdout.splitlines()]
    assert len(rows) > 350
    assert [row for row in rows if int(row[4])] == []
    choice = CHOICE_ARMV6M if str(core) == "cortex-m0plus" else CHOICE
    slower = [row for row in rows if int(row[3]) > 1.02 * int(row[2]) + choice]
    assert slower == []
