# SPDX-License-Identifier: BSD-3-Clause
"""Programs as a build prepares them, at each level of `--optimize`, or not at all."""

from __future__ import annotations

from mcugen.boards.load import load_board
from mcugen.program.level import Level
from mcugen.program.planning.fit import arrange_for
from mcugen.program.read import read_pte

#: None: as the exporter has written it.
LEVELS = (None, *Level)


def level_of(number: int, board: int) -> Level | None:
    """Return how a network is prepared for a board: all levels take turns over both."""
    return LEVELS[(number + board) % len(LEVELS)]


def prepared(pte: bytes, board_id: str, level: Level | None) -> bytes:
    """Return the program as a build for the board makes it, weights laid out where it has room."""
    if level is None:
        return pte
    return arrange_for(read_pte(pte, name="prepared"), load_board(board_id), level).pte
