# SPDX-License-Identifier: BSD-3-Clause
"""Keep libraries that write to stdout and stderr (also from C++) from being heard.

stdout carries mcugen's answer and stderr its progress; torch, executorch and tfds print to both.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Any

_NAMES = ("stdout", "stderr")
_saved: tuple[int, int] | None = None
_sink: IO[bytes] | None = None


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()


class _Hushed(io.TextIOBase):
    """A stream that is not a file descriptor's, a notebook's say: heard outside of quiet blocks.

    Loggers that a library makes in such a block keep it for good; it then writes where it did.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        if _saved is None and not self.stream.closed:
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        if _saved is None and not self.stream.closed:
            self.stream.flush()

    def isatty(self) -> bool:
        return bool(self.stream.isatty())

    def writable(self) -> bool:
        return True


def _has_descriptor(stream: Any, number: int) -> bool:
    try:
        return bool(stream.fileno() == number)
    except (OSError, ValueError, AttributeError):
        return False


@contextlib.contextmanager
def _streams_hushed() -> Iterator[None]:
    """Put a _Hushed in the place of stdout and stderr that do not write to descriptors 1 and 2.

    A logger that was made before (`import torch` in a notebook's first cell) has hold of the stream
    itself, so in such a place loggers are silent, too.
    """
    found = {name: getattr(sys, name) for name in _NAMES}
    put = {
        name: _Hushed(stream)
        for number, (name, stream) in enumerate(found.items(), 1)
        if stream is not None and not _has_descriptor(stream, number)
    }
    for name, hushed in put.items():
        setattr(sys, name, hushed)
    level = logging.root.manager.disable
    if put:
        logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(level)
        for name, hushed in put.items():
            if getattr(sys, name) is hushed:
                setattr(sys, name, found[name])


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
        try:
            os.dup2(sink.fileno(), 1)
            os.dup2(sink.fileno(), 2)
            with _streams_hushed():
                yield
        finally:
            try:
                _flush()
            finally:
                _saved = saved
                give_back()
                os.close(saved[0])
                os.close(saved[1])


def give_back() -> None:
    """Give descriptors 1 and 2 back where a Ctrl-C kept a `quiet` block from doing it."""
    global _saved, _sink
    if _saved is not None:
        os.dup2(_saved[0], 1)
        os.dup2(_saved[1], 2)
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
    level = logging.root.manager.disable
    logging.disable(logging.NOTSET)
    try:
        yield
    finally:
        logging.disable(level)
        _flush()
        _saved, _sink = saved, sink
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
