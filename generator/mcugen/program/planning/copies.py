# SPDX-License-Identifier: BSD-3-Clause
"""Calls that only copy bytes as they lie: their result can be a view of what they copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcugen.program.copied import copied
from mcugen.program.planning.lifetimes import Block
from mcugen.program.values import instructions


def drop_copies(plan: Any, blocks: list[Block]) -> list[int]:
    """Make the results of copies views, in `blocks`; return which instructions are to go.

    Nothing may write to either side once the copy is made. The instructions stay where they are,
    as the blocks' times are theirs.
    """
    dropped = []
    for position, call in enumerate(instructions(plan)):
        if type(call).__name__ != "KernelCall":
            continue
        source = copied(plan, call)
        if source is None:
            continue
        target = call.args[-1]
        old, new = _block_of(blocks, source), _block_of(blocks, target)
        if old is None or new is None or old is new or old.memory_id != new.memory_id or new.always:
            continue
        if max(old.written, default=-1) >= position or new.written != [position]:
            continue
        if target in plan.inputs or new.size > old.size - old.members[source] + new.members[target]:
            continue
        if old.members[source] < new.members[target]:
            continue
        _view(blocks, old, new, old.members[source] - new.members[target])
        dropped.append(position)
    return dropped


def remove(plan: Any, positions: Sequence[int]) -> None:
    """Remove instructions of a method without jumps."""
    gone = set(positions)
    chain = plan.chains[0]
    chain.instructions = [each for i, each in enumerate(chain.instructions) if i not in gone]


def _block_of(blocks: Sequence[Block], index: int) -> Block | None:
    return next((block for block in blocks if index in block.members), None)


def _view(blocks: list[Block], old: Block, new: Block, shift: int) -> None:
    for index, offset in new.members.items():
        old.members[index] = offset + shift
    old.first, old.last = min(old.first, new.first), max(old.last, new.last)
    old.written = sorted({*old.written, *new.written})
    blocks.remove(new)
