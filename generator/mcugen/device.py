# SPDX-License-Identifier: BSD-3-Clause
"""Devices: ports and probes that are there, consoles to talk over, QEMU machines to start."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mcugen.errors import (
    DeviceError,
    DeviceTimeoutError,
    FlashError,
    McugenError,
    ToolMissingError,
)
from mcugen.protocol import Console

if TYPE_CHECKING:
    from mcugen.boards import BoardSpec
    from mcugen.build import BuiltImage

__all__ = [
    "Console",
    "Flasher",
    "ProbeFlasher",
    "QemuMachine",
    "SerialConsole",
    "Target",
    "UsbDevice",
    "choose_target",
    "find_devices",
    "simulated_console",
]

WRITE_TIMEOUT_S = 10.0


class Flasher(Protocol):
    """Puts an image on a device and lets it run."""

    def flash(self, image: BuiltImage) -> None:
        """Raises FlashError, ToolMissingError."""


# ---------------------------------------------------------------------------- what is there


@dataclass(frozen=True)
class UsbDevice:
    """A serial port, a debug probe, or one that is both.

    port: None for a probe without a serial port. board_ids: boards whose probe has this VID:PID.
    """

    port: str | None
    vid: int | None
    pid: int | None
    serial: str | None
    description: str
    board_ids: tuple[str, ...] = ()

    @property
    def usb_id(self) -> str:
        """VID:PID in hex, or "" for a port that is not on USB."""
        return f"{self.vid:04x}:{self.pid:04x}" if self.vid is not None else ""

    @property
    def is_probe(self) -> bool:
        """Whether some board's probe has this VID:PID."""
        return bool(self.board_ids)

    def describe(self) -> str:
        """Return one line for lists."""
        parts = [self.port or "(no serial port)", self.description]
        if self.usb_id:
            parts.append(f"USB {self.usb_id}")
        if self.serial:
            parts.append(f"serial {self.serial}")
        if self.board_ids:
            parts.append(f"may be {' or '.join(self.board_ids)}")
        return ", ".join(part for part in parts if part)


def find_devices(boards: Iterable[BoardSpec]) -> tuple[UsbDevice, ...]:
    """Return the serial ports and the known probes attached to this machine, ports first."""
    from serial.tools import list_ports

    boards = tuple(boards)
    found: list[UsbDevice] = []
    for port in sorted(list_ports.comports(), key=lambda p: p.device):
        description = port.description if port.description not in (None, "n/a") else ""
        found.append(
            UsbDevice(
                port.device,
                port.vid,
                port.pid,
                port.serial_number,
                description,
                _boards_with(boards, port.vid, port.pid),
            )
        )
    seen = {(d.vid, d.pid, d.serial) for d in found}
    for vid, pid, serial, description in _usb_from_sysfs():
        board_ids = _boards_with(boards, vid, pid)
        if board_ids and (vid, pid, serial) not in seen:
            found.append(UsbDevice(None, vid, pid, serial, description, board_ids))
    return tuple(found)


def _boards_with(
    boards: tuple[BoardSpec, ...], vid: int | None, pid: int | None
) -> tuple[str, ...]:
    return tuple(b.id for b in boards if b.probe is not None and (vid, pid) in b.probe.usb_ids)


def _usb_from_sysfs() -> Iterator[tuple[int, int, str | None, str]]:
    """Linux lists every USB device, also a probe without a serial port, under /sys."""
    for folder in sorted(Path("/sys/bus/usb/devices").glob("*")):
        values: dict[str, str | None] = {}
        for name in ("idVendor", "idProduct", "serial", "product"):
            try:
                values[name] = (folder / name).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                values[name] = None
        vendor, product = values["idVendor"], values["idProduct"]
        if vendor and product:
            yield int(vendor, 16), int(product, 16), values["serial"], values["product"] or ""


# ---------------------------------------------------------------------------- which one


@dataclass(frozen=True)
class Target:
    """The device a command is for. port: console; probe_serial: None when it is the only probe."""

    port: str | None
    probe_serial: str | None


def choose_target(board: BoardSpec, devices: tuple[UsbDevice, ...], wanted: str | None) -> Target:
    """Return the one device that is meant.

    Args:
        wanted: `--device`: a port, a URL pyserial opens, or a probe's serial number; or None.

    Raises FlashError: nothing is there, several could be meant, or `wanted` is not there.
    """
    simulate = " or --simulate to run on QEMU" if board.qemu else ""
    if wanted is not None:
        return _named_target(board, devices, wanted)
    candidates = [d for d in devices if board.id in d.board_ids]
    if len(candidates) == 1:
        return Target(candidates[0].port, candidates[0].serial)
    if not candidates:
        raise FlashError(
            f"no {board.name} ({board.id}) is attached\n{_list(devices)}",
            hint=f"Attach the board, or give --device PORT{simulate}.",
        )
    raise FlashError(
        f"{len(candidates)} attached devices may be a {board.name} ({board.id}):\n"
        + "\n".join(f"  {d.describe()}" for d in candidates),
        hint=f"Choose one with --device SERIAL|PORT{simulate}.",
    )


