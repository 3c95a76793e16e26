# SPDX-License-Identifier: BSD-3-Clause
"""How to install programs that are not Python packages, on each kind of system.

Package names: Debian 12 and 13, Fedora 40, Homebrew, winget, scoop. Tried on Debian only.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from pathlib import Path

SYSTEMS: Mapping[str, str] = {
    "debian": "Debian, Ubuntu",
    "fedora": "Fedora",
    "macos": "macOS",
    "windows": "Windows",
}

_JLINK = "get it from https://www.segger.com/downloads/jlink"
_BOSSAC = "arduino-cli core install arduino:mbed_nano, then put its tools/bossac/*/ on PATH"
_PYOCD = f"{Path(sys.executable).name} -m pip install pyocd"

#: program → system → the command. bossac: only Arduino's own knows the nRF52840.
COMMANDS: Mapping[str, Mapping[str, str]] = {
    "arm-none-eabi-g++": {
        "debian": "sudo apt install gcc-arm-none-eabi libnewlib-arm-none-eabi "
        "libstdc++-arm-none-eabi-newlib",
        "fedora": "sudo dnf install arm-none-eabi-gcc-cs arm-none-eabi-gcc-cs-c++ "
        "arm-none-eabi-newlib",
        "macos": "brew install --cask gcc-arm-embedded",
        "windows": "winget install Arm.GnuArmEmbeddedToolchain",
    },
    "qemu-system-arm": {
        "debian": "sudo apt install qemu-system-arm",
        "fedora": "sudo dnf install qemu-system-arm",
        "macos": "brew install qemu",
        "windows": "winget install SoftwareFreedomConservancy.QEMU",
    },
    "openocd": {
        "debian": "sudo apt install openocd",
        "fedora": "sudo dnf install openocd",
        "macos": "brew install open-ocd",
        "windows": "scoop install openocd",
    },
    "dfu-util": {
        "debian": "sudo apt install dfu-util",
        "fedora": "sudo dnf install dfu-util",
        "macos": "brew install dfu-util",
        "windows": "scoop install dfu-util",
    },
    "stm32flash": {
        "debian": "sudo apt install stm32flash",
        "fedora": "sudo dnf install stm32flash",
        "macos": "brew install stm32flash",
        "windows": "get it from https://sourceforge.net/projects/stm32flash",
    },
    "pyocd": dict.fromkeys(SYSTEMS, _PYOCD),
    "bossac": dict.fromkeys(SYSTEMS, _BOSSAC),
    "JLinkExe": dict.fromkeys(SYSTEMS, _JLINK) | {"windows": "winget install SEGGER.JLink"},
    "python": {
        "debian": "sudo apt install python3 python3-venv",
        "fedora": "sudo dnf install python3.12",
        "macos": "brew install python@3.12",
        "windows": "winget install Python.Python.3.12",
    },
}

#: Where a distribution's QEMU is too old for a board.
QEMU_NEWER = (
    "Debian 12 has 10.0 in bookworm-backports: sudo apt install -t bookworm-backports "
    "qemu-system-arm; Debian 13, Ubuntu 25.10 and Homebrew have it or newer"
)


def this_system(os_release: Path = Path("/etc/os-release")) -> str | None:
    """Return the key of SYSTEMS that is this machine; None for another Linux."""
    name = platform.system()
    if name == "Darwin":
        return "macos"
    if name == "Windows":
        return "windows"
    try:
        lines = os_release.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    ids = [*values.get("ID", "").split(), *values.get("ID_LIKE", "").split()]
    names = {word.strip("\"'") for word in ids}
    if names & {"debian", "ubuntu"}:
        return "debian"
    return "fedora" if names & {"fedora", "rhel"} else None


def how_to_install(program: str) -> str:
    """Return the command for this system; those for all systems where it is another."""
    commands = COMMANDS[program]
    system = this_system()
    if system is not None:
        return commands[system]
    return "; ".join(f"{SYSTEMS[name]}: {command}" for name, command in commands.items())
