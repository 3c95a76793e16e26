# SPDX-License-Identifier: BSD-3-Clause
"""Where stages say how far they have come: a terminal, a notebook, or nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Painter(Protocol):
    """What texts are coloured by."""

    def paint(self, text: str, style: str) -> str:
        """Return `text` in a style, or as it is."""
        ...


class Terminal(Painter, Protocol):
    """What a stage says while it works."""

    @property
    def verbose(self) -> bool:
        """Let torch, executorch and the compiler be heard."""
        ...

    def stage(self, text: str) -> None:
        """Say what is being done now."""
        ...

    def step(self, text: str, done: int, total: int) -> None:
        """Say how far a stage has come; total: 0 where it is not known."""
        ...

    def end_bar(self) -> None:
        """A stage's steps are over."""
        ...

    def detail(self, text: str) -> None:
        """Say what only those want to know who asked for more."""
        ...

    def warning(self, text: str) -> None:
        """Say what is wrong though the work goes on."""
        ...


class Plain:
    """A painter without colours."""

    def paint(self, text: str, style: str) -> str:
        """Return `text`."""
        return text


def table(rows: Sequence[tuple[str, ...]], *, header: tuple[str, ...] | None = None) -> str:
    """Return rows in aligned columns; a column of numbers is aligned right."""
    every = [header, *rows] if header else rows
    if not every:
        return ""
    widths = [max(len(row[i]) for row in every) for i in range(len(every[0]))]
    right = [
        bool(rows) and all(row[i][:1].isdigit() or not row[i] for row in rows) and i > 0
        for i in range(len(widths))
    ]
    lines = []
    for row in every:
        cells = [
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
