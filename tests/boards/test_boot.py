# SPDX-License-Identifier: BSD-3-Clause
"""The image of each board from reset to its first line, and what it then says of itself.

It is the image that is flashed, on a CPU without peripherals over a model of its chip's registers
(emulator.py). Each oscillator, regulator and switch in turn does not come up.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from chips import CHIPS
from emulator import Machine

from mcugen.boards.load import list_boards, load_board

BOARDS = [board.id for board in list_boards() if not board.simulated_only]
BANNER = b"m-ready\r\n"
# Half of what a receiver that samples 16 times a bit allows over a byte: the host has the rest.
BAUD_TOLERANCE = 0.02


def ask_info(machine: Machine) -> dict[str, object]:
    """Send the command by the console's interrupt; return what is answered."""
    machine.run_until_asleep()
    machine.sent.clear()
    for byte in b"mcugen info%":
        machine.chip.receive(byte)
        machine.interrupt(machine.chip.receive_irq())
    text = machine.run_until(BANNER).decode()
    found = text.split("m-mcugen-info-")[1].splitlines()[0]
    return json.loads(found)


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("board_id", "dead"),
    [
        (board.id, dead)
        for board in map(load_board, BOARDS)
        if board.bsp in CHIPS  # else the last test fails
        for dead in CHIPS[board.bsp].failures(board)
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value) or "sound",
)
def test_boots(image_of: Callable[[str], Path], board_id: str, dead: tuple[str, ...]) -> None:
    board = load_board(board_id)
    chip = CHIPS[board.bsp](board, dead)
    machine = Machine(board, image_of(board_id), chip)

    banner = machine.run_until(BANNER)
    info = ask_info(machine)

    clocks = chip.clocks()
    chip.check_end(clocks)
    assert banner.startswith(b"m-timestamp-mode-performance\r\n")
    assert chip.problems == []
    assert (info["clock_hz"], info["clock_source"]) == (clocks.core_hz, clocks.source)
    assert abs(chip.baud(clocks) / board.console.baud - 1) < BAUD_TOLERANCE
    if not dead:
        assert clocks.core_hz == chip.highest_hz() == board.clock_hz


def test_every_family_has_a_model() -> None:
    assert {load_board(board).bsp for board in BOARDS} <= set(CHIPS)
