# SPDX-License-Identifier: BSD-3-Clause
"""Ports and probes that are attached, and which of them is meant.

A console and a probe are two things. Whatever port is named can be talked to; flashed is only
through a probe that is known to be meant, because OpenOCD takes the first one it finds otherwise.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mcugen.base.errors import FlashError

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec

SYSFS = Path("/sys/bus/usb/devices")


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
    # Counted: probes without a serial number look alike, and each of them may be taken by OpenOCD.
    with_port = Counter((d.vid, d.pid, d.serial) for d in found)
    for vid, pid, serial, description in _usb_from_sysfs():
        board_ids = _boards_with(boards, vid, pid)
        with_port[vid, pid, serial] -= 1
        if board_ids and with_port[vid, pid, serial] < 0:
            found.append(UsbDevice(None, vid, pid, serial, description, board_ids))
    return tuple(found)


def _boards_with(
    boards: tuple[BoardSpec, ...], vid: int | None, pid: int | None
) -> tuple[str, ...]:
    return tuple(b.id for b in boards if b.probe is not None and (vid, pid) in b.probe.usb_ids)


def _usb_from_sysfs() -> Iterator[tuple[int, int, str | None, str]]:
    """Linux lists every USB device, also a probe without a serial port, under /sys."""
    for folder in sorted(SYSFS.glob("*")):
        values: dict[str, str | None] = {}
        for name in ("idVendor", "idProduct", "serial", "product"):
            try:
                values[name] = (folder / name).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                values[name] = None
        vendor, product = values["idVendor"], values["idProduct"]
        if vendor and product:
            yield int(vendor, 16), int(product, 16), values["serial"], values["product"] or ""


@dataclass(frozen=True)
class Target:
    """The device a command is for.

    port: console. probe_serial: of its probe; None where none is known to be this device's, or
    where it has no number. only_probe: its probe has no number and is the only one attached.
    """

    port: str | None
    probe_serial: str | None
    only_probe: bool = False

    @property
    def can_flash(self) -> bool:
        """Whether no other probe than this device's own would be taken."""
        return self.probe_serial is not None or self.only_probe


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
        return _with_probe(candidates[0].port, candidates[0], devices)
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
            own = board.id in device.board_ids
            return _with_probe(wanted, device, devices) if own else Target(wanted, None)
    if "://" in wanted or os.path.exists(wanted):
        return Target(wanted, None)
    raise FlashError(
        f"there is no device '{wanted}' for {board.id}\n{_list(devices)}",
        hint="--device takes a serial port or a probe's serial number; see 'mcugen devices'.",
    )


def _with_probe(port: str | None, probe: UsbDevice, devices: tuple[UsbDevice, ...]) -> Target:
    alone = sum(device.is_probe for device in devices) == 1
    return Target(port, probe.serial, only_probe=probe.serial is None and alone)


def require_probe(board: BoardSpec, devices: tuple[UsbDevice, ...], target: Target) -> None:
    """Raises FlashError, with what to write instead, unless it is known which probe to use."""
    if target.can_flash:
        return
    own = [d for d in devices if board.id in d.board_ids]
    real = target.port and os.path.realpath(target.port)
    at_port = [d for d in devices if d.port is not None and os.path.realpath(d.port) == real]
    if any(d in own for d in at_port) or target.port is None:
        why = (
            f"the probe of {board.id} at {target.port or 'no serial port'} has no serial number, "
            "and other probes are attached: the wrong one might be flashed"
        )
        hint = "Unplug the other probes."
    else:
        belongs = next(
            (f": it may be {' or '.join(d.board_ids)}" for d in at_port if d.is_probe), ""
        )
        why = (
            f"{target.port} is not the port of a probe of {board.id}{belongs}; "
            "through which probe to flash is not known"
        )
        numbers = [d.serial for d in own if d.serial is not None]
        serial = numbers[0] if len(set(numbers)) == 1 == len(own) else "SERIAL"
        hint = (
            f"Name the probe: mcugen flash --device {serial}; then "
            f"mcugen verify --device {target.port} talks to the board at that port."
            if own
            else f"Attach the probe of {board.id}: 'mcugen devices' lists it then."
        )
    raise FlashError(f"{why}\n{_list_probes(devices)}", hint=hint)


def _list(devices: tuple[UsbDevice, ...]) -> str:
    ports = [d for d in devices if d.port is not None]
    lines = ["serial ports found: " + ("" if ports else "none")]
    lines += [f"  {d.describe()}" for d in ports]
    return "\n".join([*(line.rstrip() for line in lines), _list_probes(devices)])


def _list_probes(devices: tuple[UsbDevice, ...]) -> str:
    probes = [d for d in devices if d.is_probe]
    lines = ["probes found:" if probes else "probes found: none"]
    return "\n".join([*lines, *(f"  {d.describe()}" for d in probes)])
