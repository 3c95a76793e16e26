# SPDX-License-Identifier: BSD-3-Clause
"""The model board refuses what a board would not forgive: else test_boot.py would prove nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import emulator
import pytest
from chip_stm32f4 import Stm32F4
from emulator import BootError, Machine
from test_boot import BANNER

from mcugen.boards.load import load_board

pytestmark = pytest.mark.toolchain
BOARD = load_board("nucleo_f446re")
ImageOf = Callable[[str], Path]


def boot(image_of: ImageOf, kind: type[Stm32F4]) -> Stm32F4:
    chip = kind(BOARD)
    Machine(BOARD, image_of(BOARD.id), chip).run_until(BANNER)
    return chip


def without(registers: Mapping[str, tuple[int, int]], name: str) -> dict[str, tuple[int, int]]:
    return {n: r for n, r in registers.items() if n != name}


@pytest.mark.parametrize(("register", "how"), [("RCC_CSR", "reads"), ("RCC_PLLCFGR", "writes")])
def test_a_register_that_is_not_there_ends_the_run(
    image_of: ImageOf, register: str, how: str
) -> None:
    class Lacking(Stm32F4):
        registers = without(Stm32F4.registers, register)

    with pytest.raises(BootError, match=f"{how} {Stm32F4.registers[register][0]:#x}"):
        boot(image_of, Lacking)


def test_memory_that_is_not_there_ends_the_run(image_of: ImageOf) -> None:
    machine = Machine(BOARD, image_of(BOARD.id), Stm32F4(BOARD))
    machine.uc.mem_unmap(BOARD.region_for("data").start, 0x1000)

    with pytest.raises(BootError, match="no memory of nucleo_f446re"):
        machine.run_until(BANNER)


def test_a_wait_without_end_is_found(image_of: ImageOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "_WAIT_S", 0.2)
    machine = Machine(BOARD, image_of(BOARD.id), Stm32F4(BOARD))
    endless = b"\xfe\xe7"  # b .
    machine.uc.mem_write(machine._pc & ~1, endless)

    with pytest.raises(BootError, match=r"a wait without end at .*reset_handler"):
        machine.run_until(BANNER)


def test_what_the_manual_forbids_is_a_problem(image_of: ImageOf) -> None:
    class Slower(Stm32F4):
        """Flash that takes a wait state for each 20 MHz, PWR without over-drive, a slow APB1."""

        def wait_states(self, hclk_hz: int) -> int:
            return (hclk_hz - 1) // 20_000_000

        def bus_limits_hz(self) -> tuple[int, ...]:
            return (30_000_000, 90_000_000)

        part = ((168, 30, 90), {3: 168}, None)

    text = "\n".join(boot(image_of, Slower).problems)

    assert "180,000,000 Hz with 5 wait states, where it takes 8" in text
    assert "a bus at 45,000,000 Hz, above 30,000,000" in text
    assert "VOS 3, which allows 168 MHz" in text


def test_a_store_is_one_instruction(image_of: ImageOf) -> None:
    """Blocks of code that were translated before are not run to their end by a step."""
    places: list[int] = []

    class Watched(Stm32F4):
        def follow(self, name: str, old: int, where: str) -> None:
            places.append(int(where.split()[0], 16))
            super().follow(name, old, where)

    machine = Machine(BOARD, image_of(BOARD.id), Watched(BOARD))
    machine.run_until(BANNER)

    assert len(places) > 15
    for place in places:
        long, short = struct.unpack("<HH", machine.uc.mem_read(place - 4, 4))
        # STR with an immediate or a register (DDI 0403 A7.7.161, A7.7.162)
        assert long & 0xFFF0 in (0xF840, 0xF8C0) or short >> 11 == 12 or short >> 9 == 0x28
