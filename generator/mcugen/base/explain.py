# SPDX-License-Identifier: BSD-3-Clause
"""What an exception says, in one line."""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, or its type if it has none."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def explain(error: BaseException) -> str:
    """Return an exception's first line and that of what caused it, where they differ."""
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    text, cause = first_line(error), first_line(root)
    return text if cause in text else f"{text.rstrip('. ')}: {cause}"
