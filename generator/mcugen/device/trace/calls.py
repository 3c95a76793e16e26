# SPDX-License-Identifier: BSD-3-Clause
"""Which operator call each executed block belongs to.

An interval begins where `cycle_counter_start` returns and ends where the counter is read: what
`bench` counts. Within it a call begins where the runtime jumps to an operator's function, and ends
where that returns. What lies between two calls is the runtime's own.

Which of the program's calls it is follows from their order. Where the program branches to calls of
one operator, what comes behind them decides, so that calls are told apart at the end.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mcugen.base.errors import DeviceError
from mcugen.device.trace.code import Code
from mcugen.device.trace.log import Block, BlockLog, Edges
from mcugen.program.call_facts import CallFacts, CallSequence

_START = "mcugen::cycle_counter_start"
_READ = ("mcugen::cycle_counter_now", "mcugen::cycle_counter_elapsed")


@dataclass
class CallTrace:
    """What was executed for one call, or for the runtime between calls."""

    call: CallFacts | None
    edges: Edges = field(default_factory=Counter)
    runs: int = 0  #: how often it was called

    @property
    def instructions(self) -> int:
        """How many were executed."""
        return sum(len(block.addresses) * n for (block, _), n in self.edges.items())

    def by_function(self, code: Code) -> Counter[str]:
        """Return the instructions of each function, by its full name."""
        counts: Counter[str] = Counter()
        for (block, _), times in self.edges.items():
            counts[code.function_at(block.start)] += len(block.addresses) * times
        return counts


class CallTracer:
    """Reads the log of one inference; `result` is what each call executed."""

    def __init__(self, code: Code, sequence: CallSequence) -> None:
        """Look for the calls of `sequence` in what `code`'s image executes."""
        self._code = code
        self._sequence = sequence
        self._runtime = CallTrace(None)
        self._begins = code.return_sites(_START)
        self._ends = frozenset().union(*(code.entries(name) for name in _READ))
        self._entries = {
            each.function: code.entries(f"mcugen::ops::{each.function}") for each in sequence.calls
        }
        lost = [name for name, found in self._entries.items() if not found]
        if not self._begins or not self._ends or lost:
            what = ", ".join(lost) or "the counter's functions"
            raise DeviceError(f"the image has no symbols to know {what} by")
        self._boundaries = self._begins | self._ends | frozenset().union(*self._entries.values())
        self._return_to: int | None = None
        #: Of each call in the order of execution what it executed, and which of the program's calls
        #: it may be, each with one that may have come before it.
        self._made: list[tuple[Edges, dict[int, int | None]]] = []
        self._finished = False
        self.log = BlockLog(self._is_boundary, self._on_boundary)

    def result(self) -> tuple[list[CallTrace], CallTrace]:
        """Return the traces of the calls, in the program's order, and the runtime's own.

        Raises DeviceError where the log holds no whole inference.
        """
        self.log.close()
        if not self._finished:
            raise DeviceError("the trace ends before the inference does")
        lasts = self._made[-1][1] if self._made else {None: None}
        number = next((each for each in lasts if self._sequence.may_end(each)), -1)
        if number == -1:
            names = {call.operator for each in lasts for call in self._sequence.after(each)}
            raise DeviceError(f"the trace lacks calls from {', '.join(sorted(names))} on")
        calls = [CallTrace(call) for call in self._sequence.calls]
        for edges, before in reversed(self._made):
            assert number is not None
            calls[number].edges.update(edges)
            calls[number].runs += 1
            number = before[number]
        return calls, self._runtime

    def _is_boundary(self, address: int) -> bool:
        return address in self._boundaries

    def _on_boundary(self, before: Block | None, block: Block) -> None:
        address = block.start
        if self.log.edges is None:
            if address in self._begins and not self._finished:
                self.log.edges = self._runtime.edges
                self._runtime.runs += 1
        elif address in self._ends:
            self.log.edges = None
            self._finished = True
        elif address == self._return_to:
            self.log.edges = self._runtime.edges
            self._return_to = None
        elif before is not None and self._return_to is None:
            self._maybe_call(before, address)

    def _maybe_call(self, before: Block, address: int) -> None:
        """Begin a call, if the runtime, and not another operator, jumped to `address`."""
        jump = self._code.instructions.get(before.addresses[-1])
        if jump is None or jump.name != "blx":
            return
        lasts: list[int | None] = [*self._made[-1][1]] if self._made else [None]
        following = {call: last for last in reversed(lasts) for call in self._sequence.after(last)}
        fitting = {
            call.number: last
            for call, last in following.items()
            if address in self._entries[call.function]
        }
        if not fitting:
            expected = ", ".join(each.operator for each in following) or "its end"
            raise DeviceError(
                f"the trace enters {self._code.function_at(address)} where the program has "
                f"{expected}"
            )
        edges: Edges = Counter()
        self._made.append((edges, fitting))
        self.log.edges = edges
        self._return_to = jump.address + jump.size
        self._boundaries |= {self._return_to}
