# SPDX-License-Identifier: BSD-3-Clause
"""The plan for a board: the quick one, or where that does not fit the one with least memory."""

from __future__ import annotations

from dataclasses import replace

from mcugen.base.errors import DoesNotFitError
from mcugen.boards.spec import BoardSpec
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
    room = room_for(artifact, board, level)
    passes = Passes(board.isa, level, room)
    quick = arrange(artifact, passes)
    try:
        plan_memory(quick, board)
    except DoesNotFitError:
        return arrange(artifact, Passes(board.isa, level, lean=True))
    if level is Level.SPEED and len(quick.planned_buffers) == 1:
        most = quick.planned_buffers[0] + free_bytes(quick, board, "planned")
        return arrange(artifact, replace(passes, memory=most))
    return quick


def room_for(artifact: PteArtifact, board: BoardSpec, level: Level) -> Room | None:
    """Return what weights may add to a program in a board's flash."""
    if level is Level.SIZE:
        return None
    free = free_bytes(artifact, board, "model")
    wait = board.region_for("model").wait
    read = () if wait is None else (wait.line_bytes, wait.wait_states(board.clock_hz))
    share = free if level is Level.SPEED else min(int(_SHARE * len(artifact.pte)), free)
    transformed = free if level is Level.SPEED else min(max(_TRANSFORMED_BYTES, share), free)
    return Room(share, transformed, *read) if free > 0 else None
