# SPDX-License-Identifier: BSD-3-Clause
"""A build, profiled: on a simulated machine that can be traced, or by the device's counter."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import ConfigError
from mcugen.flow.building import Built
from mcugen.flow.connection import connect
from mcugen.flow.measuring import evaluation, steps
from mcugen.flow.settings import Settings

if TYPE_CHECKING:
    from mcugen.device.inference import TensorBytes
    from mcugen.device.protocol.client import Client
    from mcugen.device.protocol.info import DeviceInfo
    from mcugen.device.trace.machine import TracedMachine
    from mcugen.device.trace.profile import Profile, Profiler
    from mcugen.flow.terminal import Terminal

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


def traced_document(settings: Settings, built: Built, terminal: Terminal) -> dict[str, Any]:
    """Profile a build on its simulated board by a trace; return the document.

    Raises ConfigError for a build with ExecuTorch's own libraries.
    """
    from mcugen.flow.report.profile import profile_section

    if not built.artifact.own_runtime:
        raise ConfigError(
            "a build with ExecuTorch's own libraries cannot be traced: its operators are not "
            "called by functions that are known here",
            hint="Build without --runtime, or profile with --counter.",
        )
    inputs = evaluation(settings, built, terminal, verify=False).inputs[0]
    with profiled(settings, built, terminal) as session:
        terminal.stage("trace one inference")
        result = session.profile(inputs)
        counted = session.counted(result.ticks)
        info = session.info
    section = profile_section(result, counted, session.resolution)
    return _document(built, info, True, section)


def counted_document(settings: Settings, built: Built, terminal: Terminal) -> dict[str, Any]:
    """Time each call of a build on its device; return the document.

    Raises ConfigError for a program with jumps.
    """
    from mcugen.device.call_times import straight_steps, time_calls
    from mcugen.flow.report.call_times import call_times_section
    from mcugen.program.call_facts import call_sequence

    sequence = call_sequence(built.artifact)
    straight_steps(sequence)  # before a board is flashed for nothing
    inputs = evaluation(settings, built, terminal, verify=False).inputs[0]
    with connect(settings, built, terminal, "profile") as link:
        times = time_calls(
            link.client,
            link.info,
            built.board,
            sequence,
            built.layers,
            inputs,
            runs=settings.runs,
            warmups=settings.warmups,
            simulated=link.simulated,
            reload=built.artifact.keeps_state,
            advance=steps(terminal, f"time {settings.runs} runs", settings.warmups + settings.runs),
        )
        info = link.client.info()
    section = call_times_section(times)
    return _document(built, info, link.simulated, section) | {"transcript": str(link.transcript)}


def _document(
    built: Built, info: DeviceInfo, simulated: bool, section: dict[str, Any]
) -> dict[str, Any]:
    from mcugen.flow.report import documents

    forms = {each.call: each for each in built.forms}
    for call in section["calls"]:
        form = forms.get(call["number"])
        call["form"], call["why"] = (form.form, form.why) if form and form.form else (None, None)
    return {
        "schema": "mcugen.profile/1",
        "model": documents.model_section(built.artifact),
        "board": documents.board_section(built.board, simulated=simulated, info=info),
        "firmware": documents.firmware_section(built.board, built.plan, built.image, info),
        "optimize": built.level.value,
        **section,
        "project": str(built.image.project.root),
    }
