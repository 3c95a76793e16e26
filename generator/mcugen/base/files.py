# SPDX-License-Identifier: BSD-3-Clause
"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mcugen.base.errors import BuildError


@contextlib.contextmanager
def writing_to(folder: Path, *, hint: str | None = None) -> Iterator[None]:
    """Raise BuildError, which names `folder`, for what the system says when it cannot be written.

    The folder is full, or read-only, or somebody else's.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise cannot_write(folder, error.strerror or str(error), hint=hint) from error


def cannot_write(folder: Path, why: str, *, hint: str | None = None) -> BuildError:
    """Return the error that says so."""
    return BuildError(f"{folder} cannot be written: {why}", hint=hint)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever sees half of it. A device or pipe is written as it is."""
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    path = path.resolve()  # a link stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