def _named_target(board: BoardSpec, devices: tuple[UsbDevice, ...], wanted: str) -> Target:
    by_serial = [d for d in devices if d.serial is not None and d.serial == wanted]
    if by_serial:
        with_port = [d for d in by_serial if d.port is not None]
        return Target((with_port or by_serial)[0].port, wanted)
    real = os.path.realpath(wanted)
    for device in devices:
        if device.port is not None and os.path.realpath(device.port) == real:
            return Target(wanted, device.serial if device.is_probe else None)
    if "://" in wanted or os.path.exists(wanted):
        return Target(wanted, None)
    raise FlashError(
        f"there is no device '{wanted}' for {board.id}\n{_list(devices)}",
        hint="--device takes a serial port or a probe's serial number; see 'mcugen devices'.",
    )


def _list(devices: tuple[UsbDevice, ...]) -> str:
    ports = [d for d in devices if d.port is not None]
    probes = [d for d in devices if d.is_probe]
    lines = ["serial ports found: " + ("" if ports else "none")]
    lines += [f"  {d.describe()}" for d in ports]
    lines.append("probes found: " + ("" if probes else "none"))
    lines += [f"  {d.describe()}" for d in probes]
    return "\n".join(line.rstrip() for line in lines)


# ---------------------------------------------------------------------------- serial


