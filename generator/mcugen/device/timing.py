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
    unit = unit_of(simulated=simulated)
    if info.counter == "none":
        return unit, None
    return unit, round(max(ticks - info.empty_ticks, 0) * per_tick(info, board, simulated))


def unit_of(*, simulated: bool) -> str:
    """Return what is counted: "instructions" or "cycles"."""
    return "instructions" if simulated else "cycles"


def per_tick(info: DeviceInfo, board: BoardSpec, simulated: bool) -> float:
    """Return how many instructions or cycles a tick is."""
    if simulated:
        if board.qemu is None:
            raise ValueError(f"{board.id} has no QEMU machine to have been simulated on")
        # -icount shift=0 makes one instruction one nanosecond of the machine's time.
        return 1_000_000_000 / board.qemu.counter_hz
    # A SysTick that runs slower than the core still gives core cycles.
    return info.clock_hz / info.counter_hz


def require_counter(info: DeviceInfo) -> None:
    """Raise DeviceError if the device has no counter."""
    if info.counter == "none":
        raise DeviceError(
            f"{info.board} has no working cycle counter: neither DWT nor SysTick ran in its "
            "self-test; nothing can be timed"
        )


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
    require_counter(info)
    for index, data in enumerate(inputs):
        client.write_input(index, data)
    for _ in range(warmups):
        client.execute()
        advance()
    ticks: list[int] = []
    for _ in range(runs):
        ticks.append(client.execute())
        advance()
    return timing_of(ticks, info, board, warmups=warmups, simulated=simulated)


def timing_of(
    ticks: Sequence[int], info: DeviceInfo, board: BoardSpec, *, warmups: int, simulated: bool
) -> Timing:
    """Return what inferences took by the raw ticks of each."""
    net = [max(each - info.empty_ticks, 0) for each in ticks]
    scale = per_tick(info, board, simulated)
    rate = board.qemu.counter_hz if simulated and board.qemu is not None else info.counter_hz
    return Timing(
        counter=unit_of(simulated=simulated),
        counts=tuple(round(each * scale) for each in net),
        warmups=warmups,
        empty_ticks=info.empty_ticks,
        counter_kind=info.counter,
        counter_hz=rate,
        latency_us=None if simulated else percentile(net, 50) * 1_000_000 / rate,
    )
