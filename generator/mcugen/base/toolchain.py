# SPDX-License-Identifier: BSD-3-Clause
"""Programs that are not Python packages: where they are, which version, how to get them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mcugen.base.errors import ToolMissingError
from mcugen.base.install import how_to_install

COMPILER = "arm-none-eabi-g++"
QEMU = "qemu-system-arm"
OPENOCD = "openocd"

#: Way onto a board → its program; UF2 files are copied by a script of ours.
UPLOADERS: Mapping[str, str] = {
    "openocd": OPENOCD,
    "pyocd": "pyocd",
    "jlink": "JLink" if os.name == "nt" else "JLinkExe",
    "bossac": "bossac",
    "dfu": "dfu-util",
    "stm32flash": "stm32flash",
}


def search_path() -> str:
    """Return PATH, and behind it where this Python's packages have their programs."""
    return os.pathsep.join((os.environ.get("PATH", os.defpath), os.path.dirname(sys.executable)))


def which(name: str) -> str | None:
    """Return where a program is, None if it is nowhere."""
    return shutil.which(name, path=search_path())


def find_uploader(way: str) -> None:
    """Raises ToolMissingError, with how to install it, if the program of a way is not there."""
    program = UPLOADERS.get(way)
    if program is not None and which(program) is None:
        raise ToolMissingError(
            f"{program} is not on PATH",
            hint=how_to_install("JLinkExe" if way == "jlink" else program),
        )


@dataclass(frozen=True)
class Tool:
    """A program that was found and answers to `--version`."""

    name: str
    path: Path
    version: str  #: "12.2.1"
    description: str  #: first line of `--version`


def find_tool(name: str) -> Tool:
    """Return the program called `name` (a key of `install.COMMANDS`) on PATH.

    Raises ToolMissingError, with how to install it, if it is not there or does not run.
    """
    found = which(name)
    if found is None:
        raise ToolMissingError(f"{name} is not on PATH", hint=how_to_install(name))
    # Resolved by name and state: another program under the same path is asked again.
    path = Path(found)
    return _ask_version(name, path, path.stat().st_mtime_ns)


@cache
def _ask_version(name: str, path: Path, _mtime_ns: int) -> Tool:
    try:
        result = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolMissingError(
            f"{path} does not run: {error}", hint=how_to_install(name)
        ) from error
    # OpenOCD writes its version to stderr.
    lines = (result.stdout + result.stderr).strip().splitlines() or [""]
    match = re.findall(r"\d+\.\d+(?:\.\d+)?", lines[0])
    # Debian puts its package version first: "(15:12.2.rel1-1) 12.2.1 20221205".
    version = match[1] if len(match) > 1 and lines[0].startswith(COMPILER) else (match or ["?"])[0]
    return Tool(name, path, version, lines[0])
