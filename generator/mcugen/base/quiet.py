# SPDX-License-Identifier: BSD-3-Clause
"""Keep libraries that write to stdout and stderr (also from C++) from being heard.

stdout carries mcugen's answer and stderr its progress; torch, executorch and tfds print to both.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import IO

_saved: tuple[int, int] | None = None
_sink: IO[bytes] | None = None


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()


@contextlib.contextmanager
def quiet(*, verbose: bool = False) -> Iterator[None]:
    """Send file descriptors 1 and 2 to a scratch file while the block runs.

    Does nothing when `verbose`, or inside another `quiet` block.
    """
    global _saved, _sink
    if verbose or _saved is not None:
        yield
        return
    _flush()
    with tempfile.TemporaryFile() as sink:
        saved = (os.dup(1), os.dup(2))
        _saved, _sink = saved, sink
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(saved[0], 1)
            os.dup2(saved[1], 2)
            os.close(saved[0])
            os.close(saved[1])
            _saved, _sink = None, None


@contextlib.contextmanager
def aloud() -> Iterator[None]:
    """Inside a `quiet` block: give stdout and stderr back while this block runs."""
    global _saved, _sink
    if _saved is None or _sink is None:
        yield
        return
    saved, sink = _saved, _sink
    _flush()
    os.dup2(saved[0], 1)
    os.dup2(saved[1], 2)
    _saved, _sink = None, None
    try:
        yield
    finally:
        _flush()
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        _saved, _sink = saved, sink
