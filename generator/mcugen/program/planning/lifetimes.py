# SPDX-License-Identifier: BSD-3-Clause
"""When each part of planned memory holds something that is still read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mcugen.program.aliases import tensors_of
from mcugen.program.state import reads_and_writes
from mcugen.program.values import call_name, instructions, is_tensor, tensor_bytes


@dataclass
class Block:
    """Tensors that keep their places towards each other: one, or views of the same memory."""

    memory_id: int
    members: dict[int, int]  #: value to its byte offset in the block
    size: int
    first: int  #: instruction that first writes it; -1: before the first one
    last: int  #: instruction that last uses it; their number: after the last one
    written: list[int] = field(default_factory=list)  #: the instructions that write it
    always: bool = False  #: holds something from one inference to the next


def find_blocks(plan: Any) -> list[Block] | None:
    """Return the blocks of a method's planned memory, or None to keep the exporter's plan.

    None for what is not a plain sequence of kernel calls (jumps, moves, views made at run time),
    and where tensors overlap in a way that this does not follow. A tensor that is read where
    another was written is a view of it. One that is read before anything is written keeps state.
    """
    calls = instructions(plan)
    if len(plan.chains) != 1 or any(
        type(call).__name__ not in ("KernelCall", "FreeCall")
        or (type(call).__name__ == "KernelCall" and _joins_memory(call_name(plan, call)))
        for call in calls
    ):
        return None
    walk = _Walk(plan)
    # Twice: what the second inference reads may be what the first has left.
    if not (walk.inference(calls) and walk.inference(calls)):
        return None
    return walk.blocks()


def _joins_memory(name: str) -> bool:
    return name.startswith(("executorch_prim::et_view", "executorch_prim::et_copy_index"))


class _Walk:
    """The instructions in order, over the exporter's plan; who wrote each byte last."""

    def __init__(self, plan: Any) -> None:
        self.plan = plan
        self.end = len(instructions(plan))
        self.place: dict[int, tuple[int, int, int]] = {}  # memory id, first byte, end
        #: By memory id: (first byte, end, writer), not overlapping.
        self.written: dict[int, list[tuple[int, int, int]]] = {}
        self.first: dict[int, int] = {}
        self.last: dict[int, int] = {}
        self.writes: dict[int, list[int]] = {}
        self.always: set[int] = set()
        self.parent: dict[int, int] = {}
        for index, value in enumerate(plan.values):
            if is_tensor(value, planned=True):
                start = value.val.allocation_info.memory_offset
                end = start + tensor_bytes(value.val)
                self.place[index] = (value.val.allocation_info.memory_id, start, end)
                self.parent[index] = index
                if value.val.data_buffer_idx:  # filled once, when the method is loaded
                    self.always.add(index)
                    self._fill(index)

    def inference(self, calls: list[Any]) -> bool:
        """Follow one inference; return whether it could be."""
        self._write(self.plan.inputs, -1)
        for position, call in enumerate(calls):
            if type(call).__name__ != "KernelCall":
                continue
            read, written = reads_and_writes(self.plan, call)
            if not self._read(read, position):
                return False
            for index in self._planned(call.args):  # to work in
                self._touch(index, position)
            self._write(written, position)
        return self._read(self.plan.outputs, self.end)

    def blocks(self) -> list[Block]:
        groups: dict[int, list[int]] = {}
        for index in self.place:
            groups.setdefault(self._root(index), []).append(index)
        found = []
        for members in groups.values():
            start = min(self.place[index][1] for index in members)
            always = any(index in self.always for index in members)
            used = [index for index in members if index in self.first]
            if not used and not always:
                continue  # nothing uses it any more
            found.append(
                Block(
                    self.place[members[0]][0],
                    {index: self.place[index][1] - start for index in members},
                    max(self.place[index][2] for index in members) - start,
                    -1 if always else min(self.first[index] for index in used),
                    self.end if always else max(self.last[index] for index in used),
                    sorted({at for index in used for at in self.writes.get(index, ())}),
                    always,
                )
            )
        return found

    def _planned(self, indices: Iterable[int]) -> list[int]:
        return [index for index in tensors_of(self.plan, indices) if index in self.place]

    def _touch(self, index: int, position: int) -> None:
        self.first[index] = min(self.first.get(index, position), position)
        self.last[index] = max(self.last.get(index, position), position)

    def _write(self, indices: Iterable[int], position: int) -> None:
        for index in self._planned(indices):
            self._touch(index, position)
            self.writes.setdefault(index, []).append(position)
            self._fill(index)

    def _fill(self, index: int) -> None:
        memory, start, end = self.place[index]
        kept = []
        for first, last, writer in self.written.get(memory, []):
            kept += [
                (a, b, writer)
                for a, b in ((first, min(last, start)), (max(first, end), last))
                if a < b
            ]
        self.written[memory] = [*kept, (start, end, index)] if start < end else kept

    def _read(self, indices: Iterable[int], position: int) -> bool:
        for index in self._planned(indices):
            self._touch(index, position)
            memory, start, end = self.place[index]
            if start == end:
                continue
            here = [
                part for part in self.written.get(memory, []) if part[0] < end and part[1] > start
            ]
            if not here:
                self.always.add(index)
                self._fill(index)
            elif len(here) == 1 and here[0][0] <= start and end <= here[0][1]:
                self._join(index, here[0][2])
            else:
                return False
        return True

    def _root(self, index: int) -> int:
        while self.parent[index] != index:
            index = self.parent[index]
        return index

    def _join(self, index: int, other: int) -> None:
        a, b = self._root(index), self._root(other)
        self.parent[max(a, b)] = min(a, b)
