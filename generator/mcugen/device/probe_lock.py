# SPDX-License-Identifier: BSD-3-Clause
"""One program at a time for each probe and port, on the whole machine and for all its users.

What lies in the file beside a lock says who holds it, for messages, and means nothing once nobody
does.
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
from mcugen.base.locks import holding

#: Probes and ports that a parent of this process holds for it, with commas.
HELD = "MCUGEN_PROBES_HELD"


def lock_dir() -> Path:
    """Return where the locks of this machine lie: MCUGEN_LOCK_DIR, else in the temporary folder."""
    named = os.environ.get("MCUGEN_LOCK_DIR")
    return Path(named) if named else Path(tempfile.gettempdir()) / "mcugen-probes"


@contextlib.contextmanager
def probe_lock(*names: str | None, wait_s: float = 0.0) -> Iterator[dict[str, str]]:
    """Hold a device; give the environment for commands that it is held for.

    Args:
        names: its probe's serial number, its port: whoever knows it by one of them is kept away.
            A port by whatever link. None is none.
        wait_s: how long to wait for who holds it.

    Raises DisconnectedError: another program holds it, with its name, number and since when.
    """
    held = [each for each in os.environ.get(HELD, "").split(",") if each]
    theirs = {_unpadded(each) for each in held}
    named = {_unpadded(_real(name)): _real(name) for name in names if name}
    own = [name for number, name in sorted(named.items()) if number not in theirs]
    with contextlib.ExitStack() as stack:
        for name in own:
            stack.enter_context(_lock(name, wait_s))
        yield {HELD: ",".join([*held, *own])} if own else {}


def _real(name: str) -> str:
    return os.path.realpath(name) if name.startswith((os.sep, ".")) else name


def _unpadded(name: str) -> str:
    """Return what a number is known by: J-Links and boot loaders pad theirs with zeros."""
    return name.lstrip("0") or name


@contextlib.contextmanager
def _lock(name: str, wait_s: float) -> Iterator[None]:
    path = _path(name)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(holding(path, wait_s=wait_s, mode=0o666))
        except TimeoutError:
            raise _taken(name, path, wait_s) from None
        except OSError as error:
            raise DeviceError(
                f"the lock of {name} cannot be taken: {path}: {error.strerror}",
                hint="Name a folder that can be written to: MCUGEN_LOCK_DIR.",
            ) from None
        holder = path.with_suffix(".json")
        _write_holder(holder)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                holder.unlink()


def _path(name: str) -> Path:
    folder = lock_dir()
    file = re.sub(r"[^A-Za-z0-9._-]+", "_", _unpadded(name)).strip("_.") or "probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # No sticky bit: Linux keeps other users from files that are not theirs in such a folder.
        with contextlib.suppress(PermissionError):  # another user's
            folder.chmod(0o777)
    except OSError as error:
        raise DeviceError(f"{folder} cannot be made: {error.strerror}") from None
    return folder / f"{file}.lock"


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
