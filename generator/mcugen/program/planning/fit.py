# SPDX-License-Identifier: BSD-3-Clause
"""The plan for a board: the quick one, or where that does not fit the one with least memory."""

from __future__ import annotations

from dataclasses import replace

from mcugen.base.errors import DoesNotFitError
from mcugen.boards.spec import BoardSpec, Isa
from mcugen.program.artifact import PteArtifact
from mcugen.program.level import Level
from mcugen.program.memory import free_bytes, plan_memory
from mcugen.program.packing.conv import Room
from mcugen.program.planning.arrange import Passes, arrange

#: What weights may add to a program at `balanced`: a share of it, or so much where those of
#: Winograd's algorithm are transformed ahead of time, each of which saves most.
_SHARE, _TRANSFORMED_BYTES = 0.1, 40_000


def arrange_for(
    artifact: PteArtifact, board: BoardSpec, level: Level = Level.BALANCED
) -> PteArtifact:
    """Return the artifact prepared and planned for a board's kernels and memory.

    What does not fit even without scratch of its own is returned all the same: `plan_memory` says
    what is missing. Raises PteError as `arrange` does.
    """
    passes = Passes(board.isa, level, room_for(artifact, board, level))
    wide = (replace(passes, wide=True),) if _is_wide(board, level) else ()
    for each in (*wide, passes):
        arranged = arrange(artifact, each)
        try:
            plan_memory(arranged, board)
        except DoesNotFitError:
            continue
        if level is Level.SPEED and len(arranged.planned_buffers) == 1:
            most = arranged.planned_buffers[0] + free_bytes(arranged, board, "planned")
            return arrange(artifact, replace(each, memory=most))
        return arranged
    return arrange(artifact, Passes(board.isa, level, lean=True))


def _is_wide(board: BoardSpec, level: Level) -> bool:
    """Return whether linear weights of twice their bytes are quicker: not where flash is slow."""
    return level is Level.SPEED and board.region_for("model").wait is None


def room_for(artifact: PteArtifact, board: BoardSpec, level: Level) -> Room | None:
    """Return what weights of convolutions may add to a program in a board's flash."""
    if level is Level.SIZE or board.isa is not Isa.DSP:
        return None
    free = free_bytes(artifact, board, "model")
    wait = board.region_for("model").wait
    read = () if wait is None else (wait.line_bytes, wait.wait_states(board.clock_hz))
    share = free if level is Level.SPEED else min(int(_SHARE * len(artifact.pte)), free)
    transformed = free if level is Level.SPEED else min(max(_TRANSFORMED_BYTES, share), free)
    return Room(share, transformed, *read) if free > 0 else None
