# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen boards`: the boards there are."""

from __future__ import annotations

from typing import Any

from mcugen.cli.options import Options
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow.terminal import table


@subcommand()
def boards(options: Options, terminal: Terminal) -> None:
    """List the boards."""
    terminal.answer(*listing())


def listing() -> tuple[str, dict[str, Any]]:
    """Return the boards, by id."""
    from mcugen.boards.load import list_boards
    from mcugen.boards.spec import MemoryKind
    from mcugen.flow.report.documents import total_bytes

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
