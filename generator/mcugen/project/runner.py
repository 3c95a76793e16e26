# SPDX-License-Identifier: BSD-3-Clause
"""The generic image: all operators, no model."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from mcugen.base.errors import DeviceError
from mcugen.boards.spec import BoardSpec
from mcugen.project.contents import runner_contents
from mcugen.project.manifest import FirmwareProject
from mcugen.project.place import place_project
from mcugen.project.render import render_project

MODEL_NAME = "runner"
_MAGIC = b"MCGM"


def write_runner_project(board: BoardSpec, root: Path) -> FirmwareProject:
    """Write the project of the board's runner into `root`, as project.write_project() does."""
    project = render_project(runner_contents(board))
    return place_project(project, board, root, model_name=MODEL_NAME)


def arena_address(elf: Path) -> int:
    """Return where a runner's image looks for a model when it starts."""
    return _symbol(elf, "__arena_start")


def arena_bytes(elf: Path) -> int:
    """Return how much memory a runner's image has for a model and all it needs."""
    return _symbol(elf, "__arena_end") - _symbol(elf, "__arena_start")


def _symbol(elf: Path, name: str) -> int:
    from elftools.elf.elffile import ELFFile

    with open(elf, "rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        symbols = table.get_symbol_by_name(name) if table is not None else None
    if not symbols:
        raise DeviceError(f"{elf} is not a runner: it has no {name}")
    return int(symbols[0]["st_value"])


def placed_model(pte: bytes) -> bytes:
    """Return what has to lie at `arena_address` for the runner to load `pte` when it starts."""
    return _MAGIC + struct.pack("<III", len(pte), zlib.crc32(pte), 0) + pte
