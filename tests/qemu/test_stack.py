# SPDX-License-Identifier: BSD-3-Clause
"""The stack that is planned for a model holds it, by the image's machine code and as measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import BOARDS
from stack_bound import Image

from mcugen.program import memory

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

NETS = Path(__file__).parent.parent / "golden" / "mlperf_tiny"


def check(mcugen, tmp_path, model, board):
    report = json.loads(
        mcugen("run", model, "--board", board, "--simulate", "--json", cwd=tmp_path).stdout
    )
    firmware = report["firmware"]
    image = Image(Path(firmware["elf"]))
    planned = firmware["stack_bytes"]
    peak, total = report["device"]["memory"]["stack"]

    assert total == planned
    assert 0 < peak <= image.most_bytes
    assert image.most_bytes + memory.STACK_MARGIN_BYTES <= planned
    assert image.base_bytes <= memory.STACK_BASE_BYTES, image.deepest("reset_handler")
    assert image.at_call_bytes <= memory.STACK_AT_CALL_BYTES


@pytest.mark.parametrize("board", BOARDS)
def test_digits(mcugen, tmp_path, board):
    check(mcugen, tmp_path, "digits", board)


@pytest.mark.parametrize("model", ["kws_cm_m4", "vww_cm_q_m4", "ic_cm_m4", "ad_cm_q_m4"])
def test_golden_files(mcugen, tmp_path, model):
    check(mcugen, tmp_path, NETS / f"{model}.pte", "qemu-m4")