class SerialConsole:
    """A serial port, or anything else pyserial opens by URL (`socket://`, `rfc2217://`, a pty)."""

    def __init__(self, port: str, baud: int) -> None:
        """Open it for this process alone.

        Raises DeviceError: it does not exist, is taken (by whom), or may not be opened.
        """
        import serial

        self._name = port
        try:
            # timeout=0: reads never block inside pyserial; `read` waits by itself.
            self._port = serial.serial_for_url(
                port,
                baudrate=baud,
                timeout=0,
                write_timeout=WRITE_TIMEOUT_S,
                exclusive=None if "://" in port else True,
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise _open_error(port, error) from None
        try:
            self._fd: int | None = self._port.fileno()
        except (AttributeError, OSError, ValueError):
            self._fd = None

    @property
    def name(self) -> str:
        """The port as it was named."""
        return self._name

    def write(self, data: bytes) -> None:
        """Send all of it. Raises DeviceError, DeviceTimeoutError."""
        import serial

        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise DeviceTimeoutError(
                f"{self._name} took no data for {WRITE_TIMEOUT_S:.0f} s"
            ) from None
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from None

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting up to `timeout_s` for the first byte."""
        import serial

        deadline = time.monotonic() + timeout_s
        try:
            if self._fd is not None and os.name == "posix":
                select.select([self._fd], [], [], max(timeout_s, 0))
                return bytes(self._port.read(4096))
            while True:
                data = bytes(self._port.read(4096))
                if data or time.monotonic() >= deadline:
                    return data
                time.sleep(0.001)
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from None

    def close(self) -> None:
        """Give the port back."""
        with contextlib.suppress(OSError):
            self._port.close()

    def _gone(self, error: Exception) -> DeviceError:
        return DeviceError(
            f"{self._name}: the connection to the device was lost ({error})",
            hint="Check the cable and that no other program uses the port.",
        )


def _open_error(port: str, error: Exception) -> DeviceError:
    number = getattr(error, "errno", None)
    text = str(error)
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        holders = port_holders(port)
        by = f" by {', '.join(holders)}" if holders else " by another program"
        return DeviceError(
            f"{port} is taken{by}",
            hint="Close that program (a serial monitor, another mcugen) and try again.",
        )
    if number == errno.ENOENT or "No such file" in text:
        return DeviceError(
            f"there is no serial port {port}", hint="'mcugen devices' lists what is attached."
        )
    if number == errno.EACCES or "Permission denied" in text:
        return DeviceError(
            f"no permission to open {port}",
            hint=f"Add yourself to the group that owns it: ls -l {port} "
            "(often: sudo usermod -aG dialout $USER, then log in again).",
        )
    return DeviceError(f"{port} cannot be opened: {text}")


def port_holders(port: str) -> tuple[str, ...]:
    """Return "name (pid N)" of the processes that have `port` open, as far as Linux tells us."""
    real = os.path.realpath(port)
    found: list[str] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(fd) == real for fd in (folder / "fd").iterdir()):
                name = (folder / "comm").read_text(encoding="utf-8").strip()
                found.append(f"{name} (pid {folder.name})")
        except OSError:
            continue  # another user's process, or one that just ended
    return tuple(found)


# ---------------------------------------------------------------------------- probes


@dataclass(frozen=True)
class ProbeFlasher:
    """Flashes through PlatformIO's upload target, by probe serial when one was named."""

    board: BoardSpec
    probe_serial: str | None

    def flash(self, image: BuiltImage) -> None:
        """Raises FlashError, ToolMissingError."""
        from mcugen.build import upload

        upload(image.project, self.board, simulate=False, probe_serial=self.probe_serial)


# ---------------------------------------------------------------------------- QEMU


@dataclass(frozen=True)
class QemuMachine:
    """A QEMU process that runs an ELF, started and stopped by the platform's session script."""

    board: BoardSpec
    elf: Path
    state_path: Path
    extra: tuple[str, ...] = ()  #: arguments of QEMU's besides the board's
    shared_arena: bool = False  #: let `Session.ram` be the memory of a runner's models

    def start(self) -> str:
        """Start the machine and return the URL of its console.

        Raises ToolMissingError, DeviceError.
        """
        qemu = self.board.qemu
        if qemu is None:
            raise FlashError(
                f"{self.board.id} has no QEMU machine",
                hint="Use a real board, or one that 'mcugen boards' lists with a simulator.",
            )
        arguments = [
            "start",
            f"--elf={self.elf}",
            f"--machine={qemu.machine}",
            f"--serial-index={qemu.serial_index}",
            f"--state={self.state_path}",
        ]
        if qemu.cpu is not None:
            arguments.append(f"--cpu={qemu.cpu}")
        arguments += [f"--extra={extra}" for extra in (*qemu.extra_args, *self.extra)]
        if self.shared_arena and qemu.arena_ram_mib is not None:
            arguments.append(f"--shared-ram-mib={qemu.arena_ram_mib}")
        run_session_script(arguments)
        try:
            state = json.loads(self.state_path.read_text(encoding="utf-8"))
            return str(state["url"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DeviceError(f"QEMU's session left no usable state: {error}") from None

    def stop(self) -> bool:
        """Stop the machine; return whether it ran."""
        return stop_session(self.state_path)


def stop_session(state_path: Path) -> bool:
    """Stop the machine of a state file; return whether it ran."""
    if not state_path.exists():
        return False
    return run_session_script(["stop", f"--state={state_path}"]).strip() == "stopped"


#: Where a project's background machine keeps its state; firmware/platform uses the same name.
SESSION_NAME = ".mcugen-qemu.json"


def session_path(project_root: Path) -> Path:
    """Return where the machine that PlatformIO's upload target started keeps its state."""
    return project_root / SESSION_NAME


@dataclass(frozen=True)
class Session:
    """A QEMU machine that runs in the background."""

    url: str
    pid: int
    elf_sha256: str
    ram: Path | None = None  #: the file that is the memory of a runner's models


def running_session(state_path: Path) -> Session | None:
    """Return the session of a state file, or None if there is none that runs."""
    if not state_path.exists():
        return None
    try:
        state = json.loads(run_session_script(["status", f"--state={state_path}"]))
        ram = Path(state["ram"]) if "ram" in state else None
        return Session(str(state["url"]), int(state["pid"]), str(state["elf_sha256"]), ram)
    except (McugenError, ValueError, KeyError, TypeError):
        return None


def run_session_script(arguments: list[str], *, timeout_s: float = 60.0) -> str:
    """Run the platform's QEMU session script and return what it prints.

    It runs in a session of its own: a Ctrl-C meant for mcugen must not cut it in half and leave a
    QEMU that nobody knows of.

    Raises ToolMissingError, DeviceError, DeviceTimeoutError.
    """
    from mcugen.resources import firmware_dir

    script = firmware_dir() / "platform" / "builder" / "qemu_session.py"
    with subprocess.Popen(
        [sys.executable, str(script), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise DeviceTimeoutError(f"QEMU did not start within {timeout_s:.0f} s") from None
        except KeyboardInterrupt:
            process.communicate(timeout=timeout_s)
            raise
    if process.returncode != 0:
        text = err.strip().removeprefix("error: ") or f"status {process.returncode}"
        if "is not on PATH" in text:
            message, _, install = text.partition(". Install it: ")
            raise ToolMissingError(message, hint=install or None)
        raise DeviceError(f"the simulator did not start: {text}")
    return out


@contextlib.contextmanager
def simulated_console(board: BoardSpec, elf: Path) -> Iterator[SerialConsole]:
    """A QEMU machine of one's own for as long as the block runs, stopped however it ends."""
    with tempfile.TemporaryDirectory(prefix="mcugen-qemu-") as folder:
        machine = QemuMachine(board, elf, Path(folder) / "session.json")
        try:
            console = SerialConsole(machine.start(), board.console.baud)
            try:
                yield console
            finally:
                console.close()
        finally:
            machine.stop()
