# SPDX-License-Identifier: BSD-3-Clause
"""Offsets for blocks of which some may overlap: first fit, in orders that get better.

Of plans that need the same, the one that leaves most room beside working memory.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from mcugen.program.planning.placement import Interval, Placement, largest_gap

#: Orders that are tried, each from the best one so far, while the bound is not reached.
_MOST_ORDERS = 600


@dataclass(frozen=True)
class Overlap:
    """Leave for the result of a call to lie over its operand."""

    call: int  #: the instruction, when both live
    result: int  #: the blocks
    operand: int
    distance: int  #: bytes, of the alignment: result + distance <= operand, of their offsets
    unit: int  #: operand - result is a multiple of it; itself one of the alignment

    def allows(self, apart: int) -> bool:
        """Whether the operand may lie so many bytes behind the result."""
        return apart >= self.distance and apart % self.unit == 0


@dataclass(frozen=True)
class _Above:
    """The same, of two blocks: `upper - lower >= distance`, and `shift` off a multiple of unit."""

    lower: int
    upper: int
    distance: int
    unit: int
    shift: int = 0


def place_overlapping(
    blocks: Sequence[Interval], overlaps: Sequence[Overlap], room: int = 0
) -> Placement:
    """Return offsets such that blocks that live at the same time do not overlap, but by leave.

    room: bytes that the memory may have without harm, if that fulfils wishes.

    The same blocks always give the same offsets. Sizes that are multiples of an alignment give
    offsets that are.
    """
    bound = bound_overlapping(blocks, overlaps)
    upwards = _Fit(blocks, [_Above(o.result, o.operand, o.distance, o.unit) for o in overlaps])
    # The same from the other end of the memory, where results lie above their operands.
    downwards = _Fit(
        blocks,
        [
            _Above(o.operand, o.result, o.distance + more, o.unit, more)
            for o in overlaps
            for more in (blocks[o.operand].size - blocks[o.result].size,)
        ],
    )
    candidates = [
        (fit.cost(order), n, fit, order)
        for n, (fit, order) in enumerate(
            (fit, sorted(range(len(blocks)), key=lambda i: key(blocks[i], i)))
            for fit in (upwards, downwards)
            for key in _ORDERS
        )
    ]
    cost, _, best, order = min(candidates, key=lambda each: each[:2])
    least = (bound, -sum(block.wish > 0 for block in blocks))
    chance = random.Random(0)
    for _ in range(_MOST_ORDERS):
        if cost <= least:
            break
        tried = list(order)
        tried.insert(chance.randrange(len(tried)), tried.pop(chance.randrange(len(tried))))
        costs = best.cost(tried)
        if costs <= cost:
            cost, order = costs, tried
    low = best.offsets(order)
    offsets = min(
        (
            [
                _total(blocks, found) - at - block.size
                for at, block in zip(found, blocks, strict=True)
            ]
            if best is downwards
            else found
            for found in (low, best.moved_up(low, min(room, _most(blocks))))
        ),
        key=lambda found: _grown(blocks, found, room),
    )
    total = _total(blocks, offsets)
    overlapping = [
        o.call
        for o in overlaps
        if offsets[o.result] < offsets[o.operand] + blocks[o.operand].size
        and offsets[o.operand] < offsets[o.result] + blocks[o.result].size
    ]
    return Placement(tuple(offsets), total, bound, tuple(overlapping))


def _total(blocks: Sequence[Interval], offsets: Sequence[int]) -> int:
    return max((o + b.size for o, b in zip(offsets, blocks, strict=True)), default=0)


def _grown(blocks: Sequence[Interval], offsets: Sequence[int], room: int) -> tuple[float, int]:
    """Return how much of their wishes blocks get, negative, and the bytes of memory with that."""
    total = end = _total(blocks, offsets)
    got = 0.0
    for i, block in enumerate(blocks):
        if block.wish:
            free, offset = largest_gap(blocks, offsets, max(room, total), i)
            got += min(1, free / block.wish)
            end = max(end, offset + min(free, block.wish))
    return -got, end


def _most(blocks: Sequence[Interval]) -> int:
    """Return the bytes with which all wishes would be fulfilled."""
    return max(
        (
            block.wish + sum(o.size for o in blocks if o is not block and o.meets(block))
            for block in blocks
            if block.wish
        ),
        default=0,
    )


#: Large blocks first, as a rule; along a chain of overlaps one end of it first.
_ORDERS = (
    lambda block, i: (-block.size, block.first - block.last, i),
    lambda block, i: (-block.size, -block.first, i),
    lambda block, i: (-block.size, block.first, i),
    lambda block, i: (block.first - block.last, -block.size, i),
    lambda block, i: (-block.first, -block.size, i),
    lambda block, i: (block.first, -block.size, i),
)


def bound_overlapping(blocks: Sequence[Interval], overlaps: Sequence[Overlap]) -> int:
    """Return the largest sum of what lives at one time, less what may overlap then."""
    saved: dict[int, int] = {}
    for o in overlaps:
        operand, result = blocks[o.operand].size, blocks[o.result].size
        least = max(result, operand + max(0, o.distance))
        saved[o.call] = max(0, operand + result - least)
    return max(
        sum(block.size for block in blocks if block.first <= time <= block.last)
        - saved.get(time, 0)
        for time in {time for block in blocks for time in (block.first, block.last)}
    )


class _Fit:
    """Blocks put down one after the other, each at the lowest place that is free for it."""

    def __init__(self, blocks: Sequence[Interval], above: Sequence[_Above]) -> None:
        self.blocks = blocks
        self.meets = [
            [j for j, other in enumerate(blocks) if j != i and block.meets(other)]
            for i, block in enumerate(blocks)
        ]
        self.leave = {(each.lower, each.upper): each for each in above}

    def cost(self, order: Sequence[int]) -> tuple[int, float]:
        """Return the bytes of memory, and how much of their wishes blocks get, negative."""
        offsets = self.offsets(order)
        total = _total(self.blocks, offsets)
        return total, -sum(self._fulfilled(offsets, total))

    def _fulfilled(self, offsets: Sequence[int], total: int) -> list[float]:
        """Return how much of its wish each block gets that has one."""
        return [
            min(1, largest_gap(self.blocks, offsets, total, i)[0] / block.wish)
            for i, block in enumerate(self.blocks)
            if block.wish
        ]

    def offsets(self, order: Sequence[int]) -> list[int]:
        found = [-1] * len(self.blocks)
        for i in order:
            at, moved = 0, True
            while moved:
                moved = False
                for j in self.meets[i]:
                    if found[j] >= 0:
                        free = self._free(i, at, j, found[j])
                        moved |= free != at
                        at = free
            found[i] = at
        return found

    def moved_up(self, offsets: Sequence[int], room: int) -> list[int]:
        """Return the offsets with blocks at the upper end where no working memory gets less."""
        found, blocks = list(offsets), self.blocks
        total = max(room, _total(blocks, found))
        wishes = self._fulfilled(found, total)
        kept = [[j for j in meets if not blocks[j].wish] for meets in self.meets]
        for i in sorted(range(len(found)), key=lambda i: -found[i]):
            if blocks[i].wish:
                continue
            tried = {top - blocks[i].size for top in (total, *(found[j] for j in kept[i]))}
            for j in kept[i]:
                below = self.leave.get((i, j))
                if below is not None:
                    least = found[j] - below.distance
                    tried.add(least - (least - found[j] + below.shift) % below.unit)
            for at in sorted((at for at in tried if at > found[i]), reverse=True):
                if all(self._free(i, at, j, found[j]) == at for j in kept[i]):
                    moved = self._with_working_memory([*found[:i], at, *found[i + 1 :]], total)
                    got = [] if moved is None else self._fulfilled(moved, total)
                    if moved and all(a >= b for a, b in zip(got, wishes, strict=True)):
                        found, wishes = moved, got
                    break
        return found

    def _with_working_memory(self, offsets: list[int], total: int) -> list[int] | None:
        """Put working memory where there is most room; None where some has less than it needs."""
        for i, block in enumerate(self.blocks):
            if block.wish:
                free, offsets[i] = largest_gap(self.blocks, offsets, total, i)
                if free < block.size:
                    return None
        return offsets

    def _free(self, i: int, at: int, j: int, other: int) -> int:
        """Return the lowest offset of block i, from `at` on, that block j at `other` allows."""
        if at + self.blocks[i].size <= other or at >= other + self.blocks[j].size:
            return at
        behind = other + self.blocks[j].size
        above = self.leave.get((j, i))
        if above is not None:
            least = max(at, other + above.distance)
            return min(behind, least + (other + above.shift - least) % above.unit)
        below = self.leave.get((i, j))
        if below is not None:
            up = at + (other - below.shift - at) % below.unit
            if other - up >= below.distance:
                return up
        return behind
