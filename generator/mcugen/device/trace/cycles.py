# SPDX-License-Identifier: BSD-3-Clause
"""An estimate of a core's cycles from the blocks that QEMU executed.

Each block is walked once by the core's timings, as if what came before it had finished; whether its
last branch was taken shows in which block came next. Memory answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mcugen.device.trace.code import Code
from mcugen.device.trace.kinds import Action, Kind, action
from mcugen.device.trace.log import Block, Edges
from mcugen.device.trace.timings import TIMINGS, CoreTimings

_MULTIPLIES = frozenset({Kind.MULTIPLY, Kind.ACCUMULATE, Kind.MULTIPLY_LONG, Kind.ACCUMULATE_LONG})
_FLOATS = frozenset({Kind.FLOAT, Kind.FLOAT_ACCUMULATE, Kind.FLOAT_DIVIDE})
_COMPUTED = _MULTIPLIES | {Kind.ALU, Kind.DIVIDE}
_JUMPS = frozenset({Kind.BRANCH, Kind.CALL, Kind.TABLE_BRANCH})
#: Where two issue together: at most so many of a set in one cycle.
_UNITS = (
    (frozenset({Kind.LOAD}), 2),
    (frozenset({Kind.STORE}), 1),
    (_MULTIPLIES, 1),
    (_FLOATS, 1),
    (_JUMPS, 1),
)
_ALONE = frozenset(
    {
        Kind.LOAD_MANY,
        Kind.STORE_MANY,
        Kind.DIVIDE,
        Kind.SYSTEM,
        Kind.TABLE_BRANCH,
        Kind.FLOAT_DIVIDE,
    }
)


class CycleEstimate:
    """Estimates cycles of one image's blocks on one core."""

    def __init__(self, code: Code, timings: CoreTimings) -> None:
        """Keep each block's own cycles once they are known."""
        self._code = code
        self._timings = timings
        self._own: dict[Block, float] = {}

    @classmethod
    def for_core(cls, code: Code, cpu: str) -> CycleEstimate | None:
        """Return the estimate for a core by GCC's name, None where there is no model of it."""
        timings = TIMINGS.get(cpu)
        return cls(code, timings) if timings is not None else None

    def of(self, edges: Edges) -> int:
        """Return the cycles of executed blocks."""
        return round(
            sum(
                (self._block(b) + self._jump(b, following)) * n
                for (b, following), n in edges.items()
            )
        )

    def _actions(self, block: Block) -> list[Action]:
        found = (self._code.instructions.get(address) for address in block.addresses)
        return [action(each.name, each.operands) if each else Action(Kind.ALU) for each in found]

    def _jump(self, block: Block, following: Block) -> float:
        """Return what a jump at the block's end adds, if it was taken."""
        last = self._code.instructions.get(block.addresses[-1])
        if last is None or following.start == last.address + last.size:
            return 0
        done = action(last.name, last.operands)
        if not done.jumps:
            return 0  # an interrupt
        return self._timings.taken.get(done.kind, self._timings.taken[Kind.BRANCH])

    def _block(self, block: Block) -> float:
        if block not in self._own:
            walk = one_by_one if self._timings.issues == 1 else in_pairs
            self._own[block] = walk(self._actions(block), self._timings)
        return self._own[block]


def one_by_one(actions: list[Action], timings: CoreTimings) -> float:
    """Return the cycles of a core that starts one instruction a cycle."""
    cycles = 0.0
    before = Action(Kind.SYSTEM)
    for each in actions:
        cycles += timings.of(each.kind)
        if each.kind in (Kind.LOAD_MANY, Kind.STORE_MANY):
            cycles += each.count
        if before.kind is Kind.LOAD:
            if timings.pipelined_loads and each.kind is Kind.LOAD:
                alone = timings.updates_alone and (_moves_base(before) or _moves_base(each))
                cycles -= not alone and not before.writes & each.address
            if before.writes & each.reads:
                cycles += timings.load_use
        elif each.kind is Kind.STORE and len(each.address) > 1:
            cycles += timings.indexed_store
        if before.kind in _COMPUTED and before.writes & each.address:
            cycles += timings.address_wait
        before = each
    return cycles


def _moves_base(load: Action) -> bool:
    """Whether a LOAD writes its base, too: "ldr r0, [r1], #4"."""
    return len(load.writes) > 1


@dataclass
class _Slot:
    """The instructions that start in one cycle."""

    cycle: float = 0
    kinds: list[Kind] = field(default_factory=list)

    def takes(self, kind: Kind, issues: int) -> bool:
        if len(self.kinds) >= issues or (self.kinds and kind in _ALONE):
            return False
        if any(each in _ALONE for each in self.kinds):
            return False
        return all(
            kind not in kinds or sum(each in kinds for each in self.kinds) < most
            for kinds, most in _UNITS
        )


def in_pairs(actions: list[Action], timings: CoreTimings) -> float:
    """Return the cycles of a core that starts two instructions a cycle, in order."""
    ready: dict[str, float] = {}
    slot = _Slot()
    busy_until = 0.0
    for each in actions:
        needed = [ready.get(name, 0) - (name in each.late) for name in each.reads]
        earliest = max([*needed, busy_until, slot.cycle])
        if earliest > slot.cycle or not slot.takes(each.kind, timings.issues):
            slot = _Slot(max(earliest, slot.cycle + 1) if slot.kinds else earliest)
        slot.kinds.append(each.kind)
        lasts = timings.of(each.kind)
        if each.kind in (Kind.LOAD_MANY, Kind.STORE_MANY):
            lasts = (each.count + 1) // 2  # 64 bits at a time
        if each.kind in _ALONE:
            busy_until = slot.cycle + lasts
        done = slot.cycle + max(timings.latency.get(each.kind, 1), lasts)
        for register in each.writes:
            ready[register] = done
    return max(slot.cycle + 1, busy_until)
