# SPDX-License-Identifier: BSD-3-Clause
"""An image that a boot loader jumps to, not a reset: its interrupts may still be on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from chips import CHIPS
from core_registers import NVIC_ICER, NVIC_ICPR, NVIC_ISER
from emulator import Machine

from mcugen.boards.load import load_board


@pytest.mark.toolchain
def test_interrupts_that_are_on_go_off(image_of: Callable[[str], Path]) -> None:
    """Arduino's boot loader has used USB: interrupt 39 has no entry in our vector table."""
    board = load_board("arduino_nano33ble")
    machine = Machine(board, image_of(board.id), CHIPS[board.bsp](board))

    machine.run_until(b"m-ready\r\n")

    for register in (NVIC_ICER, NVIC_ICPR):
        assert [machine.word(register + 4 * i) for i in range(8)] == [0xFFFFFFFF] * 8
    assert machine.word(NVIC_ISER) == 1 << 2  # the console's alone
