# SPDX-License-Identifier: BSD-3-Clause
"""What the suite measures: networks, boards, levels of optimization."""

from __future__ import annotations

from dataclasses import dataclass

from mcugen.base.errors import ConfigError
from mcugen.boards.spec import BoardSpec
from mcugen.cli.suite.compared import has_goal
from mcugen.program.level import Level

NETWORKS = ("kws", "vww", "ic", "ad")
#: Levels of `--optimize`: `balanced` on every board, the others where a goal is set for them.
LEVELS = tuple(Level)


@dataclass(frozen=True)
class Case:
    """One figure's worth of work."""

    network: str
    board: BoardSpec
    level: Level


def cases(networks: str | None, boards: str | None) -> tuple[Case, ...]:
    """Return what is to be measured, board by board.

    Args:
        networks: names with commas between them; None: all.
        boards: ids or aliases with commas between them; None: all that exist in QEMU alone.

    Raises ConfigError for a name that is none.
    """
    from mcugen.boards.load import load_board, simulator_hint

    named = _parts(networks) or NETWORKS
    unknown = [each for each in named if each not in NETWORKS]
    if unknown:
        raise ConfigError(
            f"the suite has no network '{unknown[0]}'", hint=f"It has {', '.join(NETWORKS)}."
        )
    chosen = [load_board(each) for each in _parts(boards)] or _simulated_boards()
    for board in chosen:
        if board.qemu is None:
            raise ConfigError(
                f"{board.id} has no QEMU machine: the suite counts instructions in QEMU",
                hint=simulator_hint(board),
            )
    return tuple(
        Case(network, board, level)
        for board in chosen
        for network in named
        for level in LEVELS
        if level is Level.BALANCED or has_goal(board.cpu, level)
    )


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _simulated_boards() -> list[BoardSpec]:
    from mcugen.boards.load import list_boards

    return sorted(
        (each for each in list_boards() if each.simulated_only), key=lambda each: _order(each.cpu)
    )


def _order(cpu: str) -> int:
    return int("".join(filter(str.isdigit, cpu)))
