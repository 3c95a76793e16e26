# SPDX-License-Identifier: BSD-3-Clause
"""What the firmware's fault handler printed before it stopped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class FaultReport:
    """What the firmware's fault handler printed before it stopped."""

    kind: str
    pc: int | None = None
    lr: int | None = None
    cfsr: int | None = None
    address: int | None = None
    causes: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"{self.kind} on the device"]
        if self.pc:  # 0: the stack frame was lost
            parts.append(f"pc 0x{self.pc:08x}")
        if self.lr:
            parts.append(f"lr 0x{self.lr:08x}")
        if self.cfsr:
            parts.append(f"CFSR 0x{self.cfsr:08x}")
        if self.address is not None:
            parts.append(f"at address 0x{self.address:08x}")
        causes = self.causes or decode_cfsr(self.cfsr or 0)
        if causes:
            parts.append(" and ".join(causes))
        return ", ".join(parts)


# Armv7-M Architecture Reference Manual (DDI 0403), B3.2.15: Configurable Fault Status Register;
# STKOF is Armv8-M's.
_CFSR_BITS = {
    0: "instruction fetch from a forbidden address",
    1: "data access to a forbidden address",
    3: "memory fault on leaving an exception",
    4: "memory fault on entering an exception",
    5: "memory fault while saving floating-point state",
    8: "instruction fetch bus error",
    9: "precise data bus error",
    10: "imprecise data bus error",
    11: "bus error on leaving an exception",
    12: "bus error on entering an exception",
    13: "bus error while saving floating-point state",
    16: "undefined instruction",
    17: "invalid execution state",
    18: "invalid exception return",
    19: "no coprocessor",
    20: "stack overflow",
    24: "unaligned access",
    25: "division by zero",
}


def decode_cfsr(cfsr: int) -> tuple[str, ...]:
    """Return one phrase per set bit of a Configurable Fault Status Register."""
    return tuple(text for bit, text in _CFSR_BITS.items() if cfsr >> bit & 1)


def is_fault_line(line: str) -> bool:
    """Return whether the line belongs to a fault report."""
    return line.startswith(("e-[Fault:", "m-fault-"))


def parse_fault(lines: Iterable[str]) -> FaultReport | None:
    """Return the fault report among these lines, or None."""
    kind: str | None = None
    registers: dict[str, int] = {}
    causes: list[str] = []
    for line in lines:
        if match := re.fullmatch(r"e-\[Fault: *(.*)\]", line):
            kind = match[1]
        elif match := re.fullmatch(r"m-fault-(pc|lr|cfsr|address)-0x([0-9a-fA-F]{1,8})", line):
            registers[match[1]] = int(match[2], 16)
        elif match := re.fullmatch(r"m-fault-cause-\[(.*)\]", line):
            causes.append(match[1])
    if kind is None:
        return None
    return FaultReport(
        kind,
        registers.get("pc"),
        registers.get("lr"),
        registers.get("cfsr"),
        registers.get("address"),
        tuple(causes),
    )
