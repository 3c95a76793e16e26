# SPDX-License-Identifier: BSD-3-Clause
"""Clock, flash and memories of a board, for people."""

from __future__ import annotations

from typing import Any


def clock_text(board: dict[str, Any]) -> str:
    """Return the core clock, and how far off it may be."""
    return f"{board['clock_hz'] / 1e6:g} MHz{about(board)}"


def about(board: dict[str, Any]) -> str:
    """Return what a clock, and a time counted by it, are known to."""
    tolerance = board.get("clock_tolerance")
    return f" ±{100 * tolerance:g} %" if tolerance else ""


def flash_text(board: dict[str, Any]) -> str:
    """Return how the device reads its flash; "" where it does not tell."""
    flash = board.get("flash")
    if not flash:
        return ""
    names = (("prefetch", "prefetch"), ("icache", "instruction cache"), ("dcache", "data cache"))
    on = [name for key, name in names if flash[key]]
    return ", ".join(("", f"{flash['wait_states']} wait states", *on))


def placement_texts(regions: list[dict[str, Any]]) -> list[str]:
    """Return what lies in which memory, and why, where the board has several to choose from."""
    texts: list[str] = []
    if not any(row["why"] for row in regions):
        return texts
    for row in regions:
        if row["kind"] != "ram":
            continue
        roles_by_why: dict[str, list[str]] = {}
        for role, nbytes in row["roles"].items():
            if nbytes:
                roles_by_why.setdefault(row["why"].get(role, ""), []).append(role)
        for why, roles in roles_by_why.items():
            texts.append(f"{', '.join(roles)} in {row['name']}" + (f": {why}" if why else ""))
    return texts
