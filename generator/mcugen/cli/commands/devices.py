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
    """List serial ports, debug probes and boot loaders."""
    terminal.answer(*listing())


def listing() -> tuple[str, dict[str, Any]]:
    """Return the serial ports, probes and boot loaders that are attached."""
    from mcugen.boards.load import list_boards
    from mcugen.device.find import find_devices
    from mcugen.device.volumes import volumes

    boards = list_boards()
    found = find_devices(boards)
    rows = [
        (
            device.port or "-",
            device.usb_id or "-",
            device.serial or "-",
            device.kind,
            device.guess or device.description or "-",
            device.by_id or "-",
        )
        for device in found
    ]
    entries: list[dict[str, Any]] = [
        {
            "port": device.port,
            "usb_id": device.usb_id or None,
            "serial": device.serial,
            "description": device.description,
            "kind": device.kind,
            "probe": device.is_probe,
            "boards": list(device.board_ids or device.loader_of or device.touch_for),
            "by_id": device.by_id,
        }
        for device in found
    ]
    shown = []
    for folder, board_id in volumes():
        names = [
            b.id for b in boards if b.upload and b.upload.uf2 and b.upload.uf2.board_id == board_id
        ]
        rows.append((folder, "-", "-", "volume", " or ".join(names) or board_id, "-"))
        shown.append({"folder": folder, "board_id": board_id, "boards": names})
    text = (
        table(rows, header=("port", "USB id", "serial", "kind", "may be", "stays the same"))
        if rows
        else "no serial ports and no probes found; --simulate needs none"
    )
    return text, {"schema": "mcugen.devices/2", "devices": entries, "volumes": shown}
