# SPDX-License-Identifier: BSD-3-Clause
"""The instructions and functions of an image, as the toolchain's disassembler lists them."""

from __future__ import annotations

import re
import subprocess
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mcugen.base.errors import DeviceError
from mcugen.base.toolchain import COMPILER, find_tool

_FUNCTION = re.compile(r"^([0-9a-f]{8}) <(.*)>:$")
_CALL = re.compile(r"^[0-9a-f]+ <(.*)>$")
_NOT_CODE = (".word", ".short", ".byte", "...")


@dataclass(frozen=True)
class Instruction:
    """One instruction in the disassembler's words."""

    address: int
    name: str  #: "ldrb", without the width ".w"
    operands: str  #: "r3, [r0, #4]"
    size: int = 2  #: in bytes: 2 or 4


@dataclass(frozen=True)
class Code:
    """What of an image can be executed."""

    instructions: Mapping[int, Instruction]  #: by address
    functions: tuple[tuple[int, str], ...]  #: address and demangled name, sorted

    @cached_property
    def _starts(self) -> list[int]:
        return [address for address, _ in self.functions]

    def function_at(self, address: int) -> str:
        """Return the demangled name, with its arguments, of the function an address lies in."""
        index = bisect_right(self._starts, address) - 1
        return self.functions[index][1] if index >= 0 else ""

    def entries(self, prefix: str) -> frozenset[int]:
        """Return where functions begin whose demangled name is `prefix`, whatever they take."""
        return frozenset(address for address, name in self.functions if _is(name, prefix))

    def return_sites(self, prefix: str) -> frozenset[int]:
        """Return the addresses behind all direct calls of a function."""
        found = set()
        for each in self.instructions.values():
            if each.name == "bl":
                called = _CALL.match(each.operands)
                if called is not None and _is(called[1], prefix):
                    found.add(each.address + each.size)
        return frozenset(found)


def _is(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and not name[len(prefix) : len(prefix) + 1].isalnum()


def short_name(name: str) -> str:
    """Return a demangled name without its arguments and our namespace."""
    bare = name.partition(" [clone")[0].replace("(anonymous namespace)::", "")
    return bare.partition("(")[0].removeprefix("mcugen::")


def read_code(elf: Path) -> Code:
    """Return the code of an image. Raises ToolMissingError, DeviceError."""
    compiler = find_tool(COMPILER)
    objdump = compiler.path.with_name(compiler.path.name.replace("g++", "objdump"))
    try:
        listing = subprocess.run(
            [objdump, "-d", "-C", "-w", "--show-raw-insn", elf],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise DeviceError(f"{elf} cannot be disassembled: {error}") from error
    return parse_listing(listing)


def parse_listing(listing: str) -> Code:
    """Return what `objdump -d -C --show-raw-insn` lists."""
    instructions: dict[int, Instruction] = {}
    functions: list[tuple[int, str]] = []
    for line in listing.splitlines():
        fields = line.split("\t")
        if len(fields) >= 3:
            name = fields[2].strip()
            if name.startswith(_NOT_CODE):
                continue
            address = int(fields[0].strip().rstrip(":"), 16)
            operands = fields[3].partition(";")[0].partition("@")[0].strip() if fields[3:] else ""
            size = len(fields[1].replace(" ", "")) // 2
            bare = name.removesuffix(".w").removesuffix(".n")
            instructions[address] = Instruction(address, bare, operands, size)
        elif (found := _FUNCTION.match(line)) is not None:
            functions.append((int(found[1], 16), found[2]))
    return Code(instructions, tuple(sorted(functions)))
