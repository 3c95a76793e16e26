# SPDX-License-Identifier: BSD-3-Clause
"""What an exception says, in one line, and where in the user's own files it comes from."""

from __future__ import annotations

import re
import sys
import traceback
from pathlib import Path

from mcugen.base.resources import package_dir

#: A frame, as Python's and torch's tracebacks print it.
_FRAME = re.compile(r'File "([^"]+)", line (\d+), in [^\n]*(?:\n[ \t]+([^\n]+))?')


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


def in_brief(error: BaseException, limit: int = 300) -> str:
    """Return an exception's type and text as one line of about `limit` characters at most."""
    text = " ".join(str(error).split())
    short = text if len(text) <= limit else f"{text[:limit].rpartition(' ')[0]} …"
    return f"{type(error).__name__}: {short}" if short else type(error).__name__


def source_line(trace: str | None) -> str | None:
    """Return the innermost of the user's own lines in a traceback's text: "net.py, line 12"."""
    frames = own_frames(trace or "")
    return f"{Path(frames[-1][0]).name}, line {frames[-1][1]}" if frames else None


def own_frames(trace: str) -> list[tuple[str, int]]:
    """Return file and line of each frame in a traceback's text that is in the user's own files."""
    return [(file, int(line)) for file, line, _ in _FRAME.findall(trace) if _is_own(file)]


def raised_at(error: BaseException) -> list[tuple[str, int]]:
    """Return file and line of the user's own frames, outermost first, that an exception names.

    Those that its text lists come first in rank (torch's tracers run a user's code without frames
    of it), then those that it came through, then those of what caused it.
    """
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        if isinstance(each, SyntaxError) and each.filename and _is_own(each.filename):
            return [(each.filename, each.lineno or 1)]
        stack = traceback.extract_tb(each.__traceback__)
        came_through = [(frame.filename, frame.lineno or 0) for frame in stack]
        own = own_frames(str(each)) or [frame for frame in came_through if _is_own(frame[0])]
        if own:
            return own
        each = each.__cause__ or each.__context__
    return []


def _is_own(file: str) -> bool:
    """Whether a file is neither Python's, nor an installed package's, nor ours, nor a string."""
    if file.startswith("<") or "/site-packages/" in file or "/dist-packages/" in file:
        return False
    folders = (f"{sys.prefix}/lib", f"{sys.base_prefix}/lib", f"{package_dir()}/")
    return not file.startswith(folders)
