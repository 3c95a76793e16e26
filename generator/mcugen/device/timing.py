# SPDX-License-Identifier: BSD-3-Clause
"""What an inference costs, and in which unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcugen.base.errors import DeviceError
from mcugen.device.inference import Advance, TensorBytes, nothing
from mcugen.device.protocol.client import Client
from mcugen.device.protocol.info import DeviceInfo

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec


@dataclass(frozen=True)
class Timing:
    """What N inferences took, the empty interval subtracted.

    counter: "instructions" when simulated, else "cycles"; never mixed.
    counts: one per run, in order. latency_us: median at the clock really set; None when simulated.
    """

    counter: str
    counts: tuple[int, ...]
    warmups: int
    empty_ticks: int
    counter_kind: str
    counter_hz: int
    latency_us: float | None

    @property
    def runs(self) -> int:
        """How many runs were timed."""
        return len(self.counts)

    @property
    def min(self) -> int:
        """The fastest run."""
        return min(self.counts)

    @property
    def max(self) -> int:
        """The slowest run."""
        return max(self.counts)

    @property
    def median(self) -> int:
        """The lower median: a count that really occurred."""
        return percentile(self.counts, 50)

    @property
    def p99(self) -> int:
        """The 99th percentile by nearest rank."""
        return percentile(self.counts, 99)


def percentile(counts: Sequence[int], percent: int) -> int:
    """Return the nearest-rank percentile: the smallest value that `percent` % do not exceed."""
    ordered = sorted(counts)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def counted(
    ticks: int, info: DeviceInfo, board: BoardSpec, *, simulated: bool
) -> tuple[str, int | None]:
    """Return what an inference took: "instructions" or "cycles", and how many; None: no counter.

    Args:
        ticks: as EXECUTE answers.
    """
    unit = "instructions" if simulated else "cycles"
    if info.counter == "none":
        return unit, None
    net = max(ticks - info.empty_ticks, 0)
    if simulated:
        if board.qemu is None:
            raise ValueError(f"{board.id} has no QEMU machine to have been simulated on")
        # -icount shift=0 makes one instruction one nanosecond of the machine's time.
        return unit, round(net * 1_000_000_000 / board.qemu.counter_hz)
    # A SysTick that runs slower than the core still gives core cycles.
    return unit, round(net * info.clock_hz / info.counter_hz)


def bench(
    client: Client,
    info: DeviceInfo,
    board: BoardSpec,
    inputs: TensorBytes,
    *,
    runs: int,
    warmups: int,
    simulated: bool,
    advance: Advance = nothing,
) -> Timing:
    """Time `runs` inferences of one input after `warmups` that are not counted.

    Raises DeviceError if the device has no counter.
    """
    if info.counter == "none":
        raise DeviceError(
            f"{info.board} has no working cycle counter: neither DWT nor SysTick ran in its "
            "self-test; nothing can be timed"
        )
    for index, data in enumerate(inputs):
        client.write_input(index, data)
    for _ in range(warmups):
        client.execute()
        advance()
    ticks: list[int] = []
    for _ in range(runs):
        ticks.append(client.execute())
        advance()
    net = [max(t - info.empty_ticks, 0) for t in ticks]
    if simulated:
        if board.qemu is None:
            raise ValueError(f"{board.id} has no QEMU machine to have been simulated on")
        # -icount shift=0 makes one instruction one nanosecond of the machine's time.
        rate = board.qemu.counter_hz
        counts = tuple(round(t * 1_000_000_000 / rate) for t in net)
    else:
        rate = info.counter_hz
        # A SysTick that runs slower than the core still gives core cycles.
        counts = tuple(round(t * info.clock_hz / rate) for t in net)
    return Timing(
        counter="instructions" if simulated else "cycles",
        counts=counts,
        warmups=warmups,
        empty_ticks=info.empty_ticks,
        counter_kind=info.counter,
        counter_hz=rate,
        latency_us=None if simulated else percentile(net, 50) * 1_000_000 / rate,
    )
