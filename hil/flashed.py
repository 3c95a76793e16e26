# SPDX-License-Identifier: BSD-3-Clause
"""A device under test: built for, flashed, and what was measured of it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardware_map import TTY, Device

from mcugen.base.errors import DeviceError, DeviceTimeoutError
from mcugen.boards.load import load_board
from mcugen.device import timing as timings
from mcugen.device.console import SerialConsole
from mcugen.device.probe_lock import probe_lock
from mcugen.device.protocol.client import Client, Deadlines
from mcugen.device.qemu import QemuMachine
from mcugen.flow.report import documents

MODEL = "digits"
#: What `mcugen` ends with when the device or the way to it is at fault, not what it computes.
_LINK_EXITS = (7, 9)
_LAST_BUILD = ("last.json", "last.pte", "last_exported.pte")


class LinkFailed(AssertionError):
    """The device, its probe or its port did not answer: worth another try."""


@dataclass(frozen=True)
class Build:
    """An image that all devices of one board share; made once a run."""

    folder: Path
    report: dict[str, Any]


@dataclass
class Flashed:
    """A device that runs a firmware, and what was measured of it so far."""

    device: Device
    folder: Path
    port: str
    build: Build | None  #: None: somebody else flashed it
    answer_s: float
    environment: dict[str, str]
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> tuple[str, ...]:
        """The options that name it."""
        if self.device.simulated:
            return ("--simulate",)
        # The console may be another port than the probe's own.
        probe = ("--device", str(self.device.probe_id))
        return (*probe, "--port", self.device.port, "--with", self.device.runner)

    def mcugen(self, *arguments: str) -> dict[str, Any]:
        """Run a command on the build for this device; return its document."""
        return run_mcugen(*arguments, folder=self.folder, environment=self.environment)

    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        """Connect to it. Raises LinkFailed."""
        deadlines = Deadlines(self.answer_s, self.answer_s, max(self.answer_s, 60.0))
        with link_failures(self.device):
            console = SerialConsole(self.port, self.device.baud)
            try:
                yield Client(console, deadlines=deadlines)
            finally:
                console.close()

    def time_console(self, runs: int = 5) -> dict[str, Any]:
        """Time inferences over the console alone, and describe what runs there."""
        board = load_board(self.device.platform)
        with self.client() as client:
            info = client.connect()
            zeros = tuple(bytes(size) for _, size in info.inputs)
            timing = timings.bench(
                client, info, board, zeros, runs=runs, warmups=1, simulated=self.device.simulated
            )
        return {
            "model": {"name": info.model, "sha256": info.pte_sha256, "pte_bytes": info.pte_bytes},
            "board": documents.board_section(board, info=info),
            "firmware": {"id": info.firmware_id},
            "timing": documents.timing_section(timing),
        }


@contextlib.contextmanager
def link_failures(device: Device) -> Iterator[None]:
    """Raise what a device fails by as LinkFailed, which is tried again."""
    try:
        yield
    except (DeviceError, DeviceTimeoutError) as error:
        hint = f" ({error.hint})" if error.hint else ""
        raise LinkFailed(f"{device.id}: {error.message}{hint}") from None


def run_mcugen(
    *arguments: str, folder: Path, environment: dict[str, str] | None = None
) -> dict[str, Any]:
    """Run the installed command line in a folder; return its document.

    Raises LinkFailed where the device is at fault, else AssertionError.
    """
    command = [str(Path(sys.executable).parent / "mcugen"), *arguments, "--json"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )
    if done.returncode != 0:
        kind = LinkFailed if done.returncode in _LINK_EXITS else AssertionError
        raise kind(
            f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-4000:]}\n"
            f"{done.stderr[-4000:]}"
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def shared_build(platform: str, builds: Path, run: str) -> Build:
    """Return the image for a board, built by the first of a run who asks for it; workers wait."""
    from filelock import FileLock

    folder = builds / platform
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "rig-build.json"
    with FileLock(builds / f"{platform}.lock"):
        if made.is_file():
            known = json.loads(made.read_text(encoding="utf-8"))
            if known["run"] == run:
                return Build(folder, known["report"])
        report = run_mcugen("build", MODEL, "--board", platform, folder=folder)
        made.write_text(json.dumps({"run": run, "report": report}), encoding="utf-8")
        return Build(folder, report)


@contextlib.contextmanager
def flash(
    device: Device,
    folder: Path,
    builds: Path,
    *,
    run: str,
    answer_s: float,
    probe_wait_s: float,
) -> Iterator[Flashed]:
    """Hold a device and let it run the firmware; a simulated one ends with this process.

    Raises LinkFailed; DisconnectedError where another program holds its probe or port.
    """
    with contextlib.ExitStack() as stack:
        build = shared_build(device.platform, builds, run) if device.flashed_here else None
        if build is not None:
            # As if it had been built here: the image stays where it is.
            (folder / "mcugen_out").mkdir(parents=True, exist_ok=True)
            for name in _LAST_BUILD:
                shutil.copy(build.folder / "mcugen_out" / name, folder / "mcugen_out" / name)
        if device.simulated:
            assert build is not None
            machine = QemuMachine(
                load_board(device.platform),
                Path(build.report["firmware"]["elf"]),
                folder / "session.json",
                pty=TTY in device.fixtures,
            )
            with link_failures(device):
                port = machine.start()
            stack.callback(machine.stop)
            yield Flashed(device, folder, port, build, answer_s, {})
            return
        lock = probe_lock(device.probe_id, device.port, wait_s=probe_wait_s)
        environment = stack.enter_context(lock)
        flashed = Flashed(device, folder, device.port, build, answer_s, environment)
        if build is not None:
            flashed.mcugen("flash", *flashed.target)
        else:
            with flashed.client() as client:
                client.connect()
        yield flashed
