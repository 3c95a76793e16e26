# SPDX-License-Identifier: BSD-3-Clause
"""What is known of a new board, and what is missing for its file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcugen.base.resources import boards_dir
from mcugen.boards.spec import BoardSpec
from mcugen.boards.vendor_data import PlatformioBoard, SvdPeripheral


@dataclass(frozen=True)
class Wanted:
    """What the author says; None, or empty, where they say nothing."""

    path: Path
    pio: str
    svd: Path | None = None
    like: str | None = None
    family: str | None = None
    uart: str | None = None
    tx: str | None = None
    rx: str | None = None
    clock_hz: int | None = None
    ram: tuple[str, ...] = ()  #: "name:0x20000000:96:planned,io"
    defines: tuple[str, ...] = ()  #: "MCUGEN_HSE_HZ=8000000"
    probe: str | None = None
    flash_wait: str | None = None  #: "30000000:16:64": `regions.wait`


@dataclass
class Sheet:
    """Collected facts, and what is missing."""

    wanted: Wanted
    pio: PlatformioBoard
    peripherals: dict[str, SvdPeripheral]
    like: dict[str, Any]  #: the board that is taken for the rest, as its file; empty: none
    example: BoardSpec  #: a board of the family, for error messages and what a core has
    part_file: str | None  #: of boards/mcu, if the part is known
    missing: list[str] = field(default_factory=list)

    def need(self, value: Any, option: str, what: str) -> Any:
        if value is None:
            self.missing.append(f"{what}: {option}")
        return value


def file_of(board: BoardSpec) -> dict[str, Any]:
    """Return a board's file as it is, its part's keys in "mcu"."""
    path = Path(board.file) if board.file else boards_dir() / f"{board.id}.toml"
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    if isinstance(values["mcu"], str):
        part = boards_dir() / "mcu" / f"{values['mcu']}.toml"
        values["mcu"] = tomllib.loads(part.read_text(encoding="utf-8"))
    return values
