# SPDX-License-Identifier: BSD-3-Clause
"""The stack that is planned for a model holds it, by the image's machine code and as measured.

On the CPUs that test_recorded_figures.py builds no image for: it does the same with each of its.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stack_check import check_stack

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

NETS = Path(__file__).parent.parent / "golden" / "mlperf_tiny"
#: The deepest call is made in each inference: two are as good as 256.
FEW = ("--samples", "2", "--runs", "1", "--warmups", "0")


def check(mcugen, tmp_path, model, board):
    done = mcugen("run", model, "--board", board, "--simulate", *FEW, "--json", cwd=tmp_path)
    report = json.loads(done.stdout)
    firmware = report["firmware"]
    peak, total = report["device"]["memory"]["stack"]

    assert total == firmware["stack_bytes"]
    check_stack(Path(firmware["elf"]), peak)


@pytest.mark.parametrize("board", ["qemu-m3", "qemu-m7", "qemu-m33"])
def test_convolutions(mcugen, tmp_path, board):
    """From a file: what is exported for a core is shown by test_run.py and tests/differential."""
    check(mcugen, tmp_path, NETS / "kws_cm_q_m4.pte", board)


def test_golden_file_in_float(mcugen, tmp_path):
    """An image with operators for both types also gives the published runtime's bytes."""
    file = NETS / "kws_cm_m4.pte"
    check(mcugen, tmp_path, file, "qemu-m4")
    # The same project: nothing is built again.
    mcugen(
        *("infer", file, "--board", "qemu-m4", "--output", tmp_path / "out.bin"),
        *("--input", NETS / "kws_input_f32.bin"),
        cwd=tmp_path,
    )

    assert (tmp_path / "out.bin").read_bytes() == (
        NETS / "kws_cm_upstream_out.f32.bin"
    ).read_bytes()
