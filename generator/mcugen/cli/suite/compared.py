# SPDX-License-Identifier: BSD-3-Clause
"""What a figure is held against: the published stacks, and the goals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
STACK = "executorch_cmsis_nn"


@cache
def published() -> dict[str, Any]:
    """Return what published stacks need for the same networks, and how that was counted."""
    document: dict[str, Any] = json.loads((_HERE / "published.json").read_text(encoding="utf-8"))
    return document


@cache
def goals() -> dict[str, Any]:
    """Return the goals, and the figures before them."""
    document: dict[str, Any] = json.loads((_HERE / "goals.json").read_text(encoding="utf-8"))
    return document


def published_instructions(network: str, cpu: str) -> int | None:
    """Return the instructions of ExecuTorch with CMSIS-NN, int8 input and output; None: unknown.

    cpu: "cortex-m4".
    """
    counts = published()[STACK]["instructions_int8_io"].get(cpu.removeprefix("cortex-"), {})
    return counts.get(network)


def published_calls(network: str, cpu: str, macs: Sequence[int]) -> list[int | None]:
    """Return the published stack's instructions for each of our calls, found by their MACs.

    A call may be several of its layers one behind the other; None: none, or no such count.

    Args:
        macs: of each of our calls, in order.
    """
    core = cpu.removeprefix("cortex-")
    rows = [
        (row["macs"], row[STACK].get(core)) for row in published()["per_layer"]["layers"][network]
    ]
    return [_taken(rows, each) if each else None for each in macs]


def _taken(rows: list[tuple[int, int | None]], macs: int) -> int | None:
    """Take the first run of rows, the shortest there, that has so many MACs in sum."""
    for length in range(1, len(rows) + 1):
        for begin in range(len(rows) - length + 1):
            run = rows[begin : begin + length]
            if sum(each for each, _ in run) == macs:
                del rows[begin : begin + length]
                counts = [count for _, count in run]
                return None if None in counts else sum(each or 0 for each in counts)
    return None


def judged(cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each goal that cells of the suite have a figure for, and whether it is met."""
    found = []
    for goal in goals()["goals"]:
        for cell in cells:
            limit = _limit(goal, cell["network"])
            if (
                (cell["cpu"], cell["level"]) != (goal["cpu"], goal["level"])
                or limit is None
                or cell.get(goal["figure"]) is None
            ):
                continue
            value = cell[goal["figure"]]
            found.append(
                {
                    "figure": goal["figure"],
                    "cpu": goal["cpu"],
                    "level": goal["level"],
                    "network": cell["network"],
                    "goal": limit,
                    "value": value,
                    "met": value <= limit,
                }
            )
    return found


def floors() -> list[dict[str, Any]]:
    """Return, by figure, core and level, why a goal that is not met could not be, or how."""
    found: list[dict[str, Any]] = goals()["floors"]
    return found


def has_goal(cpu: str, level: str) -> bool:
    """Return whether any figure of a core has a goal at a level of `--optimize`."""
    return any((each["cpu"], each["level"]) == (cpu, level) for each in goals()["goals"])


def _limit(goal: Mapping[str, Any], network: str) -> int | None:
    if "at_most" in goal:
        limit: int | None = goal["at_most"].get(network)
        return limit
    before = goals()["before"]["instructions"].get(goal["cpu"], {}).get(network)
    return round(goal["part_of_before"] * before) if before is not None else None
