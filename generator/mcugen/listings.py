# SPDX-License-Identifier: BSD-3-Clause
"""What `boards`, `models`, `devices` and `doctor` list: text and document of each."""

from __future__ import annotations

from typing import Any

from mcugen.terminal import Terminal, table

Listing = tuple[str, dict[str, Any]]


def boards() -> Listing:
    """Return the boards, by id."""
    from mcugen.boards import MemoryKind, list_boards
    from mcugen.report import total_bytes

    rows, entries = [], []
    for board in list_boards():
        flash_total = total_bytes(board, MemoryKind.FLASH)
        ram_total = total_bytes(board, MemoryKind.RAM)
        names = f" ({', '.join(board.aliases)})" if board.aliases else ""
        machine = board.qemu.machine if board.qemu else None
        memory = f"{flash_total // 1024:,} / {ram_total // 1024:,} KiB"
        rows.append(
            (
                board.id + names,
                board.name,
                board.cpu,
                memory,
                machine or "-",
                board.verified_level,
            )
        )
        entries.append(
            {
                "id": board.id,
                "aliases": list(board.aliases),
                "name": board.name,
                "vendor": board.vendor,
                "url": board.url,
                "mcu": board.mcu,
                "cpu": board.cpu,
                "isa": board.isa.value,
                "clock_hz": board.clock_hz,
                "flash_total": flash_total,
                "ram_total": ram_total,
                "qemu_machine": machine,
                "simulated_only": board.simulated_only,
                "verified": {"level": board.verified_level, "evidence": board.verified_evidence},
            }
        )
    header = ("board", "name", "cpu", "flash / RAM", "QEMU machine", "verified")
    return table(rows, header=header), {"schema": "mcugen.boards/1", "boards": entries}


def models() -> Listing:
    """Return the bundled models."""
    from mcugen.model import list_models

    found = list_models()
    text = table(
        [(model.name, model.input, model.description) for model in found],
        header=("model", "input", "what it is"),
    )
    entries = [
        {
            "name": model.name,
            "description": model.description,
            "input": model.input,
            "trained": model.trained,
            "dataset": model.dataset,
        }
        for model in found
    ]
    text += "\nA model of your own: file.py:factory, file.pt2 or file.pte."
    return text, {"schema": "mcugen.models/1", "models": entries}


def devices() -> Listing:
    """Return the serial ports and probes that are attached."""
    from mcugen.boards import list_boards
    from mcugen.device import find_devices

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


def doctor(terminal: Terminal) -> Listing:
    """Return every check; the document's "ok" is False if something needed is not usable."""
    from mcugen.doctor import missing, run_checks

    checks = run_checks()
    rows, advice, entries = [], [], []
    for check in checks:
        if check.ok:
            state = "ok"
        elif check.version is None:
            state = "MISSING" if check.needed else "missing"
        else:
            state = "WRONG"
        rows.append((state, check.name, check.version or "-", check.needed_by))
        if not check.ok:
            problem = f" ({check.problem})" if check.problem else ""
            advice.append(f"{check.name}{problem}: {check.install}")
        entries.append(
            {
                "name": check.name,
                "ok": check.ok,
                "version": check.version,
                "needed": check.needed,
                "needed_by": check.needed_by,
                "problem": check.problem,
                "install": check.install or None,
            }
        )
    lines = [table(rows, header=("", "what", "version", "needed by"))]
    if advice:
        lines += ["", terminal.paint("To do:", "bold"), *(f"  {line}" for line in advice)]
    document = {"schema": "mcugen.doctor/1", "ok": not missing(checks), "checks": entries}
    return "\n".join(lines), document
