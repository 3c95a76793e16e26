# SPDX-License-Identifier: BSD-3-Clause
"""The MLPerf Tiny workloads on every core that QEMU has: the published runtime's bytes everywhere.

Here float files, and files made for the other ISA; test_push.py has each core's own int8 files, and
tests/differential the golden random networks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import mcugen.cli.suite
from mcugen.boards.load import load_board
from mcugen.boards.spec import Isa
from mcugen.device.runner import Runner
from mcugen.device.timing import counted
from mcugen.program.container import deserialize, find_method
from mcugen.program.describe import operator_uses
from mcugen.program.planning.arrange import Passes, arrange_plan
from mcugen.program.read import read_pte
from mcugen.program.strip import serialize

PUBLISHED = Path(mcugen.cli.suite.__file__).parent / "published.json"
GOLDEN = Path(__file__).parent.parent / "golden" / "mlperf_tiny"
BOARDS = ("qemu-m0", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55")
WORKLOADS = ("kws_cm_q_m55", "kws_cm_m55", "ad_cm_m4", "ic_cm_q_m55")
#: The float files that no other test runs, on their own core.
OWN = (
    *(("vww_cm_m4", "qemu-m4"), ("ic_cm_m4", "qemu-m4")),
    *(("ic_cm_m55", "qemu-m55"), ("ad_cm_m55", "qemu-m55")),
)
#: tests/qemu/test_push.py has the M55's own int8 files.
CASES = [
    pytest.param(name, board, id=f"{name}-{board}", marks=pytest.mark.xdist_group(board))
    for name, board in (*((name, board) for name in WORKLOADS for board in BOARDS), *OWN)
    if not ("_q_" in name and board == "qemu-m55")
]

pytestmark = pytest.mark.qemu


@pytest.mark.parametrize("name, board", CASES)
def test_workload(name: str, board: str, runners: Callable[[str], Runner]) -> None:
    model, _, _ = name.partition("_")
    int8 = "_q_" in name
    inputs = GOLDEN / f"{model}_input_{'i8' if int8 else 'f32'}.bin"
    expected = GOLDEN / f"{model}_cm_{'q_upstream_out.i8' if int8 else 'upstream_out.f32'}.bin"
    runner = runners(board)
    runner.push((GOLDEN / f"{name}.pte").read_bytes())

    assert runner.run([inputs.read_bytes()]) == [expected.read_bytes()]


@pytest.mark.parametrize("model", ["kws", "vww", "ic", "ad"])
@pytest.mark.parametrize("planned", [True, False], ids=["planned", "as_exported"])
@pytest.mark.xdist_group("qemu-m4")
def test_files_that_are_not_prepared_take_a_fraction_of_the_published(
    model: str, planned: bool, runners: Callable[[str], Runner]
) -> None:
    """ExecuTorch's own operators, no packing.

    As exported, scratch is sized for other kernels: ours take what the runner has besides.
    """
    board = load_board("qemu-m4")
    pte = (GOLDEN / f"{model}_cm_q_m4.pte").read_bytes()
    artifact = read_pte(pte, name=model)
    plan = find_method((file := deserialize(artifact.pte, name=model)).program, name=model)
    if planned:
        arrange_plan(plan, Passes(Isa.DSP))
        pte = serialize(file)
    runner = runners(board.id)
    runner.push(pte)

    outputs, ticks = runner.run_timed([(GOLDEN / f"{model}_input_i8.bin").read_bytes()])

    assert outputs == [(GOLDEN / f"{model}_cm_q_upstream_out.i8.bin").read_bytes()]
    assert all(not use.name.startswith("mcugen::packed") for use in operator_uses(plan))
    info = runner.client.info()
    used = info.memory["temp"].used_bytes
    assert (used == 0) == (planned or model == "ad"), used
    unit, instructions = counted(ticks, info, board, simulated=True)
    published = json.loads(PUBLISHED.read_text())["executorch_cmsis_nn"]["instructions_int8_io"]
    assert unit == "instructions"
    assert instructions <= 0.8 * published["m4"][model]
