# SPDX-License-Identifier: BSD-3-Clause
"""Which region each role's bytes go to, where a board's memories leave a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcugen.boards.spec import MOVABLE_ROLES, ROLES, BoardSpec, MemoryRegion


@dataclass(frozen=True)
class Placement:
    """Where a role's bytes lie, and which faster regions had no room for them."""

    role: str
    nbytes: int
    region: MemoryRegion
    candidates: int  #: regions that may carry the role
    passed: tuple[tuple[MemoryRegion, int], ...] = ()  #: faster ones, and what was left there

    @property
    def why(self) -> str | None:
        """The reason in words; None where there was no choice."""
        if self.candidates < 2:
            return None
        if not self.passed:
            return "the fastest memory it may lie in"
        return "; ".join(f"{region.name} has {free:,} B left" for region, free in self.passed)


def place(sizes: Mapping[str, int], board: BoardSpec) -> tuple[Placement, ...]:
    """Return a placement for each role, those without a choice first.

    The others come by how much an inference does with a byte of them, each into the first of its
    regions, fastest first, that still has room; where none has, into the one with most.
    """
    left = {region.name: region.size_bytes for region in board.regions}
    fixed = [role for role in ROLES if role not in MOVABLE_ROLES]
    placements = []
    for role in (*fixed, *MOVABLE_ROLES):
        candidates = board.regions_for(role)
        nbytes = sizes[role]
        fitting = next((r for r in candidates if left[r.name] >= nbytes), None)
        region = fitting or max(candidates, key=lambda r: left[r.name])
        before = candidates[: candidates.index(region)]
        passed = tuple((r, left[r.name]) for r in before)
        placements.append(Placement(role, nbytes, region, len(candidates), passed))
        left[region.name] -= nbytes
    return tuple(placements)
