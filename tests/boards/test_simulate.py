# SPDX-License-Identifier: BSD-3-Clause
"""--simulate: on QEMU's model of the chip, or refused with the name of a board that is like it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mcugen.base.errors import ConfigError
from mcugen.boards import load
from mcugen.boards.load import list_boards, load_board
from mcugen.boards.spec import BoardSpec
from mcugen.cli.config import Config
from mcugen.cli.options import Options
from mcugen.cli.settings import resolve_with

CORE = {board.cpu: board.id for board in list_boards() if board.simulated_only}


def simulate(board: BoardSpec, root: Path) -> bool:
    options = Options(model="kws", board=board.id, simulate=True)
    return resolve_with(options, Config(root=root)).simulate


def assert_refused(board: BoardSpec, root: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        simulate(board, root)
    assert refused.value.exit_code == 2
    assert f"{board.id} cannot be simulated" in str(refused.value)
    assert f"--board {CORE[board.cpu]} --simulate" in (refused.value.hint or "")


@pytest.mark.parametrize("board", list_boards(), ids=lambda board: board.id)
def test_every_board_is_simulated_or_refused(board: BoardSpec, tmp_path: Path) -> None:
    if board.qemu is None:
        assert_refused(board, tmp_path)
    else:
        assert simulate(board, tmp_path)


@pytest.mark.parametrize("cpu", CORE)
def test_the_board_that_is_named_has_the_same_core(
    cpu: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = replace(load_board("nucleo"), id="bare", aliases=(), cpu=cpu, qemu=None)
    boards = (*list_boards(), board)
    monkeypatch.setattr(load, "list_boards", lambda: boards)

    assert_refused(board, tmp_path)
