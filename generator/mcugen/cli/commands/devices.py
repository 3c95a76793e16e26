# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen devices`: what is plugged in."""

from __future__ import annotations

from typing import Any

from mcugen.cli.options import Options
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow.terminal import table


@subcommand()
def devices(options: Options, terminal: Terminal) -> None:
    """List serial ports and debug probes."""
    terminal.answer(*listing())


def listing() -> tuple[str, dict[str, Any]]:
    """Return the serial ports and probes that are attached."""
    from mcugen.boards.load import list_boards
    from mcugen.device.find import find_devices

    found = find_devices(list_boards())
    rows = [
        (
            device.port or "-",
            device.usb_id or "-",
            device.serial or "-",
            "probe" if device.is_probe else "port",
            " or ".join(device.board_ids) or device.description or "-",
        )
        for device in found
    ]
    entries = [
        {
            "port": device.port,
            "usb_id": device.usb_id or None,
            "serial": device.serial,
            "description": device.description,
            "probe": device.is_probe,
            "boards": list(device.board_ids),
        }
        for device in found
    ]
    text = (
        table(rows, header=("port", "USB id", "serial", "kind", "may be"))
        if rows
        else "no serial ports and no probes found; --simulate needs none"
    )
    return text, {"schema": "mcugen.devices/1", "devices": entries}
