# SPDX-License-Identifier: BSD-3-Clause
"""Which of the attached devices is meant.

A console and a probe are two things. Whatever port is named can be talked to; flashed is only
through a probe that is known to be meant, because OpenOCD takes the first one it finds otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mcugen.base.errors import FlashError
from mcugen.device.find import UsbDevice
from mcugen.device.volumes import volumes

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec


@dataclass(frozen=True)
class Target:
    """The device a command is for.

    port: console. probe_serial: of its probe; None where none is known to be this device's, or
    where it has no number. only_probe: its probe has no number and is the only one attached.
    loader, volume: of its boot loader, where one was named.
    """

    port: str | None
    probe_serial: str | None
    only_probe: bool = False
    loader: UsbDevice | None = None
    volume: str | None = None

    @property
    def has_probe(self) -> bool:
        """Whether no other probe than this device's own would be taken."""
        return self.probe_serial is not None or self.only_probe


def choose_target(
    board: BoardSpec,
    devices: tuple[UsbDevice, ...],
    wanted: str | None,
    port: str | None = None,
) -> Target:
    """Return the one device that is meant.

    Args:
        wanted: `--device`: a port, a URL pyserial opens, a probe's or a boot loader's serial
            number, or where its volume is mounted; or None.
        port: `--port`: the console, where it is not the probe's own. Without `wanted` no probe is
            taken to belong to it.

    Raises FlashError: nothing is there, several could be meant, or `wanted` is not there.
    """
    if wanted is not None:
        target = _named_target(board, devices, wanted, port)
        return target if port is None else replace(target, port=port)
    if port is not None:
        return _named_target(board, devices, port)
    simulate = " or --simulate to run on QEMU" if board.qemu else ""
    candidates = [d for d in devices if board.id in d.board_ids]
    units = {d.unit for d in candidates}
    if len(units) == 1:
        return _with_probe(_console(board, candidates), candidates[0], devices)
    if candidates:
        raise FlashError(
            f"{len(units)} attached devices may be a {board.name} ({board.id}):\n"
            + "\n".join(f"  {d.describe()}" for d in candidates),
            hint=f"Choose one with --device SERIAL|PORT{simulate}.",
        )
    if _has_loader(board, devices):
        return Target(None, None)
    attach = "Attach the board" if board.probe is not None else "Attach the board's console"
    ways = board.upload.ways if board.upload is not None else ()
    start = next((f" To flash it: {HOW_TO_START[w]}" for w in ways if w in HOW_TO_START), "")
    raise FlashError(
        f"no {board.name} ({board.id}) is attached\n{list_devices(devices)}",
        hint=f"{attach}, or give --device PORT{simulate}.{start}",
    )


def _has_loader(board: BoardSpec, devices: tuple[UsbDevice, ...]) -> bool:
    """Whether something is there to flash the board through that is no probe."""
    how = board.upload
    if any(board.id in (*d.loader_of, *d.touch_for) for d in devices):
        return True
    return how is not None and how.uf2 is not None and bool(volumes(how.uf2.board_id))


#: What a user does to get into a boot loader.
HOW_TO_START = {
    "uf2": "hold BOOTSEL while you plug it in, and let the system mount its volume.",
    "bossac": "press its reset button twice, quickly: the LED fades in and out then.",
    "dfu": "set BOOT0 to 1 and reset it: its ROM shows itself on USB then.",
}


def _console(board: BoardSpec, ports: Sequence[UsbDevice]) -> str | None:
    """Return which of the serial ports of one probe, or adapter, is the board's console."""
    named = [d for d in ports if d.port is not None]
    if len(named) < 2:
        return named[0].port if named else None
    number = board.probe.console_port if board.probe and board.id in named[0].board_ids else None
    if number is not None and -len(named) <= number < len(named):
        return sorted(named, key=lambda d: (d.location or "", d.port or ""))[number].port
    serial = named[0].serial
    raise FlashError(
        f"{serial or 'the probe'} has {len(named)} serial ports, and which of them is the console "
        f"of {board.id} is not known:\n" + "\n".join(f"  {d.describe()}" for d in named),
        hint=f"Name it: {f'--device {serial} ' if serial else ''}--port PORT",
    )


def _named_target(
    board: BoardSpec, devices: tuple[UsbDevice, ...], wanted: str, port: str | None = None
) -> Target:
    by_serial = [d for d in devices if d.has_serial(wanted)]
    if by_serial:
        found = next((d for d in by_serial if d.port is not None), by_serial[0])
        if not found.is_probe and (found.loader_of or found.touch_for):
            return Target(None, None, loader=found)
        # An adapter's number names a console, not a probe.
        probe_serial = found.serial if found.is_probe else None
        return Target(port or _console(board, by_serial), probe_serial)
    real = os.path.realpath(wanted)
    for device in devices:
        if device.port is not None and os.path.realpath(device.port) == real:
            if device.loader_of or device.touch_for:
                return Target(None, None, loader=device)
            own = board.id in device.board_ids
            return _with_probe(wanted, device, devices) if own else Target(wanted, None)
    if os.path.isdir(wanted):
        return Target(None, None, volume=wanted)
    if "://" in wanted or os.path.exists(wanted):
        return Target(wanted, None)
    raise FlashError(
        f"there is no device '{wanted}' for {board.id}\n{list_devices(devices)}",
        hint="--device takes a serial port or a probe's serial number; see 'mcugen devices'.",
    )


def _with_probe(port: str | None, probe: UsbDevice, devices: tuple[UsbDevice, ...]) -> Target:
    alone = len({device.unit for device in devices if device.is_probe}) == 1
    return Target(port, probe.serial, only_probe=probe.serial is None and alone)


def require_probe(board: BoardSpec, devices: tuple[UsbDevice, ...], target: Target) -> None:
    """Raises FlashError, with what to write instead, unless it is known which probe to use."""
    if target.has_probe:
        return
    own = [d for d in devices if board.id in d.board_ids]
    if target.loader is not None or target.volume is not None or (target.port is None and not own):
        named = target.volume or (target.loader and (target.loader.port or target.loader.serial))
        raise FlashError(
            f"{named} is not a probe"
            if named
            else f"no probe of {board.id} is attached" + f"\n{list_probes(devices)}",
            hint=f"Attach the probe of {board.id}: 'mcugen devices' lists it then.",
        )
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
            f"Name the probe: mcugen flash --device {serial} --port {target.port}; then "
            f"mcugen verify --device {target.port} talks to the board at that port."
            if own
            else f"Attach the probe of {board.id}: 'mcugen devices' lists it then."
        )
    raise FlashError(f"{why}\n{list_probes(devices)}", hint=hint)


def list_devices(devices: tuple[UsbDevice, ...]) -> str:
    """Return the ports and the probes as lines of a message."""
    ports = [d for d in devices if d.port is not None]
    lines = ["serial ports found: " + ("" if ports else "none")]
    lines += [f"  {d.describe()}" for d in ports]
    return "\n".join([*(line.rstrip() for line in lines), list_probes(devices)])


def list_probes(devices: tuple[UsbDevice, ...]) -> str:
    """Return the probes as lines of a message."""
    probes = [d for d in devices if d.is_probe]
    lines = ["probes found:" if probes else "probes found: none"]
    return "\n".join([*lines, *(f"  {d.describe()}" for d in probes)])
