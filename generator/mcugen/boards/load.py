# SPDX-License-Identifier: BSD-3-Clause
"""The boards that are there, by id or alias."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from mcugen.base.errors import ConfigError
from mcugen.base.resources import boards_dir
from mcugen.boards.parse import parse_board
from mcugen.boards.spec import BoardSpec
from mcugen.boards.table import did_you_mean


def load_board(name: str) -> BoardSpec:
    """Return the board called `name`, by id or alias, or described by a user's file `name`.

    Raises ConfigError (with the nearest match) if there is none, or if its file is not right.
    """
    if name.endswith(".toml"):
        return _load_file(name)
    boards = list_boards()
    for board in boards:
        if name == board.id or name in board.aliases:
            return board
    names = [n for board in boards for n in (board.id, *board.aliases)]
    near = did_you_mean(name.lower(), names)
    raise ConfigError(
        f"unknown board '{name}'; boards: {', '.join(board.id for board in boards)}",
        hint=near or "List them with: mcugen boards; one of your own: --board FILE.toml",
    )


def simulator_hint(board: BoardSpec) -> str:
    """Return what to simulate instead of a board whose chip QEMU does not model."""
    for other in list_boards():
        if other.simulated_only and other.cpu == board.cpu:
            return f"--board {other.id} --simulate has the same core: its numbers, not its chip."
    return "'mcugen boards' shows which boards can be simulated."


def check_way(board: BoardSpec, way: str) -> None:
    """Raises ConfigError: the board is not flashed that way."""
    ways = board.upload.ways if board.upload is not None else ()
    if way not in ways:
        raise ConfigError(
            f"{board.id} is not flashed with {way}; ways: {', '.join(ways) or 'none'}",
            hint="boards/README.md says what a board file needs for another way.",
        )


def _load_file(name: str) -> BoardSpec:
    """Return the board of a user's file. Its parts are those beside it, then ours."""
    path = Path(name).absolute()
    if not path.is_file():
        raise ConfigError(
            f"there is no board file {name}", hint="'mcugen boards new' writes one: docs/boards.md."
        )
    board = parse_board(path, where=name)
    for known in list_boards():
        if board.id == known.id or board.id in known.aliases:
            raise ConfigError(
                f"{name}: 'id' is {board.id!r}, which is a board of mcugen's own",
                hint="Give it, and its file, another name.",
            )
    _check_macros(board, name)
    return replace(board, file=str(path))


def _check_macros(board: BoardSpec, name: str) -> None:
    """Refuse macros that the family lacks, or has not: the compiler would tell late, or nobody."""
    family = [known for known in list_boards() if known.bsp == board.bsp]
    own = {macro for macro, _ in board.defines}
    known = {macro: (other.id, value) for other in family for macro, value in other.defines}
    needed = {macro for macro in known if all(macro in dict(other.defines) for other in family)}
    where = f"firmware/bsp/{board.bsp}"
    for macro in sorted(needed - own):
        near = get_close_matches(macro, own - set(known), n=1)
        other, value = known[macro]
        raise ConfigError(
            f"{name}: macro '{macro}' is missing, which {where} needs",
            hint=f"'{near[0]}' is there: is it meant?"
            if near
            else f"{where}/README.md says what it is; {other} has {value} in its [defines].",
        )
    for macro in sorted(own - set(known)) if family else ():
        raise ConfigError(
            f"{name}: macro '{macro}' is none that {where} has",
            hint=did_you_mean(macro, known) or f"Those that it has: {where}/README.md.",
        )


@cache
def list_boards() -> tuple[BoardSpec, ...]:
    """Return every board, sorted by id. Raises ConfigError for a file that is not right."""
    boards = tuple(parse_board(path) for path in sorted(boards_dir().glob("*.toml")))
    owner: dict[str, str] = {}
    for board in boards:
        for name in (board.id, *board.aliases):
            if name in owner:
                raise ConfigError(f"boards {owner[name]} and {board.id} are both called '{name}'")
            owner[name] = board.id
    return boards
