# SPDX-License-Identifier: BSD-3-Clause
"""Where one inference goes: instructions and estimated cycles of each operator call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcugen.device.inference import TensorBytes
from mcugen.device.trace.calls import CallTrace, CallTracer
from mcugen.device.trace.code import Code, read_code, short_name
from mcugen.device.trace.cycles import CycleEstimate
from mcugen.device.trace.flash import wait_cycles
from mcugen.device.trace.timings import TIMINGS
from mcugen.program.call_facts import CallFacts, call_sequence

if TYPE_CHECKING:
    from pathlib import Path

    from mcugen.boards.spec import BoardSpec
    from mcugen.device.protocol.client import Client
    from mcugen.device.trace.machine import TracedMachine
    from mcugen.program.artifact import PteArtifact

#: Functions of a call that are named; the others are in its sum.
_FUNCTIONS = 4


@dataclass(frozen=True)
class CallProfile:
    """What one operator call took in one inference, all that it called included."""

    call: CallFacts
    layer: str | None  #: the model's module, "body.4"; "" for its own forward; None: not known
    runs: int  #: times it was reached: 1 but in loops and branches
    instructions: int
    estimated_cycles: int | None  #: without wait states; None: there is no model of the core
    wait_cycles: int  #: what the board's flash adds to them at least
    functions: tuple[tuple[str, int], ...]  #: most instructions first: name, how many

    @property
    def kernel(self) -> str | None:
        """The function that took most of it."""
        return self.functions[0][0] if self.functions else None


@dataclass(frozen=True)
class Profile:
    """One inference on a simulated machine, by trace."""

    calls: tuple[CallProfile, ...]
    runtime_instructions: int  #: the runtime's own, between the calls
    runtime_cycles: int | None
    ticks: int  #: what the device counted for the very same inference
    cycle_model: str | None  #: where the cycles of the estimate come from
    #: With the least and the most of what Arm publishes as a range; None for a model of ours.
    cycles_range: tuple[int, int] | None

    @property
    def instructions(self) -> int:
        """All of the inference."""
        return self.runtime_instructions + sum(each.instructions for each in self.calls)

    @property
    def wait_cycles(self) -> int:
        """What the board's flash adds to the estimated cycles at least."""
        return sum(each.wait_cycles for each in self.calls)

    @property
    def estimated_cycles(self) -> int | None:
        """All of the inference, estimated; None where there is no model of the core."""
        if self.runtime_cycles is None:
            return None
        return self.runtime_cycles + sum(each.estimated_cycles or 0 for each in self.calls)


class Profiler:
    """Profiles inferences of one image. Disassembles it and reads its program once."""

    def __init__(
        self, elf: Path, artifact: PteArtifact, board: BoardSpec, layers: Sequence[str]
    ) -> None:
        """Read the image.

        Args:
            layers: of each call that is no symbolic arithmetic; of another length: not known.

        Raises ToolMissingError, DeviceError.
        """
        self._code: Code = read_code(elf)
        self._sequence = call_sequence(artifact)
        self._layers = self._sequence.layers(layers)
        self._estimate = CycleEstimate.for_core(self._code, board.cpu)
        timings = TIMINGS.get(board.cpu)
        self._model = timings.source if timings else None
        bounds = timings.bounds() if timings else None
        self._board = board
        self._bounds = tuple(CycleEstimate(self._code, each) for each in bounds or ())

    def run(self, machine: TracedMachine, client: Client, inputs: TensorBytes) -> Profile:
        """Run one inference and return where it went. Raises DeviceError."""
        for index, data in enumerate(inputs):
            client.write_input(index, data)
        tracer = CallTracer(self._code, self._sequence)
        with machine.recorded(tracer.log.feed):
            ticks = client.execute()
        calls, runtime = tracer.result()
        ends = [sum(end.of(each.edges) for each in (*calls, runtime)) for end in self._bounds]
        return Profile(
            calls=tuple(self._profile(each.call, each) for each in calls if each.call is not None),
            runtime_instructions=runtime.instructions,
            runtime_cycles=self._cycles(runtime),
            ticks=ticks,
            cycle_model=self._model,
            cycles_range=(ends[0], ends[1]) if ends else None,
        )

    def _cycles(self, trace: CallTrace) -> int | None:
        return self._estimate.of(trace.edges) if self._estimate is not None else None

    def _profile(self, call: CallFacts, trace: CallTrace) -> CallProfile:
        functions: Counter[str] = Counter()
        for name, instructions in trace.by_function(self._code).items():
            functions[short_name(name)] += instructions
        return CallProfile(
            call=call,
            layer=self._layers[call.number],
            runs=trace.runs,
            instructions=trace.instructions,
            estimated_cycles=self._cycles(trace),
            wait_cycles=wait_cycles(
                trace.edges,
                sum(each.nbytes for each in call.inputs if each.constant),
                self._board,
            ),
            functions=tuple(functions.most_common(_FUNCTIONS)),
        )
