# SPDX-License-Identifier: BSD-3-Clause
"""Whether products go by four pixels or by two is decided by what their loops take on a core."""

from __future__ import annotations

import shutil
import subprocess
from itertools import groupby
from pathlib import Path

import pytest

from mcugen.base.resources import firmware_dir
from mcugen.boards.load import list_boards
from mcugen.boards.spec import CPU_ISAS, Isa
from mcugen.device.trace.code import Code, read_code
from mcugen.device.trace.cycles import CycleEstimate
from mcugen.device.trace.log import Block
from mcugen.device.trace.timings import TIMINGS

pytestmark = pytest.mark.toolchain

CPUS = [cpu for cpu, isas in CPU_ISAS.items() if isas[0] is Isa.DSP and cpu in TIMINGS]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Code:
    """Return all loops for cores with the DSP extension, linked."""
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    kernels = firmware_dir() / "kernels"
    elf: Path = tmp_path_factory.mktemp("loops") / "loops.elf"
    sources = [str(kernels / name) for name in ("loops_dsp.S", "loops_four_dsp.S")]
    flags = ["-mcpu=cortex-m4", "-mthumb", "-nostdlib", "-Wl,-e,0", "-I", str(firmware_dir())]
    subprocess.run([compiler, *flags, *sources, "-o", str(elf)], check=True)
    return read_code(elf)


def cycles_per_mac(code: Code, function: str, cpu: str) -> float:
    """Return what the longest stretch of loads and products of a function takes."""
    estimate = CycleEstimate.for_core(code, cpu)
    assert estimate is not None
    inside = [a for a in sorted(code.instructions) if code.function_at(a) == function]
    loop = max(
        (
            list(run)
            for products, run in groupby(inside, lambda a: _is_product(code, a))
            if products
        ),
        key=len,
    )
    products = sum(code.instructions[a].name == "smlad" for a in loop)
    last = code.instructions[loop[-1]]
    behind = Block((last.address + last.size,))
    return estimate.of({(Block(tuple(loop)), behind): 1}) / (2 * products)


def _is_product(code: Code, address: int) -> bool:
    return code.instructions[address].name in ("smlad", "ldrd", "ldmia", "ldm")


@pytest.mark.parametrize("cpu", CPUS)
def test_boards_take_the_loop_of_fewer_cycles(code: Code, cpu: str) -> None:
    """Another loop, or other timings of a core, may turn the choice."""
    four = cycles_per_mac(code, "mcugen_dsp_tiles_of_four", cpu)
    two = cycles_per_mac(code, "mcugen_dsp_tiles", cpu)
    boards = [
        board
        for board in list_boards()
        if board.cpu == cpu and board.isa is Isa.DSP and not board.simulated_only
    ]

    assert boards
    assert all(board.loads_are_dear == (four < two) for board in boards)


def test_what_is_simulated_only_counts_instructions() -> None:
    """There are no cycles there."""
    assert not any(board.loads_are_dear for board in list_boards() if board.simulated_only)
