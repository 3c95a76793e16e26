# SPDX-License-Identifier: BSD-3-Clause
"""Read a hardware map in Zephyr twister's schema, and choose from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mcugen.boards.upload import WAYS

#: The runner of entries that are QEMU machines: they need neither `serial` nor `probe_id`.
SIMULATOR = "qemu"
#: The runner of entries that somebody else flashes: they need `serial` alone.
NO_RUNNER = "none"
#: The fixture of simulated entries whose console is a tty.
TTY = "pty"
#: Keys of twister's that would be ignored here.
_OTHERS = (
    *("pre_script", "post_script", "post_flash_script", "script_param", "runner_params"),
    *("flash_before", "flash_with_test", "available", "uart"),
)


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

    @property
    def flashed_here(self) -> bool:
        """Whether the rig builds an image for it."""
        return self.runner != NO_RUNNER

    @property
    def port(self) -> str:
        """The console of a device that is not simulated."""
        return str(self.serial or self.serial_pty)


def _device(entry: Any, where: str) -> Device:
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: a device is a mapping, not {entry!r}")
    known = {field.name for field in dataclasses.fields(Device)}
    if unknown := sorted(set(entry) - known):
        what = "is not supported here" if unknown[0] in _OTHERS else "is no key of the schema"
        raise ValueError(f"{where}: {unknown[0]!r} {what}; known: {', '.join(sorted(known))}")
    required = ("connected", "id", "platform", "product", "runner")
    if missing := [key for key in required if key not in entry]:
        raise ValueError(f"{where}: {missing[0]!r} is missing")
    # An unquoted probe serial such as 0674 would be read as a number.
    for key in ("id", "probe_id", "serial", "serial_pty", "platform", "runner"):
        if key in entry and not isinstance(entry[key], str):
            raise ValueError(f"{where}: {key} must be a string: put it in quotes")
    fixtures = entry.get("fixtures", [])
    if not isinstance(fixtures, list) or not all(isinstance(each, str) for each in fixtures):
        raise ValueError(f"{where}: fixtures must be a list of names")
    device = Device(**{**entry, "fixtures": tuple(fixtures)})
    if device.connected and not device.simulated:
        if device.flashed_here and device.runner not in WAYS:
            ways = ", ".join((SIMULATOR, NO_RUNNER, *WAYS))
            raise ValueError(f"{where}: runner {device.runner!r} is not one of {ways}")
        # Never flash by "the only probe there is": the wrong board has been flashed that way.
        if device.flashed_here and not device.probe_id:
            raise ValueError(f"{where}: a real board needs probe_id (or runner: none)")
        if not (device.serial or device.serial_pty):
            raise ValueError(f"{where}: a real board needs serial (or serial_pty)")
    return device


def load(path: Path) -> tuple[Device, ...]:
    """Return the devices of a hardware map, in its order.

    Raises ValueError naming the file, the entry and the key that is wrong.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from None
    if not isinstance(entries, list):
        raise ValueError(f"{path}: a hardware map is a list of devices")
    devices = tuple(_device(entry, f"{path}, entry {i + 1}") for i, entry in enumerate(entries))
    connected = [device for device in devices if device.connected]
    for what in ("id", "probe_id", "serial"):
        values = [value for device in connected if (value := getattr(device, what)) is not None]
        if repeated := sorted({value for value in values if values.count(value) > 1}):
            raise ValueError(f"{path}: {what} {repeated[0]!r} stands more than once")
    return devices


def choose(
    path: Path, boards: Sequence[str] = (), fixtures: Sequence[str] = ()
) -> tuple[Device, ...]:
    """Return the connected devices of these boards that have all of these fixtures.

    Raises ValueError: there are none.
    """
    devices = load(path)
    chosen = tuple(
        device
        for device in devices
        if device.connected
        and (not boards or device.platform in boards)
        and set(fixtures) <= set(device.fixtures)
    )
    if not chosen:
        wanted = [*boards, *(f"fixture {name}" for name in fixtures)]
        listed = ", ".join(
            f"{device.id} ({' '.join([device.platform, *device.fixtures])}"
            f"{'' if device.connected else ', not connected'})"
            for device in devices
        )
        asked = f" that is {' with '.join(wanted)}" if wanted else ""
        raise ValueError(f"{path} has no connected device{asked}; it has {listed or 'none'}")
    return chosen
