# SPDX-License-Identifier: BSD-3-Clause
"""One process at a time: locks of folders and of probes are one mechanism."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mcugen.base.errors import BuildError, DisconnectedError
from mcugen.base.locks import locked
from mcugen.device.probe_lock import HELD, probe_lock


def test_who_waits_in_vain_is_told(tmp_path):
    """A lock that never ends must not hang a build in silence."""
    path = tmp_path / "mcugen.lock"
    with (
        locked(path),
        pytest.raises(BuildError, match=f"another mcugen has held {path} for 0 s"),
        locked(path, wait_s=0.1),
    ):
        pass

    with locked(path, wait_s=0.1):
        pass


def test_a_folder_that_cannot_be_one_is_named(tmp_path):
    (tmp_path / "gone").write_bytes(b"")
    path = tmp_path / "gone" / "mcugen.lock"
    with (
        pytest.raises(BuildError, match="gone cannot be written") as caught,
        locked(path, hint="x"),
    ):
        pass

    assert caught.value.hint == "x"


def test_a_number_padded_with_zeros_is_the_same_probe(monkeypatch):
    """A map may have it as it is printed on the board, USB has it with zeros in front."""
    with (
        probe_lock("000683000001") as environment,
        pytest.raises(DisconnectedError, match="683000001 is in use by"),
        probe_lock("683000001"),
    ):
        pass
    monkeypatch.setenv(HELD, environment[HELD])
    with probe_lock("683000001", "000683000001") as inner:
        assert inner == {}
    monkeypatch.delenv(HELD)
    with probe_lock("683000001", "000683000001"):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become other users")
def test_a_probe_is_everybodys():
    """Linux, and filelock, refuse files of others in a folder with the sticky bit."""
    with tempfile.TemporaryDirectory() as parent:  # pytest's own is root's alone
        os.chmod(parent, 0o755)
        folder = Path(parent) / "locks"
        done = subprocess.run(
            [sys.executable, "-c", users(folder)], capture_output=True, text=True, umask=0o022
        )

    assert done.stdout.splitlines() == ["0 A", "1001 B", "1002 B", "0 B", "1002 A"], done.stderr


def users(folder: Path) -> str:
    """Return a program that takes probes as several users."""
    return f"""
import os
import filelock
from mcugen.device import probe_lock
os.environ["MCUGEN_LOCK_DIR"] = {str(folder)!r}
for user, probe in ((0, "A"), (1001, "B"), (1002, "B"), (0, "B"), (1002, "A")):
    os.seteuid(0)
    os.seteuid(user)
    with probe_lock.probe_lock(probe):
        print(user, probe)
"""
