# SPDX-License-Identifier: BSD-3-Clause
"""A build on a simulated machine that can be traced."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mcugen.cli.building import Built
from mcugen.cli.settings import Settings

if TYPE_CHECKING:
    from mcugen.cli.terminal import Terminal
    from mcugen.device.inference import TensorBytes
    from mcugen.device.protocol.client import Client
    from mcugen.device.protocol.info import DeviceInfo
    from mcugen.device.trace.machine import TracedMachine
    from mcugen.device.trace.profile import Profile, Profiler

#: While it is traced a machine needs about 100 times as long.
_TRACED_EXECUTE_S = 3600.0


@dataclass(frozen=True)
class TracedSession:
    """A machine that runs a build, connected."""

    built: Built
    machine: TracedMachine
    client: Client
    info: DeviceInfo
    profiler: Profiler

    @property
    def resolution(self) -> float:
        """Instructions of one tick of the device's counter."""
        assert self.built.board.qemu is not None
        return 1_000_000_000 / self.built.board.qemu.counter_hz

    def counted(self, ticks: int) -> int:
        """Return what the device's counter says, in instructions."""
        from mcugen.device.timing import counted

        _, count = counted(ticks, self.info, self.built.board, simulated=True)
        return count or 0

    def profile(self, inputs: TensorBytes) -> Profile:
        """Trace one inference, from the state as loaded where the model keeps one."""
        if self.built.artifact.keeps_state:
            self.client.reload_model()
        return self.profiler.run(self.machine, self.client, inputs)


@contextlib.contextmanager
def profiled(settings: Settings, built: Built, terminal: Terminal) -> Iterator[TracedSession]:
    """A machine of one's own that runs `built`, for as long as the block runs.

    Raises ToolMissingError, DeviceError, ProtocolError.
    """
    from mcugen.device.measure import check_device
    from mcugen.device.protocol.client import Client
    from mcugen.device.trace.machine import traced_machine
    from mcugen.device.trace.profile import Profiler

    board = built.board
    assert board.qemu is not None
    profiler = Profiler(built.image.elf, built.artifact, board, built.layers)
    terminal.stage(f"start QEMU ({board.qemu.machine})")
    deadlines = replace(settings.deadlines, execute_s=_TRACED_EXECUTE_S)
    with traced_machine(board, built.image.elf) as machine:
        client = Client(machine.console, deadlines=deadlines)
        info = client.connect()
        check_device(info, built.artifact, built.image.firmware_id)
        yield TracedSession(built, machine, client, info, profiler)
