# SPDX-License-Identifier: BSD-3-Clause
"""One process at a time.

The lock is the kernel's (by filelock): it ends with the process that holds it, however that ends,
so there is no stale one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from mcugen.base.errors import BuildError
from mcugen.base.files import writing_to

#: For whoever builds in the same folder, or downloads the same data.
WAIT_S = 3600.0


@contextlib.contextmanager
def holding(path: Path, *, wait_s: float, mode: int = 0o644) -> Iterator[None]:
    """Hold a lock file. Raises TimeoutError: somebody still holds it after `wait_s`; OSError."""
    from filelock import FileLock

    lock = FileLock(path, timeout=wait_s, mode=mode)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def locked(path: Path, *, hint: str | None = None, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold a lock file; other processes that want it wait.

    Raises BuildError: its folder cannot be written (with `hint`), or it is held for too long.
    """
    with contextlib.ExitStack() as stack:
        # What the caller does must not be in writing_to.
        with writing_to(path.parent, hint=hint):
            try:
                stack.enter_context(holding(path, wait_s=wait_s))
            except TimeoutError:
                raise BuildError(
                    f"another mcugen has held {path} for {wait_s:,.0f} s",
                    hint="Look for it among the processes; the lock goes with it.",
                ) from None
        yield
