# SPDX-License-Identifier: BSD-3-Clause
"""The estimate of a network's instructions beside what was counted when figures were recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcugen.boards.load import load_board
from mcugen.boards.spec import Isa
from mcugen.program.cost_estimate import estimated_instructions
from mcugen.program.read import read_pte

TESTS = Path(__file__).parents[2]
RECORDED = json.loads((TESTS / "bench" / "recorded.json").read_text())["figures"]


@pytest.mark.parametrize("board", ["qemu-m3", "qemu-m4", "qemu-m55"])
@pytest.mark.parametrize("network", ["kws", "ic", "ad"])
def test_it_is_within_a_factor_of_two(network: str, board: str) -> None:
    isa = load_board(board).isa
    lowered_for = "m55" if isa is Isa.MVE else "m4"
    path = TESTS / "golden" / "mlperf_tiny" / f"{network}_cm_q_{lowered_for}.pte"
    artifact = read_pte(path.read_bytes(), name=network)

    estimated = sum(estimated_instructions(artifact, isa))

    counted = RECORDED[f"{network} {board} balanced"]["instructions"]
    assert counted / 2 < estimated < 2 * counted
