# SPDX-License-Identifier: BSD-3-Clause
"""The plan for a board: the quick one, or where that does not fit the one with least memory."""

from __future__ import annotations

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
    quick = arrange(artifact, Passes(board.isa, level))
    try:
        plan_memory(quick, board)
    except DoesNotFitError:
        return arrange(artifact, Passes(board.isa, level, lean=True))
    return quick
