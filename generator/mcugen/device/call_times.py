# SPDX-License-Identifier: BSD-3-Clause
"""What each operator call takes, by the device's own counter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcugen.base.errors import ConfigError, DeviceError, ProtocolError
from mcugen.device.inference import Advance, TensorBytes, nothing
from mcugen.device.protocol.client import Client, RefusedError
from mcugen.device.protocol.frames import Status
from mcugen.device.protocol.info import DeviceInfo
from mcugen.device.timing import Timing, per_tick, percentile, require_counter, timing_of
from mcugen.program.call_facts import CallFacts, CallSequence

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec

#: The field of EXECUTE that names an instruction has 16 bit.
_MOST_INSTRUCTIONS = 1 << 16


@dataclass(frozen=True)
class CallTime:
    """What one operator call took, the runtime's way to it included."""

    call: CallFacts
    layer: str | None  #: as CallProfile's
    counts: tuple[int, ...]  #: one per run, in the unit of the whole; the counting subtracted

    @property
    def median(self) -> int:
        """The lower median: a count that really occurred."""
        return percentile(self.counts, 50)


@dataclass(frozen=True)
class CallTimes:
    """Several inferences, each once as a whole and once call by call."""

    calls: tuple[CallTime, ...]
    timing: Timing  #: of whole inferences, without counting in between
    counting: float  #: what reading the counter adds to each instruction; subtracted
    resolution: float  #: what one tick of the counter is

    @property
    def other(self) -> int:
        """What is left of an inference beside its calls."""
        return max(self.timing.median - sum(each.median for each in self.calls), 0)


def time_calls(
    client: Client,
    info: DeviceInfo,
    board: BoardSpec,
    sequence: CallSequence,
    layers: Sequence[str],
    inputs: TensorBytes,
    *,
    runs: int,
    warmups: int,
    simulated: bool,
    reload: bool,
    advance: Advance = nothing,
) -> CallTimes:
    """Time each call of `runs` inferences of one input, after `warmups` that are not counted.

    Args:
        layers: of each call that is no symbolic arithmetic; of another length: not known.
        reload: the model keeps state: each inference starts from the state as loaded.
        advance: called for each of `warmups` and `runs`.

    Raises ConfigError for a program with jumps, DeviceError.
    """
    require_counter(info)
    steps = straight_steps(sequence)

    def prepare(*, first: bool = False) -> None:
        if reload:
            client.reload_model()
        if reload or first:
            for index, data in enumerate(inputs):
                client.write_input(index, data)

    whole: list[int] = []  # raw ticks of each inference, without and with counting
    counted: list[int] = []
    each_run: list[list[int]] = []
    for run in range(warmups + runs):
        prepare(first=run == 0)
        plain = client.execute()
        total, ticks = _steps(client, len(steps), prepare)
        if run >= warmups:
            whole.append(plain)
            counted.append(total)
            each_run.append(ticks)
        advance()
    cost = max(percentile(counted, 50) - percentile(whole, 50), 0) / max(len(steps), 1)
    scale = per_tick(info, board, simulated)
    layer_of = sequence.layers(layers)
    return CallTimes(
        calls=tuple(
            CallTime(
                sequence.calls[number],
                layer_of[number],
                tuple(round(max(ticks[i] - cost, 0) * scale) for ticks in each_run),
            )
            for i, number in enumerate(steps)
            if number is not None
        ),
        timing=timing_of(whole, info, board, warmups=warmups, simulated=simulated),
        counting=cost * scale,
        resolution=scale,
    )


def straight_steps(sequence: CallSequence) -> tuple[int | None, ...]:
    """Return which call each instruction is, in the order of execution.

    Raises ConfigError where that depends on data, or is too long.
    """
    steps = sequence.straight
    if steps is None:
        raise ConfigError(
            "the program branches: which of its calls a board has timed cannot be told",
            hint="--simulate profiles it by a trace, on a board that can be simulated.",
        )
    if len(steps) > _MOST_INSTRUCTIONS:
        raise ConfigError(
            f"the program has {len(steps):,} instructions; {_MOST_INSTRUCTIONS:,} can be timed"
        )
    return steps


def _steps(client: Client, count: int, prepare: Advance) -> tuple[int, list[int]]:
    """Return raw ticks of an inference and of each of its instructions.

    Where they do not fit into a reply it takes as many inferences, which are alike.
    """
    ticks: list[int] = []
    totals: list[int] = []
    while not totals or len(ticks) < count:
        prepare()
        try:
            total, part = client.execute_steps(len(ticks))
        except RefusedError as error:
            if error.status != Status.BAD_ARGUMENT:
                raise
            raise DeviceError(
                "the firmware cannot time single instructions: an older mcugen has made it",
                hint="Build and flash it with this mcugen; 'mcugen bench' times the whole.",
                log_path=error.log_path,
            ) from None
        totals.append(total)
        ticks += part
        if len(ticks) > count or (not part and count):
            raise ProtocolError(
                f"the device has timed {len(ticks)} instructions; the program has {count}"
            )
    return totals[0], ticks
