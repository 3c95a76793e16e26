# SPDX-License-Identifier: BSD-3-Clause
"""The register constants of a family's sources, read by the rules in firmware/bsp/README.md."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_CONSTANT = re.compile(
    r"^\s*(?:inline\s+)?constexpr (uintptr_t|uint32_t) (k\w+) =\s*([^;]+);[ ]*(?://\s*(.*))?$", re.M
)
_SECTION = re.compile(r"\b(RM|PM|UM|AN|DS|RP|ES|PS)\w*\b.*\d|\bDDI \w+|\bsection\b", re.I)


@dataclass
class Constant:
    name: str
    value: int
    comment: str
    line: int


@dataclass
class Register(Constant):
    source: str  # the comment above its block: manual and section
    group: str = ""  # peripheral that a file of one peripheral leaves out of its names
    fields: list[Constant] = field(default_factory=list)


def read_source(path: Path, group: str = "") -> tuple[list[Register], list[str]]:
    """Registers with their fields, in order, and what breaks the rules.

    Macros, such as the base that a board chooses, stand for 0.
    """
    text = path.read_text()
    known: dict[str, int] = {}
    registers: list[Register] = []
    faults: list[str] = []
    blocks = [
        (m.start(), " ".join(m[0].replace("/", " ").split()))
        for m in re.finditer(r"^\s*//(?!/).*(?:\n\s*//.*)*\n(?=\s*constexpr)", text, re.M)
    ]
    head = " ".join(re.findall(r"^//(?! SPDX)/?(.*)$", text[: text.find("namespace")], re.M))
    for match in _CONSTANT.finditer(text):
        kind, name, expression, comment = match[1], match[2], match[3], match[4] or ""
        line = text.count("\n", 0, match.start()) + 1
        owner = next((r for r in reversed(registers) if name.startswith(r.name)), None)
        try:
            known[name] = value = _value(expression, known)
        except (NameError, SyntaxError, ValueError) as error:
            if kind == "uintptr_t" or owner or "registers" in path.stem:
                faults.append(f"{path.name}:{line}: {name} cannot be computed here: {error}")
            continue
        if kind == "uintptr_t" and not name.endswith("Bytes"):
            source = next((s for at, s in reversed(blocks) if at < match.start()), "") + head
            registers.append(Register(name, value, comment, line, source, group))
        elif owner or (registers and "registers" in path.stem):
            (owner or registers[-1]).fields.append(Constant(name, value, comment, line))
    return registers, faults


def has_source(register: Register) -> bool:
    """Whether a manual and a section stand above its block or beside it."""
    return bool(_SECTION.search(register.source) or _SECTION.search(register.comment))


def _value(expression: str, known: dict[str, int]) -> int:
    plain = re.sub(
        r"\b(0[xX][\dA-Fa-f']+|[\d']+)[uUlL]*\b", lambda m: m[1].replace("'", ""), expression
    )
    plain = re.sub(r"\bMCUGEN_\w+", "0", plain)
    names = re.findall(r"\b[A-Za-z_]\w*\b", re.sub(r"0[xX][\dA-Fa-f]+", "0", plain))
    for name in names:
        if name not in known:
            raise NameError(f"{name} is not known")
    if re.search(r"[^\w\s()+\-|&~*<>]", plain):
        raise ValueError(f"not a plain expression: {expression.strip()}")
    return int(eval(plain, {"__builtins__": {}}, known)) & 0xFFFFFFFF
