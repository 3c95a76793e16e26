# SPDX-License-Identifier: BSD-3-Clause
"""The plan for a board: the quick one, or where that does not fit the one with least memory."""

from __future__ import annotations

from dataclasses import replace

from mcugen.base.errors import DoesNotFitError
from mcugen.boards.spec import BoardSpec
from mcugen.program.artifact import PteArtifact
from mcugen.program.level import Level
from mcugen.program.memory import plan_memory
from mcugen.program.planning.arrange import Passes, arrange


def arrange_for(
    artifact: PteArtifact, board: BoardSpec, level: Level = Level.BALANCED
) -> PteArtifact:
    """Return the artifact prepared and planned for a board's kernels and memory.

    What does not fit even without scratch of its own is returned all the same: `plan_memory` says
    what is missing. Raises PteError as `arrange` does.
    """
    quick = Passes(board.isa, level)
    for passes in (*((replace(quick, wide=True),) if _is_wide(board, level) else ()), quick):
        arranged = arrange(artifact, passes)
        try:
            plan_memory(arranged, board)
        except DoesNotFitError:
            continue
        return arranged
    return arrange(artifact, replace(quick, lean=True))


def _is_wide(board: BoardSpec, level: Level) -> bool:
    """Return whether weights of twice their bytes are quicker: not where flash is waited for."""
    flash = next(region for region in board.regions if "model" in region.roles)
    return level is Level.SPEED and flash.wait is None
