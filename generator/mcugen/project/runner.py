# SPDX-License-Identifier: BSD-3-Clause
"""The generic image: all operators, no model."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from mcugen.base.errors import DeviceError
from mcugen.boards.spec import BoardSpec
from mcugen.project import generate, manifest, place

MODEL_NAME = "runner"
_MAGIC = b"MCGM"


def write_runner_project(board: BoardSpec, root: Path) -> manifest.FirmwareProject:
    """Write the project of the board's runner into `root`, as project.write_project() does."""
    firmware_id = generate.firmware_id_of(generate.runner_files(board))
    files = generate.runner_files(board, firmware_id)
    return place.place_project(files, board, root, firmware_id=firmware_id, model_name=MODEL_NAME)


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
