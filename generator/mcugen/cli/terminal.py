# SPDX-License-Identifier: BSD-3-Clause
"""What the command line says and where: stdout for the answer, stderr for all else."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import dataclass
from typing import Any, TextIO

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass
class Terminal:
    """Output of one command.

    json: stdout carries exactly one JSON document. quiet: no stage lines. color: False, or None
    to follow NO_COLOR and whether the stream is a terminal.
    """

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    color: bool | None = None

    def __post_init__(self) -> None:
        self._bar: Any = None
        self._step_text = ""

    # -- answer

    def answer(self, text: str, document: dict[str, Any]) -> None:
        """Print the command's result: `document` under --json, else `text`."""
        self.end_bar()
        if self.json:
            json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
            sys.stdout.write("\n")
        elif text:
            sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()

    def paint(self, text: str, style: str, stream: TextIO | None = None) -> str:
        """Return `text` in a style if the stream (stdout) takes colour."""
        if not self._colorful(stream or sys.stdout):
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"

    def _colorful(self, stream: TextIO) -> bool:
        if self.color is False or os.environ.get("NO_COLOR"):
            return False
        return stream.isatty() and os.environ.get("TERM") != "dumb"

    # -- progress

    def stage(self, text: str) -> None:
        """Say what is being done now: a line on stderr, nothing when quiet."""
        self.end_bar()
        if not self.quiet:
            self._line(self.paint("· ", "cyan", sys.stderr) + text)

    def step(self, text: str, done: int, total: int) -> None:
        """Say how far a stage has come: a bar on a terminal; elsewhere the stage's name, once."""
        if self.quiet:
            return
        if not sys.stderr.isatty() or total <= 0:
            if text != self._step_text:
                self.stage(text)
        else:
            if self._bar is None or text != self._step_text:
                self._start_bar(text, total)
            self._bar.update(self._bar.task_ids[0], completed=done)
        self._step_text = text
        if total > 0 and done >= total:
            self.end_bar()

    def end_bar(self) -> None:
        """Take the bar away, if there is one."""
        self._step_text = ""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start_bar(self, text: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self.end_bar()
        console = Console(stderr=True, no_color=not self._colorful(sys.stderr))
        columns = (TextColumn("· {task.description}"), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(*columns, console=console, transient=True)
        self._bar.add_task(text, total=total)
        self._bar.start()

    def detail(self, text: str) -> None:
        """Say more, when asked for by --verbose."""
        if self.verbose:
            self._line(self.paint(f"  {text}", "dim", sys.stderr))

    def warning(self, text: str) -> None:
        """Say what is wrong though the command goes on. Not silenced by --quiet."""
        self.end_bar()
        self._line(self.paint("warning: ", "yellow", sys.stderr) + text)

    def error(self, message: str, *, hint: str | None, log_path: object | None) -> None:
        """Print an error the way every command does."""
        self.end_bar()
        self._line(self.paint("error: ", "red", sys.stderr) + message)
        if hint:
            self._line(self.paint("hint: ", "cyan", sys.stderr) + hint)
        if log_path:
            self._line(f"log: {log_path}")

    @staticmethod
    def _line(text: str) -> None:
        # A reader that went away (`2>&1 | head`) must not turn progress into a failure.
        with contextlib.suppress(BrokenPipeError):
            sys.stderr.write(text + "\n")
            sys.stderr.flush()


_current = Terminal()


def begin(
    *, json: bool = False, quiet: bool = False, verbose: bool = False, no_color: bool = False
) -> Terminal:
    """Return a new terminal, which is the current one from now on."""
    global _current
    _current = Terminal(json=json, quiet=quiet, verbose=verbose, color=False if no_color else None)
    return _current


def current() -> Terminal:
    """Return the terminal of the command that runs: where its errors are told."""
    return _current
