# SPDX-License-Identifier: BSD-3-Clause
"""Offsets for blocks of memory that live for a while: best fit, then exact search where small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: Steps of the exact search, each a block tried in a place; it ends there with the best found.
_MOST_STEPS = 60_000
#: More blocks are not searched: bounds are too weak to get through.
_MOST_SEARCHED = 64


@dataclass(frozen=True)
class Interval:
    """A block and when it holds something: in every instruction from `first` to `last`."""

    size: int  #: bytes, a multiple of the alignment
    first: int
    last: int
    wish: int = 0  #: bytes that it would make use of, if there were as many beside the others

    def meets(self, other: Interval) -> bool:
        """Whether the two hold something at the same time."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Placement:
    """Where the blocks lie."""

    offsets: tuple[int, ...]
    total: int  #: bytes of the memory that holds all
    bound: int  #: no placement needs less: the largest sum of sizes at one time
    overlapping: tuple[int, ...] = ()  #: calls whose result and operand overlap, by leave


def place(blocks: Sequence[Interval], *, search: bool = True) -> Placement:
    """Return offsets such that blocks that live at the same time do not overlap.

    The same blocks always give the same offsets. Sizes that are multiples of an alignment give
    offsets that are. search: whether to search for long where the bound is not reached.
    """
    bound = lower_bound(blocks)
    best: tuple[int, ...] = ()
    total = -1
    for order in _ORDERS:
        offsets = _first_fit(blocks, sorted(range(len(blocks)), key=lambda i: order(blocks[i], i)))
        needs = _total(blocks, offsets)
        if total < 0 or needs < total:
            best, total = offsets, needs
        if total == bound:
            break
    if search and total > bound and len(blocks) <= _MOST_SEARCHED:
        best, total = _Search(blocks, best, total, bound).run()
    return Placement(best, max(total, 0), bound)


def largest_gap(
    blocks: Sequence[Interval], offsets: Sequence[int], total: int, block: int
) -> tuple[int, int]:
    """Return size and offset of a part of memory that no other block holds meanwhile.

    The lowest that fulfils the block's wish, else the largest.
    """
    wish = blocks[block].wish
    taken = sorted(
        (offsets[i], offsets[i] + other.size)
        for i, other in enumerate(blocks)
        if i != block and other.meets(blocks[block])
    )
    best, free = (0, 0), 0
    for start, end in [*taken, (total, total)]:
        if start - free > best[0]:
            best = start - free, free
        if 0 < wish <= best[0]:
            break
        free = max(free, end)
    return best


def lower_bound(blocks: Sequence[Interval]) -> int:
    """Return the largest sum of sizes of blocks that live at one time."""
    # It is largest where a block begins.
    return max(
        (
            sum(other.size for other in blocks if other.first <= block.first <= other.last)
            for block in blocks
        ),
        default=0,
    )


#: Large blocks first, as a rule: small ones find a gap.
_ORDERS: tuple[Callable[[Interval, int], tuple[int, ...]], ...] = (
    lambda block, i: (-block.size, block.first - block.last, i),
    lambda block, i: (block.first - block.last, -block.size, i),
    lambda block, i: (-block.size * (block.last - block.first + 1), i),
    lambda block, i: (-block.size, block.first, i),
    lambda block, i: (block.first, -block.size, i),
    lambda block, i: (-block.last, -block.size, i),
)


def _total(blocks: Sequence[Interval], offsets: Sequence[int]) -> int:
    return max((o + b.size for o, b in zip(offsets, blocks, strict=True)), default=0)


def _first_fit(blocks: Sequence[Interval], order: Sequence[int]) -> tuple[int, ...]:
    """Return offsets from putting each block, in order, into the smallest gap that holds it."""
    offsets = [0] * len(blocks)
    placed: list[int] = []
    for i in order:
        others = sorted((offsets[j], blocks[j].size) for j in placed if blocks[i].meets(blocks[j]))
        best, best_gap, end = None, 0, 0
        for offset, size in others:
            gap = offset - end
            if gap >= blocks[i].size and (best is None or gap < best_gap):
                best, best_gap = end, gap
            end = max(end, offset + size)
        offsets[i] = end if best is None else best
        placed.append(i)
    return tuple(offsets)


class _Search:
    """Branch and bound over the order in which blocks are put onto those below them.

    In some best placement each block lies at 0 or on top of one that lives with it; taken in order
    of offset, each then lies on the highest of those placed before. So to try orders is to try all.
    """

    def __init__(
        self, blocks: Sequence[Interval], best: tuple[int, ...], total: int, bound: int
    ) -> None:
        self.blocks = blocks
        self.best, self.total, self.bound = best, total, bound
        times = sorted({block.first for block in blocks})
        self.lives = [
            [t for t, time in enumerate(times) if block.first <= time <= block.last]
            for block in blocks
        ]
        self.tops = [0] * len(times)
        #: What is yet to be put down at each time.
        self.left = [
            sum(block.size for block, lives in zip(blocks, self.lives, strict=True) if t in lives)
            for t in range(len(times))
        ]
        self.offsets = [0] * len(blocks)
        self.steps = 0

    def run(self) -> tuple[tuple[int, ...], int]:
        self._descend(frozenset(range(len(self.blocks))), (0, -1))
        return self.best, self.total

    def _descend(self, rest: frozenset[int], least: tuple[int, int]) -> None:
        """Put down the blocks of `rest`, each at or behind `least` in order (offset, block)."""
        if not rest:
            self.best, self.total = tuple(self.offsets), max(self.tops)
            return
        candidates = []
        for i in rest:
            self.steps += 1
            offset = max(self.tops[t] for t in self.lives[i])
            candidates.append((offset, -self.blocks[i].size, i))
        for offset, _, i in sorted(candidates):
            if self.steps > _MOST_STEPS or self.total == self.bound:
                return
            if (offset, i) < least:
                continue
            lives, size = self.lives[i], self.blocks[i].size
            before = [self.tops[t] for t in lives]
            for t in lives:
                self.tops[t] = offset + size
                self.left[t] -= size
            if all(self.tops[t] + self.left[t] < self.total for t in lives):
                self.offsets[i] = offset
                self._descend(rest - {i}, (offset, i))
            for t, top in zip(lives, before, strict=True):
                self.tops[t] = top
                self.left[t] += size
