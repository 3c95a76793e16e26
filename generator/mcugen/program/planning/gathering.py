# SPDX-License-Identifier: BSD-3-Clause
"""Tensors of one type and shape moved to few places, so that they can be one value.

After planned memory has been planned, and in no more of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from mcugen.program.memory import ALIGNMENT, align_up
from mcugen.program.planning.lifetimes import Block
from mcugen.program.planning.overlapping import Overlap
from mcugen.program.planning.sharing import kind, shareable
from mcugen.program.planning.work_space import set_offset
from mcugen.program.values import instructions, tensor_bytes


def gather(
    plan: Any,
    blocks: Sequence[Block],
    total: int,
    fixed: Collection[int],
    overlaps: Iterable[Overlap],
) -> None:
    """Change offsets such that `share_values` finds as many equal tensors as it may.

    blocks: of one memory of `total` bytes, where their values' offsets say; fixed: calls whose
    tensors stay there; overlaps: leave for others.
    """
    stay = {index for position in fixed for index in instructions(plan)[position].args}
    may = shareable(plan)
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i, block in enumerate(blocks):
        (index, *others) = block.members
        alone = not others and not block.always and index in may
        groups.setdefault(kind(plan, index) if alone else (i,), []).append(i)
    movable = {
        i for i, each in enumerate(blocks) if not each.always and stay.isdisjoint(each.members)
    }
    leave = {(each.result, each.operand): each for each in overlaps if each.call not in fixed}
    places = _Places(plan, blocks, total, groups.values(), movable, leave)
    for block, offset in zip(blocks, places.best(), strict=True):
        for index, inside in block.members.items():
            set_offset(plan.values[index].val.allocation_info, offset + inside)


class _Places:
    """Offsets of blocks; those of a group are best at few of them."""

    def __init__(
        self,
        plan: Any,
        blocks: Sequence[Block],
        total: int,
        groups: Iterable[list[int]],
        movable: set[int],
        leave: Mapping[tuple[int, int], Overlap],
    ) -> None:
        self.total, self.movable, self.leave = total, movable, leave
        self.groups = [sorted(each, key=lambda i: blocks[i].first) for each in groups]
        # Of scratch the block may say less than it has by now.
        self.sizes = [
            align_up(max(at + tensor_bytes(plan.values[i].val) for i, at in block.members.items()))
            for block in blocks
        ]
        self.start = [
            int(plan.values[index].val.allocation_info.memory_offset) - inside
            for block in blocks
            for index, inside in (next(iter(block.members.items())),)
        ]
        self.meets = [
            [
                j
                for j, other in enumerate(blocks)
                if j != i and other.first <= block.last and block.first <= other.last
            ]
            for i, block in enumerate(blocks)
        ]

    def best(self) -> list[int]:
        """Return the offsets with fewest places, the first of such: as it was, moved, anew."""
        by_size = sorted(self.groups, key=lambda each: -self.sizes[each[0]])
        by_count = sorted(by_size, key=lambda each: -len(each))
        none = [None if i in self.movable else at for i, at in enumerate(self.start)]
        tried = [self.start]
        for groups, start in ((by_size, self.start), (by_count, none), (by_size, none)):
            found = self._settled(groups, start)
            if found is not None:
                tried.append(found)
        return min(tried, key=lambda each: sum(len({each[i] for i in g}) for g in self.groups))

    def _settled(
        self, groups: Iterable[list[int]], start: Sequence[int | None]
    ) -> list[int] | None:
        """Return offsets with the blocks of each group where most can lie, of the others most, ...

        start: what is None is put anew. None if that is not possible.
        """
        offsets = list(start)
        for group in groups:
            left = group
            while left:
                places = self._places(self.sizes[left[0]], offsets)
                tried = [self._moved(left, at, offsets) for at in places]
                there, offsets = max(tried, key=lambda each: len(each[0]), default=([], offsets))
                if not there:
                    return None
                left = [i for i in left if i not in there]
        return [at for at in offsets if at is not None]

    def _places(self, size: int, offsets: Sequence[int | None]) -> list[int]:
        """Return where a block may be put: beside others, at the ends of memory."""
        places = {0, (self.total - size) & -ALIGNMENT}
        for at, each in zip(offsets, self.sizes, strict=True):
            if at is not None:
                places |= {at, at + each, at - size}
        return sorted(at for at in places if 0 <= at <= self.total - size)

    def _moved(
        self, group: Sequence[int], at: int, start: Sequence[int | None]
    ) -> tuple[list[int], list[int | None]]:
        """Return which blocks of a group lie at a place once all that can be are, and offsets."""
        offsets, there = list(start), []
        for i in group:
            if offsets[i] == at or (i in self.movable and self._is_free(i, at, offsets)):
                offsets[i] = at
                there.append(i)
        return there, offsets

    def _is_free(self, i: int, at: int, offsets: Sequence[int | None]) -> bool:
        """Return whether block i lies apart from others at a place, or as it may."""
        for j in self.meets[i]:
            other = offsets[j]
            if other is None or at + self.sizes[i] <= other or other + self.sizes[j] <= at:
                continue
            pairs = ((i, j), other - at), ((j, i), at - other)
            if not any(pair in self.leave and self.leave[pair].allows(d) for pair, d in pairs):
                return False
        return True
