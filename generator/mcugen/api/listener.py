# SPDX-License-Identifier: BSD-3-Clause
"""What stages say, for a script: warnings are kept, progress goes to a function if there is one."""

from __future__ import annotations

from collections.abc import Callable

from mcugen.flow.terminal import Plain

#: Called as progress(what, done, total); total is 0 where it is not known.
Progress = Callable[[str, int, int], object]


class Listener(Plain):
    """A `flow.terminal.Terminal` that prints nothing."""

    def __init__(self, progress: Progress | None = None, *, verbose: bool = False) -> None:
        """Hand each step to `progress`; verbose: let torch and the compiler print."""
        self.verbose = verbose
        self.warnings: list[str] = []
        self._progress = progress

    def stage(self, text: str) -> None:
        """Say what is being done now."""
        self.step(text, 0, 0)

    def step(self, text: str, done: int, total: int) -> None:
        """Say how far a stage has come."""
        if self._progress is not None:
            self._progress(text, done, total)

    def end_bar(self) -> None:
        """Nothing is shown that could go."""

    def detail(self, text: str) -> None:
        """Leave out what is for --verbose."""

    def warning(self, text: str) -> None:
        """Keep it for the report."""
        if text not in self.warnings:
            self.warnings.append(text)
