# SPDX-License-Identifier: BSD-3-Clause
"""Read a hardware map in Zephyr twister's schema."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

#: The runner of entries that are QEMU machines: they need neither `serial` nor `probe_id`.
SIMULATOR = "qemu"


@dataclass(frozen=True)
class Device:
    """One entry of the map. Field names are twister's."""

    connected: bool
    id: str
    platform: str
    product: str
    runner: str
    serial: str | None = None
    serial_pty: str | None = None
    baud: int = 115_200
    probe_id: str | None = None
    fixtures: tuple[str, ...] = ()
    flash_timeout: int = 60
    notes: str = ""

    @property
    def simulated(self) -> bool:
        return self.runner == SIMULATOR


def _device(entry: dict[str, Any], where: str) -> Device:
    known = {field.name for field in dataclasses.fields(Device)}
    if unknown := sorted(set(entry) - known):
        raise ValueError(f"{where}: unknown key {unknown[0]!r}; known: {', '.join(sorted(known))}")
    required = ("connected", "id", "platform", "product", "runner")
    if missing := [key for key in required if key not in entry]:
        raise ValueError(f"{where}: {missing[0]!r} is missing")
    # An unquoted probe serial such as 0674 would be read as a number.
    for key in ("id", "probe_id", "serial", "platform"):
        if key in entry and not isinstance(entry[key], str):
            raise ValueError(f"{where}: {key} must be a string: put it in quotes")
    device = Device(**{**entry, "fixtures": tuple(entry.get("fixtures", ()))})
    if device.connected and not device.simulated:
        # Never flash by "the only probe there is": the wrong board has been flashed that way.
        if not device.probe_id:
            raise ValueError(f"{where}: a real board needs probe_id")
        if not (device.serial or device.serial_pty):
            raise ValueError(f"{where}: a real board needs serial (or serial_pty)")
    return device


def load(path: Path) -> tuple[Device, ...]:
    """Return the devices of a hardware map, in its order.

    Raises ValueError naming the file, the entry and the key that is wrong.
    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(entries, list):
        raise ValueError(f"{path}: a hardware map is a list of devices")
    devices = tuple(_device(entry, f"{path}, entry {i + 1}") for i, entry in enumerate(entries))
    ids = [device.id for device in devices]
    if repeated := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"{path}: id {repeated[0]!r} stands more than once")
    return devices
