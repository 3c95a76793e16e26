# SPDX-License-Identifier: BSD-3-Clause
"""What calls of every operator, and the golden files, really use of the stack on every CPU.

The peak of a device is that of all it has run. So what needs least comes first, and each may raise
the peak up to its own limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import pytest
from case_counts import CASES, chosen
from harness import BOARDS, FAMILIES, Reference
from op_case import OpCase

from mcugen.boards.load import load_board
from mcugen.device.runner import Runner
from mcugen.program.memory import STACK_MARGIN_BYTES, stack_bytes
from mcugen.program.operator_table import names, operator
from mcugen.program.read import read_pte

pytestmark = [pytest.mark.torch, pytest.mark.toolchain, pytest.mark.qemu]

GOLDEN = Path(__file__).parent.parent / "golden" / "mlperf_tiny"
BATCH = 40  #: cases per program
#: They set where a tensor lies, or how large it is: no case can describe them, the golden files
#: and tests/kernels/test_resized_tensors.py call them.
WITHOUT_CASES = {"executorch_prim::et_view.default", "executorch_prim::et_copy_index.tensor"}


@pytest.fixture(scope="module")
def programs(reference: Reference) -> list[tuple[int, str, bytes]]:
    """The stack planned for a program, what it is, its bytes; ascending."""
    found = []
    for file in sorted(GOLDEN.glob("*.pte")):
        data = file.read_bytes()
        used = [use.name for use in read_pte(data, name=file.stem).operators]
        found.append((stack_bytes(used, full_runtime=True), file.stem, data))
    assert len(found) == 16
    calls: dict[tuple[str, tuple[str, ...]], OpCase] = {}
    for family in FAMILIES:
        for _, case in chosen(family, 0, CASES):
            calls.setdefault((case.op, tuple(out.dtype for out in case.outs)), case)
    assert {op for op, _ in calls} | WITHOUT_CASES == set(names())
    by_need = sorted(calls.values(), key=lambda case: operator(case.op).stack_bytes)
    for _, group in groupby(by_need, key=lambda case: operator(case.op).stack_bytes):
        cases = [case for case, answer in reference.expect([*group]) if not isinstance(answer, str)]
        for at in range(0, len(cases), BATCH):
            some = cases[at : at + BATCH]
            planned = stack_bytes((case.op for case in some), full_runtime=True)
            found.append((planned, some[0].op, reference.ask("build", some).pte))
    return sorted(found, key=lambda program: program[0])


@pytest.fixture
def runner(request: pytest.FixtureRequest, runner_elf: Callable[[str], Path]) -> Iterator[Runner]:
    """A runner that nothing has run on."""
    with Runner.simulate(load_board(request.param), runner_elf(request.param)) as runner:
        yield runner


@pytest.mark.parametrize("runner", BOARDS, indirect=True)
def test_peaks_stay_below_the_plan(runner: Runner, programs: list[tuple[int, str, bytes]]) -> None:
    idle = runner.client.info().memory["stack"].used_bytes
    peaks = []
    for planned, what, pte in programs:
        runner.push(pte)
        runner.run([])
        peak = runner.client.info().memory["stack"].used_bytes
        peaks.append((peak, planned, what))

    assert all(peak <= planned - STACK_MARGIN_BYTES for peak, planned, _ in peaks), peaks
    assert 0 < idle <= peaks[-1][0]
