# SPDX-License-Identifier: BSD-3-Clause
"""A board file of a known family, from what others' files say and what its author does.

A number stands in it with its source. What no source says is an error that names the option to give
it by; nothing is left open, and nothing is taken from another board unless that is asked for.
"""

from __future__ import annotations

import re
import tomllib

from mcugen.base.errors import ConfigError
from mcugen.base.files import write_atomically, writing_to
from mcugen.base.resources import boards_dir
from mcugen.boards.load import list_boards, load_board
from mcugen.boards.new_sheet import Sheet, Wanted, file_of
from mcugen.boards.new_text import board_text
from mcugen.boards.parse import parse_board
from mcugen.boards.spec import BoardSpec
from mcugen.boards.vendor_data import platformio_board, svd_peripherals


def write_board(wanted: Wanted) -> BoardSpec:
    """Write the file and return the board. Raises ConfigError, with what is missing."""
    path = wanted.path
    if path.exists():
        raise ConfigError(f"{path} is there already", hint="Take another name, or remove it.")
    if path.suffix != ".toml" or not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", path.stem):
        raise ConfigError(
            f"{path.name}: a board file is called <id>.toml, its id in lower case letters, digits, "
            "'-' and '_'"
        )
    if any(path.stem in (b.id, *b.aliases) for b in list_boards()):
        raise ConfigError(f"there is a board '{path.stem}' already", hint="mcugen boards")
    sheet = _sheet(wanted)
    text = board_text(sheet)
    if sheet.missing:
        name = sheet.example.id
        raise ConfigError(
            f"{path.name}: this is said by no file:\n" + "\n".join(f"  {m}" for m in sheet.missing),
            hint=f"Give these options, or --like {name} to take them as {name} has them; "
            f"firmware/bsp/{sheet.example.bsp}/README.md says what they mean.",
        )
    with writing_to(path.parent):
        write_atomically(path, text.encode("utf-8"))
    try:
        return parse_board(path, where=path.name)
    except ConfigError:
        path.unlink()
        raise


def _sheet(wanted: Wanted) -> Sheet:
    pio = platformio_board(wanted.pio)
    part = str(pio.get("build.mcu") or "")
    families = sorted({board.bsp for board in list_boards() if not board.simulated_only})
    fitting = [f for f in families if part.startswith(f) or part.startswith(f.rstrip("x"))]
    family = wanted.family or next(iter(sorted(fitting, key=len, reverse=True)), None)
    if family not in families:
        raise ConfigError(
            f"{part or wanted.pio} is of no known family; families: {', '.join(families)}",
            hint="A new family needs a folder in firmware/bsp; if it is one of these: --family.",
        )
    example = load_board(wanted.like) if wanted.like else None
    if example is None:
        own = [board for board in list_boards() if board.bsp == family]
        same = [board for board in own if part.startswith(board.mcu.lower())]
        example = (same or own)[0]
    if example.bsp != family:
        raise ConfigError(f"--like {example.id} is of family {example.bsp}, not {family}")
    return Sheet(
        wanted,
        pio,
        svd_peripherals(wanted.svd) if wanted.svd else {},
        file_of(example) if wanted.like else {},
        example,
        _known_part(part),
    )


def _known_part(part: str) -> str | None:
    """Return the name of our file of a part; PlatformIO adds the package to it: stm32f401ret6."""
    for path in sorted((boards_dir() / "mcu").glob("*.toml"), reverse=True):
        if part and part.startswith(
            tomllib.loads(path.read_text(encoding="utf-8"))["part"].lower()
        ):
            return path.stem
    return None
