# SPDX-License-Identifier: BSD-3-Clause
"""A board's memory and what goes where in it → the linker script's context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mcugen.boards.spec import BoardSpec, MemoryKind
from mcugen.project.contexts import LinkerContext, LinkerRegion, RamSection

if TYPE_CHECKING:
    from mcugen.program.memory import MemoryPlan

# The order of RAM roles in a region. The stack comes first: it grows down and out of the region.
_RAM_ORDER = (
    ("stack", "stack"),
    ("data", "data"),
    ("planned", ".planned_memory"),
    ("method", ".method_pool"),
    ("temp", ".temp_pool"),
    ("io", ".io_pool"),
)
_RUNNER_ORDER = (("stack", "stack"), ("data", "data"), ("arena", ".model_arena"))


def linker_context(
    plan: MemoryPlan, board: BoardSpec, *, constructors: bool = False
) -> LinkerContext:
    """Return the context of memory.ld. constructors: whether static constructors are run."""
    regions = {role: plan.region_of(role, board).name for role, _ in _RAM_ORDER}
    return _context(
        board, plan.stack_bytes, _RAM_ORDER, regions, arena=None, constructors=constructors
    )


def runner_linker_context(board: BoardSpec, stack_bytes: int) -> LinkerContext:
    """Return the context of memory.ld of a runner: one arena instead of model and pools."""
    arena = board.arena_region.name
    regions = {role: board.region_for(role).name for role in ("stack", "data")} | {"arena": arena}
    return _context(board, stack_bytes, _RUNNER_ORDER, regions, arena=arena)


def _context(
    board: BoardSpec,
    stack_bytes: int,
    sections: Sequence[tuple[str, str]],
    region_names: Mapping[str, str],
    *,
    arena: str | None,
    constructors: bool = False,
) -> LinkerContext:
    stack_region = board.region_for("stack")
    regions = list(board.regions)
    if arena is not None and board.arena is not None:
        regions.append(board.arena)
    return LinkerContext(
        regions=tuple(
            LinkerRegion(
                name=region.name,
                access="rx" if region.kind is MemoryKind.FLASH else "rwx",
                start=region.start,
                length=f"{region.size_bytes // 1024}K",
            )
            for region in regions
        ),
        code=board.region_for("code").name,
        data=board.region_for("data").name,
        model=board.region_for("model").name if arena is None else None,
        arena=arena,
        ram_sections=tuple(RamSection(kind, region_names[role]) for role, kind in sections),
        stack_bytes=stack_bytes,
        stack_guard=all(region.end != stack_region.start for region in board.regions),
        constructors=constructors,
    )
