# SPDX-License-Identifier: BSD-3-Clause
"""The stack that is planned for a model holds it, by the image's machine code and as measured.

Of golden files the image also gives the published runtime's bytes: see test_workloads.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import BOARDS
from stack_bound import Image

from mcugen.program import memory

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

NETS = Path(__file__).parent.parent / "golden" / "mlperf_tiny"


#: The deepest call is made in each inference: two are as good as 256.
FEW = ("--samples", "2", "--runs", "1", "--warmups", "0")


def check(mcugen, tmp_path, model, board):
    done = mcugen("run", model, "--board", board, "--simulate", *FEW, "--json", cwd=tmp_path)
    report = json.loads(done.stdout)
    firmware = report["firmware"]
    image = Image(Path(firmware["elf"]))
    planned = firmware["stack_bytes"]
    peak, total = report["device"]["memory"]["stack"]

    assert total == planned
    assert 0 < peak <= image.most_bytes
    assert image.most_bytes + memory.STACK_MARGIN_BYTES <= planned
    assert image.base_bytes <= memory.STACK_BASE_BYTES, image.deepest("reset_handler")
    assert image.at_call_bytes <= memory.STACK_AT_CALL_BYTES


@pytest.mark.parametrize("board", [board for board in BOARDS if board != "qemu-m4"])
def test_convolutions(mcugen, tmp_path, board):
    """From a file: what is exported for a core is shown by test_run.py and tests/differential."""
    made_for = "m55" if board == "qemu-m55" else "m4"
    check(mcugen, tmp_path, NETS / f"kws_cm_q_{made_for}.pte", board)


@pytest.mark.parametrize("model", ["kws_cm_m4", "vww_cm_q_m4", "ic_cm_m4", "ad_cm_q_m4"])
def test_golden_files(mcugen, tmp_path, model):
    name = model.partition("_")[0]
    given, made = ("i8", "q_upstream_out.i8") if "_q_" in model else ("f32", "upstream_out.f32")
    file = NETS / f"{model}.pte"
    check(mcugen, tmp_path, file, "qemu-m4")
    # The same project: nothing is built again.
    mcugen(
        *("infer", file, "--board", "qemu-m4", "--output", tmp_path / "out.bin"),
        *("--input", NETS / f"{name}_input_{given}.bin"),
        cwd=tmp_path,
    )

    assert (tmp_path / "out.bin").read_bytes() == (NETS / f"{name}_cm_{made}.bin").read_bytes()
