# SPDX-License-Identifier: BSD-3-Clause
"""Programs that are not Python packages: where they are, which version, how to get them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mcugen.base.errors import ToolMissingError

COMPILER = "arm-none-eabi-g++"
QEMU = "qemu-system-arm"
OPENOCD = "openocd"

#: program → how to install it.
INSTALL: Mapping[str, str] = {
    COMPILER: (
        "Debian, Ubuntu: sudo apt install gcc-arm-none-eabi libnewlib-arm-none-eabi "
        "libstdc++-arm-none-eabi-newlib; macOS: brew install --cask gcc-arm-embedded"
    ),
    QEMU: "Debian, Ubuntu: sudo apt install qemu-system-arm; macOS: brew install qemu",
    OPENOCD: "Debian, Ubuntu: sudo apt install openocd; macOS: brew install open-ocd",
}


@dataclass(frozen=True)
class Tool:
    """A program that was found and answers to `--version`."""

    name: str
    path: Path
    version: str  #: "12.2.1"
    description: str  #: first line of `--version`


def find_tool(name: str) -> Tool:
    """Return the program called `name` (a key of INSTALL) on PATH.

    Raises ToolMissingError, with how to install it, if it is not there or does not run.
    """
    found = shutil.which(name)
    if found is None:
        raise ToolMissingError(f"{name} is not on PATH", hint=INSTALL[name])
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
        raise ToolMissingError(f"{path} does not run: {error}", hint=INSTALL[name]) from error
    # OpenOCD writes its version to stderr.
    lines = (result.stdout + result.stderr).strip().splitlines() or [""]
    match = re.findall(r"\d+\.\d+(?:\.\d+)?", lines[0])
    # Debian puts its package version first: "(15:12.2.rel1-1) 12.2.1 20221205".
    version = match[1] if len(match) > 1 and lines[0].startswith(COMPILER) else (match or ["?"])[0]
    return Tool(name, path, version, lines[0])
