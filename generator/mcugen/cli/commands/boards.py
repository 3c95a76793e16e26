# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen boards`: the boards there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mcugen.cli.options import Options
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow.terminal import table

#: `mcugen boards` and what can be done with them.
group = typer.Typer(invoke_without_command=True)


@subcommand()
def boards(options: Options, terminal: Terminal, *, context: typer.Context) -> None:
    """List the boards; 'boards new' writes a file for another one."""
    if context.invoked_subcommand is None:
        terminal.answer(*listing())


@subcommand()
def new(
    options: Options,
    terminal: Terminal,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="To be written: <id>.toml.")],
    pio: Annotated[
        str,
        typer.Option(
            "--pio",
            metavar="ID|FILE.json",
            help="The board as PlatformIO describes it: of an installed platform, or a file.",
        ),
    ],
    svd: Annotated[
        Path | None,
        typer.Option("--svd", metavar="FILE.svd", help="The part as its vendor describes it."),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(
            "--like", metavar="BOARD", help="Take what nothing else says as this board has it."
        ),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option("--family", help="Folder of firmware/bsp (default: by the part's name)."),
    ] = None,
    uart: Annotated[
        str | None, typer.Option("--uart", metavar="USART2", help="The console's UART.")
    ] = None,
    tx: Annotated[str | None, typer.Option("--tx", metavar="PA2", help="Its pin.")] = None,
    rx: Annotated[str | None, typer.Option("--rx", metavar="PA3", help="Its pin.")] = None,
    clock_hz: Annotated[
        int | None,
        typer.Option("--clock-hz", min=1, help="Core clock (default: PlatformIO's f_cpu)."),
    ] = None,
    ram: Annotated[
        list[str] | None,
        typer.Option(
            "--ram",
            metavar="NAME:START:KIB[:ROLES]",
            help="A region of RAM and what goes there. May be repeated.",
        ),
    ] = None,
    define: Annotated[
        list[str] | None,
        typer.Option(
            "--define",
            metavar="MCUGEN_…=N",
            help="A macro of the family (its README). May be repeated.",
        ),
    ] = None,
    probe: Annotated[
        str | None, typer.Option("--probe", metavar="stlink|jlink|cmsis-dap", help="Debug probe.")
    ] = None,
    flash_wait: Annotated[
        str | None,
        typer.Option(
            "--flash-wait",
            metavar="STEP_HZ:LINE_BYTES:CODE_LINES",
            help="How flash is read: boards/README.md, [regions.wait].",
        ),
    ] = None,
) -> None:
    """Write the file of a board of a known family (docs/boards.md).

    From PlatformIO's and the vendor's data; what they do not say is asked for.
    """
    from mcugen.boards.new import Wanted, write_board

    board = write_board(
        Wanted(
            *(file, pio, svd, like, family, uart, tx, rx, clock_hz),
            tuple(ram or ()),
            tuple(define or ()),
            probe,
            flash_wait,
        )
    )
    text = (
        f"{file}: {board.name}, {board.mcu}, {board.cpu} at {board.clock_hz // 1_000_000} MHz\n"
        f"compare its numbers with the manuals, then: mcugen build --board {file}"
    )
    terminal.answer(text, {"schema": "mcugen.new_board/1", "file": str(file), "board": board.id})


group.callback()(boards)
group.command()(new)


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
