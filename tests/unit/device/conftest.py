# SPDX-License-Identifier: BSD-3-Clause
"""Programs at the edge of this process."""

from __future__ import annotations

import os

import pytest

PROGRAMS = ("openocd", "pyocd", "JLinkExe", "bossac", "dfu-util", "stm32flash")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Put programs on PATH that record their command lines; `act` says what one does then."""
    folder = tmp_path / "bin"
    folder.mkdir()
    calls = tmp_path / "calls"

    def act(name: str, script: str = "exit 0") -> None:
        (folder / name).write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && echo "Open On-Chip Debugger 0.12.0" && exit 0\n'
            f'for word in {name} "$@"; do printf "%s\\n" "$word"; done >> "{calls}"\n{script}\n'
        )
        (folder / name).chmod(0o755)

    for name in PROGRAMS:
        act(name)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("MCUGEN_UF2_VOLUMES", "")
    act.calls = lambda: calls.read_text().splitlines() if calls.exists() else []
    return act
