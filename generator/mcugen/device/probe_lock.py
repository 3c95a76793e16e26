# SPDX-License-Identifier: BSD-3-Clause
"""One program at a time for each probe or port, on the whole machine and for all its users.

The lock is the kernel's (flock, by filelock): it ends with the process that holds it, however that
ends, so there is no stale one. What lies in the file beside it says who holds it, for messages, and
means nothing once nobody does.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mcugen.base.errors import DeviceError, DisconnectedError

#: Probes that a parent of this process holds for it, with commas.
HELD = "MCUGEN_PROBES_HELD"


def lock_dir() -> Path:
    """Return where the locks of this machine lie: MCUGEN_LOCK_DIR, else in the temporary folder."""
    named = os.environ.get("MCUGEN_LOCK_DIR")
    return Path(named) if named else Path(tempfile.gettempdir()) / "mcugen-probes"


@contextlib.contextmanager
def probe_lock(probe: str, *, wait_s: float = 0.0) -> Iterator[dict[str, str]]:
    """Hold a probe, by its serial number or its port; give the environment for commands it is for.

    Args:
        wait_s: how long to wait for who holds it.

    Raises DisconnectedError: another program holds it, with its name, number and since when.
    """
    held = [each for each in os.environ.get(HELD, "").split(",") if each]
    if probe in held:
        yield {}
        return
    from filelock import FileLock, Timeout

    path = _path(probe)
    lock = FileLock(path, timeout=wait_s, mode=0o666)
    try:
        lock.acquire()
    except Timeout:
        raise _taken(probe, path, wait_s) from None
    except OSError as error:
        raise DeviceError(
            f"the lock of {probe} cannot be taken: {path}: {error.strerror}",
            hint="Name a folder that can be written to: MCUGEN_LOCK_DIR.",
        ) from None
    holder = path.with_suffix(".json")
    try:
        _write_holder(holder)
        yield {HELD: ",".join([*held, probe])}
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


def _path(probe: str) -> Path:
    folder = lock_dir()
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", probe).strip("_.") or "probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(PermissionError):  # another user's
            folder.chmod(0o1777)
    except OSError as error:
        raise DeviceError(f"{folder} cannot be made: {error.strerror}") from None
    return folder / f"{name}.lock"


def _write_holder(path: Path) -> None:
    document = {
        "pid": os.getpid(),
        "user": getpass.getuser(),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:120],
        "since": time.time(),
    }
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")


def _taken(probe: str, path: Path, wait_s: float) -> DisconnectedError:
    by = "another program"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        holder = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        minutes = (time.time() - float(holder["since"])) / 60
        by = f"{holder['command']} (pid {holder['pid']}, of {holder['user']}, {minutes:.1f} min)"
    waited = f" after {wait_s:g} s" if wait_s else ""
    return DisconnectedError(
        f"{probe} is in use by {by}{waited}",
        hint=f"Wait until it has ended. The lock is {path}; it goes with the process.",
    )
