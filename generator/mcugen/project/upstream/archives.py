# SPDX-License-Identifier: BSD-3-Clause
"""What is in a static library: for which core, what it defines, which operators it registers."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mcugen.base.errors import ToolMissingError
from mcugen.base.toolchain import COMPILER, find_tool

# An operator is registered under its name, which is therefore a string in the library.
_OPERATOR_NAME = re.compile(rb"(?<![\w:])([a-z_]\w*::\w+(?:\.\w+)?)\0")
_FUNCTION = re.compile(r"^[0-9a-f]+ [TW] ([\w:]+)\(", re.MULTILINE)
_MEMBER = re.compile(r"^File: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Member:
    """One object file of a library, as `readelf -A` describes it."""

    name: str
    architecture: str  #: "v7E-M"
    mve: bool
    #: Floats are passed in the FPU's registers; None: assembled, and nothing is said of floats.
    hard_float: bool | None


@dataclass(frozen=True)
class Archive:
    """A static library."""

    path: Path

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """Its objects that hold code for Arm."""
        parts = _MEMBER.split(_run("readelf", "-A", self.path))
        found = []
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if match := re.search(r"Tag_CPU_arch: (\S+)", text):
                member = re.search(r"\((.*)\)$", name)
                hard_float = "Tag_ABI_VFP_args: VFP registers" in text
                found.append(
                    Member(
                        member[1] if member else name,
                        match[1],
                        "Tag_MVE_arch" in text,
                        hard_float if "Tag_ABI_FP_number_model" in text else None,
                    )
                )
        return tuple(found)

    @cached_property
    def whole(self) -> bool:
        """Whether it has static constructors: nothing refers to what those register."""
        text = _run("readelf", "-SW", self.path)
        return re.search(r"\s\.(init_array|ctors)\b", text) is not None

    @cached_property
    def functions(self) -> frozenset[str]:
        """The C++ functions that it defines, without their arguments: "cortex_m::native::pad"."""
        return frozenset(_FUNCTION.findall(_run("nm", "-C", "--defined-only", self.path)))

    @cached_property
    def registers(self) -> frozenset[str]:
        """The operators that its static constructors register."""
        if not self.whole:
            return frozenset()
        return frozenset(match.decode() for match in _OPERATOR_NAME.findall(self.path.read_bytes()))


def _run(tool: str, *arguments: str | Path) -> str:
    path = find_tool(COMPILER).path.with_name(f"arm-none-eabi-{tool}")
    try:
        result = subprocess.run(
            [path, *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, "LC_ALL": "C"},  # its words are parsed
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolMissingError(f"{path} does not run: {error}") from error
    return result.stdout
