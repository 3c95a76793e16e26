# SPDX-License-Identifier: BSD-3-Clause
"""Replies in text: MLPerf Tiny's commands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mcugen.base.errors import ProtocolError


@dataclass(frozen=True)
class TextReply:
    """The lines that answer one text command, without the closing `m-ready`."""

    lines: tuple[str, ...]

    @property
    def errors(self) -> tuple[str, ...]:
        """The texts of `e-[…]` lines."""
        return tuple(m[1] for line in self.lines if (m := re.fullmatch(r"e-\[(.*)\]", line)))

    @property
    def logs(self) -> tuple[str, ...]:
        """The texts of the runtime's log lines, `m-log-[…]`."""
        return tuple(m[1] for line in self.lines if (m := re.fullmatch(r"m-log-\[(.*)\]", line)))

    def value(self, prefix: str) -> str:
        """Return what follows `prefix` in the first line that starts with it.

        Raises ProtocolError if there is none.
        """
        for line in self.lines:
            if line.startswith(prefix):
                return line[len(prefix) :]
        raise ProtocolError(
            f"no line '{prefix}…' in the device's answer: {' | '.join(self.lines) or 'nothing'}"
        )


@dataclass(frozen=True)
class InferReply:
    """The answer to `infer N W%`: µs between the two laps, and the results as probabilities."""

    warmups: int
    runs: int
    elapsed_us: int
    results: tuple[float, ...]


def parse_infer(reply: TextReply) -> InferReply:
    """Return what the runner's `infer` command measured. Raises ProtocolError."""
    laps = [line for line in reply.lines if line.startswith("m-lap-us-")]
    try:
        if len(laps) != 2 or "m-infer-done" not in reply.lines:
            raise ValueError(f"{len(laps)} laps")
        first, last = (int(line.removeprefix("m-lap-us-")) for line in laps)
        return InferReply(
            warmups=int(reply.value("m-warmup-start-")),
            runs=int(reply.value("m-infer-start-")),
            elapsed_us=(last - first) % (1 << 32),
            results=parse_results(reply),
        )
    except ValueError as error:
        raise ProtocolError(
            f"infer% answered in an unknown way ({error}): {' | '.join(reply.lines)}"
        ) from None


def parse_results(reply: TextReply) -> tuple[float, ...]:
    """Return the numbers of `m-results-[…]`. Raises ProtocolError."""
    text = reply.value("m-results-")
    try:
        if text[:1] != "[" or text[-1:] != "]":
            raise ValueError("no brackets")
        return tuple(float(number) for number in text[1:-1].split(",")) if text != "[]" else ()
    except ValueError as error:
        raise ProtocolError(f"m-results-{text} is not a list of numbers ({error})") from None
