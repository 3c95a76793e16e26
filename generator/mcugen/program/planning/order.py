# SPDX-License-Identifier: BSD-3-Clause
"""Calls in the order that leaves most memory to work in.

Of two branches the exporter writes one behind the other, whichever comes first in the graph. A call
that makes less than it is the last to read (the 1x1 convolution beside a residual block's two 3x3
ones) is better made before the other branch than behind it: that one then has the difference for
its scratch.
"""

from __future__ import annotations

from typing import Any

from mcugen.program.aliases import tensors_of
from mcugen.program.memory import align_up
from mcugen.program.planning.lifetimes import Block, find_blocks
from mcugen.program.state import reads_and_writes
from mcugen.program.values import instructions


def reorder(plan: Any) -> list[int]:
    """Change the order of a straight method's calls; return what each was numbered before.

    A call only moves before those that it has nothing to do with, and only where what lives at one
    time does not become more. Blocks are laid apart then, for a plan that is made anew.
    """
    calls = instructions(plan)
    order = list(range(len(calls)))
    blocks = find_blocks(plan)
    if blocks is None:
        return order
    walk = _Calls(plan, calls, blocks)
    for start in range(1, len(order)):
        for at in range(start, 0, -1):
            moved = [*order[: at - 1], order[at], order[at - 1], *order[at + 1 :]]
            if not walk.are_apart(order[at - 1], order[at]) or not walk.is_better(order, moved, at):
                break
            order = moved
    if order != sorted(order):
        _lay_apart(plan, blocks)
        chain = plan.chains[0]
        chain.instructions = [chain.instructions[each] for each in order]
    return order


class _Calls:
    """What each call reads and writes, as blocks."""

    def __init__(self, plan: Any, calls: list[Any], blocks: list[Block]) -> None:
        block_of = {index: i for i, block in enumerate(blocks) for index in block.members}
        self.blocks = blocks
        self.reads: list[set[int]] = []
        self.writes: list[set[int]] = []
        self.moves = [type(call).__name__ == "KernelCall" for call in calls]
        for call, moves in zip(calls, self.moves, strict=True):
            for found, values in zip(
                (self.reads, self.writes),
                reads_and_writes(plan, call) if moves else ((), ()),
                strict=True,
            ):
                found.append({block_of[i] for i in tensors_of(plan, values) if i in block_of})

    def are_apart(self, one: int, other: int) -> bool:
        """Whether two calls may change places."""
        return (
            self.moves[one]
            and self.moves[other]
            and not self.writes[one] & (self.reads[other] | self.writes[other])
            and not self.writes[other] & self.reads[one]
        )

    def is_better(self, order: list[int], moved: list[int], at: int) -> bool:
        """Whether the call that comes later now has less beside it, and no moment more."""
        before, after = self._live(order), self._live(moved)
        return after[at] < before[at - 1] and max(after) <= max(before)

    def _live(self, order: list[int]) -> list[int]:
        """Return the bytes at each moment, without scratch."""
        live = [0] * len(order)
        for i, block in enumerate(self.blocks):
            used = [
                at for at, each in enumerate(order) if i in self.reads[each] | self.writes[each]
            ]
            if not used and not block.always:
                continue
            first = 0 if block.first < 0 else min(used)
            last = len(order) - 1 if block.last >= len(order) else max(used)
            for at in range(first, last + 1):
                live[at] += align_up(block.size)
        return live


def _lay_apart(plan: Any, blocks: list[Block]) -> None:
    """Give each block a place of its own, behind all that there is."""
    for block in blocks:
        start = align_up(plan.non_const_buffer_sizes[block.memory_id])
        for index, inside in block.members.items():
            allocation = plan.values[index].val.allocation_info
            allocation.memory_offset_low = start + inside & 0xFFFFFFFF
            allocation.memory_offset_high = start + inside >> 32
        plan.non_const_buffer_sizes[block.memory_id] = start + align_up(block.size)
