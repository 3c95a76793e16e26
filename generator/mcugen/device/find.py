# SPDX-License-Identifier: BSD-3-Clause
"""Ports, probes and boot loaders that are attached."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mcugen.boards.probes import known_probes

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec

SYSFS = Path("/sys/bus/usb/devices")
BY_ID = Path("/dev/serial/by-id")
_MANY = 3  # names of boards in a line for people


@dataclass(frozen=True)
class UsbDevice:
    """A serial port, a debug probe, a boot loader, or one that is several of these.

    port: None for a probe without a serial port. board_ids: boards whose probe has this VID:PID.
    loader_of: boards that show this VID:PID while their boot loader runs. touch_for: boards whose
    boot loader comes when this port is opened at 1200 baud. by_id: a name of the port that stays
    the same. node: what libusb opens. probe_name: of a probe that may be on no board at all.
    location: where it is plugged in, and which of its interfaces the port is: "1-4.2:1.0".
    """

    port: str | None
    vid: int | None
    pid: int | None
    serial: str | None
    description: str
    board_ids: tuple[str, ...] = ()
    loader_of: tuple[str, ...] = ()
    touch_for: tuple[str, ...] = ()
    by_id: str | None = None
    node: str | None = None
    probe_name: str | None = None
    location: str | None = None

    @property
    def usb_id(self) -> str:
        """VID:PID in hex, or "" for a port that is not on USB."""
        return f"{self.vid:04x}:{self.pid:04x}" if self.vid is not None else ""

    @property
    def is_probe(self) -> bool:
        """Whether it is a debug probe: some board's, or one of its own."""
        return bool(self.board_ids) or self.probe_name is not None

    @property
    def kind(self) -> str:
        """What it is: probe, boot loader or port."""
        if self.is_probe:
            return "probe"
        return "boot loader" if self.loader_of else "port"

    @property
    def guess(self) -> str:
        """The boards it may belong to, in words; "" if there is nothing to go by."""
        boards = self.board_ids or self.loader_of or self.touch_for
        if len(boards) > _MANY + 1:
            return f"{', '.join(boards[:_MANY])} or {len(boards) - _MANY} others"
        return " or ".join(boards) or self.probe_name or ""

    @property
    def unit(self) -> tuple[int | None, int | None, str]:
        """What ports of one piece of hardware have in common."""
        plug = (self.location or "").partition(":")[0] or self.node or self.port or ""
        return self.vid, self.pid, self.serial or f"at {plug}"

    def is_same_port(self, other: UsbDevice) -> bool:
        """Whether the other is this port, perhaps by another name and in another socket."""
        interfaces = [(d.location or "").partition(":")[2] for d in (self, other)]
        return self.unit == other.unit and interfaces[0] == interfaces[1]

    def has_serial(self, number: str) -> bool:
        """Whether that is its serial number. J-Links and boot loaders pad theirs with zeros."""
        if self.serial is None:
            return False
        return self.serial == number or self.serial.lstrip("0") == number.lstrip("0") != ""

    def describe(self) -> str:
        """Return one line for lists."""
        parts = [self.port or "(no serial port)", self.description]
        if self.usb_id:
            parts.append(f"USB {self.usb_id}")
        if self.serial:
            parts.append(f"serial {self.serial}")
        if self.guess:
            what = "boot loader, may be" if self.loader_of and not self.is_probe else "may be"
            parts.append(f"{what} {self.guess}")
        return ", ".join(part for part in parts if part)


def find_devices(boards: Iterable[BoardSpec]) -> tuple[UsbDevice, ...]:
    """Return the ports, and the known probes and boot loaders, of this machine; ports first."""
    from serial.tools import list_ports

    boards = tuple(boards)
    by_id = _names_by_id()
    usb = list(_usb_from_sysfs())
    found: list[UsbDevice] = []
    for port in sorted(list_ports.comports(), key=lambda p: p.device):
        description = port.description if port.description not in (None, "n/a") else ""
        ids = (port.vid, port.pid, port.serial_number)
        node = next((one.node for one in usb if (one.vid, one.pid, one.serial) == ids), None)
        location = port.location
        device = UsbDevice(port.device, *ids, description, node=node, location=location)
        found.append(
            replace(_known(boards, device), by_id=by_id.get(os.path.realpath(port.device)))
        )
    # Counted: probes without a serial number look alike, and each of them may be taken by OpenOCD.
    with_port = Counter((d.vid, d.pid, d.serial) for d in found)
    for device in usb:
        device = _known(boards, device)
        key = (device.vid, device.pid, device.serial)
        with_port[key] -= 1
        if (device.is_probe or device.loader_of) and with_port[key] < 0:
            found.append(device)
    return tuple(found)


def _known(boards: tuple[BoardSpec, ...], device: UsbDevice) -> UsbDevice:
    """Return the device with the boards that its VID:PID may be of."""
    usb_id = (device.vid, device.pid)
    with_upload = [board for board in boards if board.upload is not None]
    bossacs = [(board.id, board.upload.bossac) for board in with_upload if board.upload]
    return replace(
        device,
        board_ids=tuple(b.id for b in boards if b.probe is not None and usb_id in b.probe.usb_ids),
        loader_of=tuple(
            b.id for b in with_upload if b.upload and usb_id in b.upload.loader_usb_ids
        ),
        touch_for=tuple(name for name, how in bossacs if how and usb_id in how.touch_usb_ids),
        probe_name=_probe_name(device),
    )


def _probe_name(device: UsbDevice) -> str | None:
    usb_id = (device.vid, device.pid)
    for probe in known_probes():
        if usb_id in probe.usb_ids:
            return probe.name
    # So they are told by CMSIS-DAP's specification, and OpenOCD and pyOCD find them so.
    return "CMSIS-DAP" if "CMSIS-DAP" in device.description else None


def _names_by_id() -> dict[str, str]:
    """Return udev's names of ports that stay the same, by what they point at."""
    try:
        return {os.path.realpath(path): str(path) for path in sorted(BY_ID.iterdir())}
    except OSError:
        return {}


def _usb_from_sysfs() -> Iterator[UsbDevice]:
    """Linux lists every USB device, also a probe without a serial port, under /sys."""
    for folder in sorted(SYSFS.glob("*")):
        values: dict[str, str | None] = {}
        for name in ("idVendor", "idProduct", "serial", "product", "busnum", "devnum"):
            try:
                values[name] = (folder / name).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                values[name] = None
        vendor, product = values["idVendor"], values["idProduct"]
        bus, number = values["busnum"], values["devnum"]
        if vendor and product:
            yield UsbDevice(
                None,
                int(vendor, 16),
                int(product, 16),
                values["serial"],
                values["product"] or "",
                node=f"/dev/bus/usb/{int(bus):03}/{int(number):03}" if bus and number else None,
                location=folder.name,
            )
