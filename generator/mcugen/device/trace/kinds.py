# SPDX-License-Identifier: BSD-3-Clause
"""What an instruction does, as far as its duration depends on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache


class Kind(StrEnum):
    """Instructions that the timing tables tell apart."""

    ALU = "alu"
    LOAD = "load"
    STORE = "store"
    LOAD_MANY = "load_many"  #: LDRD, LDM, POP, VLDM, VLDR of a double: `count` words
    STORE_MANY = "store_many"
    MULTIPLY = "multiply"  #: 32-bit result; the DSP extension's too
    ACCUMULATE = "accumulate"  #: MLA, MLS, SMLAD, …
    MULTIPLY_LONG = "multiply_long"  #: 64-bit result
    ACCUMULATE_LONG = "accumulate_long"
    DIVIDE = "divide"
    BRANCH = "branch"  #: B, CBZ, BX, BLX, and what else writes PC
    CALL = "call"  #: BL
    TABLE_BRANCH = "table_branch"
    SYSTEM = "system"  #: MRS, MSR, CPS, barriers, hints other than NOP
    FLOAT = "float"
    FLOAT_ACCUMULATE = "float_accumulate"
    FLOAT_DIVIDE = "float_divide"  #: and square roots
    VECTOR = "vector"  #: Helium


@dataclass(frozen=True)
class Action:
    """An instruction, reduced to what counts."""

    kind: Kind
    count: int = 1  #: words that a LOAD_MANY or STORE_MANY moves
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    jumps: bool = False  #: may go on elsewhere than behind it
    address: frozenset[str] = frozenset()  #: of `reads`, those that an address is made of
    late: frozenset[str] = frozenset()  #: of `reads`, accumulators: needed behind the product


_CONDITIONS = "eq|ne|cs|cc|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al"
_BRANCH = re.compile(rf"^b({_CONDITIONS})?$|^bx|^blx|^cbn?z$|^le$|^wls|^letp$|^wlstp")
_REGISTER = re.compile(r"\b(r1[0-5]|r[0-9]|sb|sl|fp|ip|sp|lr|pc|s[0-9]+|d[0-9]+|q[0-7])\b")
_RANGE = re.compile(r"\b([rsdq])([0-9]+)-[rsdq]([0-9]+)\b")
_ACCUMULATE_LONG = re.compile(r"^(smlal|umlal|umaal|smlsld)")
_ACCUMULATE = re.compile(r"^(mla|mls|smla|smls|smmla|smmls|usada)")
_MULTIPLY_LONG = re.compile(r"^(smull|umull)")
_MULTIPLY = re.compile(r"^(mul|smul|smmul|smuad|smusd|usad8)")
_SYSTEM = re.compile(r"^(mrs|msr|cps|dsb|dmb|isb|svc|bkpt|wf[ie]|sev|yield|clrex|udf|dls|lctp)")
_NO_RESULT = re.compile(r"^(cmp|cmn|tst|teq|str|stm|push|vstr|vstm|vpush|b|cb|it|nop|vcmp|msr|pld)")
_ALSO_READS_RESULT = re.compile(r"^(smlal|umlal|umaal|smlsld|vmla|vmls|vfma|vfms|bfi|movt)")
_NOTHING_BUT_A_RESULT = re.compile(
    r"^(v?mov|mvn|v?ldr|[su]xt|clz|rev|rbit|v?neg|adr|mrs|vmrs|vcvt|vabs|vsqrt)"
)
_TWO_RESULTS = re.compile(r"^(smull|umull|smlal|umlal|umaal|smlsld|ldrd)")


@cache
def action(name: str, operands: str) -> Action:
    """Return what an instruction does; name and operands in the disassembler's words."""
    # Suffixes of type follow a point: "vadd.f32", "vldrb.8".
    root = name.partition(".")[0]
    reads, writes, address = _registers(root, operands)
    kind, count = _kind(root, name, operands)
    jumps = (
        kind in (Kind.BRANCH, Kind.CALL, Kind.TABLE_BRANCH)
        or "pc" in writes
        or root in ("svc", "bkpt")
    )
    if jumps and kind in (Kind.ALU, Kind.SYSTEM):
        kind = Kind.BRANCH
    late: frozenset[str] = frozenset()
    if kind is Kind.ACCUMULATE:
        late = frozenset(_REGISTER.findall(operands)[3:])
    elif kind is Kind.ACCUMULATE_LONG:
        late = writes
    return Action(kind, count, reads, writes, jumps, address, late)


def _kind(root: str, name: str, operands: str) -> tuple[Kind, int]:
    if root.startswith("v"):
        return _float_kind(root, name, operands)
    if root == "bl":
        return Kind.CALL, 1
    if _BRANCH.match(root):
        return Kind.BRANCH, 1
    if root in ("tbb", "tbh"):
        return Kind.TABLE_BRANCH, 1
    if root.startswith(("ldm", "pop")):
        return Kind.LOAD_MANY, _listed(operands)
    if root.startswith(("stm", "push")):
        return Kind.STORE_MANY, _listed(operands)
    if root.startswith("ldrd"):
        return Kind.LOAD_MANY, 2
    if root.startswith("strd"):
        return Kind.STORE_MANY, 2
    for pattern, kind in (
        (re.compile("^ldr|^lda|^ldrex"), Kind.LOAD),
        (re.compile("^str|^stl"), Kind.STORE),
        (re.compile("^[su]div"), Kind.DIVIDE),
        (_ACCUMULATE_LONG, Kind.ACCUMULATE_LONG),
        (_ACCUMULATE, Kind.ACCUMULATE),
        (_MULTIPLY_LONG, Kind.MULTIPLY_LONG),
        (_MULTIPLY, Kind.MULTIPLY),
        (_SYSTEM, Kind.SYSTEM),
    ):
        if pattern.match(root):
            return kind, 1
    return Kind.ALU, 1


def _float_kind(root: str, name: str, operands: str) -> tuple[Kind, int]:
    if re.search(r"\bq[0-7]\b", operands) or root.startswith(("vpt", "vctp", "vpst", "vpnot")):
        return Kind.VECTOR, 1
    if root.startswith(("vldm", "vpop")):
        return Kind.LOAD_MANY, _listed(operands)
    if root.startswith(("vstm", "vpush")):
        return Kind.STORE_MANY, _listed(operands)
    wide = operands.startswith("d")
    if root.startswith("vldr"):
        return (Kind.LOAD_MANY, 2) if wide else (Kind.LOAD, 1)
    if root.startswith("vstr"):
        return (Kind.STORE_MANY, 2) if wide else (Kind.STORE, 1)
    if root.startswith(("vdiv", "vsqrt")):
        return Kind.FLOAT_DIVIDE, 1
    if root.startswith(("vmla", "vmls", "vnmla", "vnmls", "vfma", "vfms", "vfnm")):
        return Kind.FLOAT_ACCUMULATE, 1
    return Kind.FLOAT, 1


def _listed(operands: str) -> int:
    """Return how many words the registers in braces are."""
    inside = operands.partition("{")[2].partition("}")[0]
    words = 0
    for part in filter(None, (each.strip() for each in inside.split(","))):
        found = _RANGE.match(part)
        n = int(found[3]) - int(found[2]) + 1 if found else 1
        words += n * (2 if part.startswith("d") else 1)
    return max(words, 1)


def _expanded(operands: str) -> str:
    def spell(match: re.Match[str]) -> str:
        first, last = int(match[2]), int(match[3])
        return ", ".join(f"{match[1]}{n}" for n in range(first, last + 1))

    return _RANGE.sub(spell, operands)


def _registers(root: str, operands: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the registers that are read, those that are written, and those of an address.

    The flags are a register, too. What the two forms of an operand leave open is read.
    """
    text = _expanded(operands.partition("<")[0] if root.startswith(("b", "cb")) else operands)
    every = _REGISTER.findall(text)
    inside = _REGISTER.findall(text[text.find("[") : text.find("]") + 1]) if "[" in text else []
    flags = {"flags"}
    reads: set[str] = set()
    writes: set[str] = set()
    if root.startswith(("ldm", "pop", "vldm", "vpop")):
        listed = _REGISTER.findall(text.partition("{")[2])
        base = _REGISTER.findall(text.partition("{")[0])
        reads |= set(base) or {"sp"}
        writes |= set(listed)
        if "!" in text or not base:
            writes |= set(base) or {"sp"}
        return frozenset(reads), frozenset(writes), frozenset(reads)
    if root.startswith(("push", "vpush")):
        return frozenset({*every, "sp"}), frozenset({"sp"}), frozenset({"sp"})
    if _NO_RESULT.match(root) and not root.startswith(("bic", "bf")):
        reads |= set(every)
        if root.startswith(("stm", "vstm")):
            base = _REGISTER.findall(text.partition("{")[0])
            inside = base
            writes |= set(base) if "!" in text else set()
        if root.startswith(("cmp", "cmn", "tst", "teq", "vcmp")):
            writes |= flags
        if re.match(rf"^b({_CONDITIONS})$|^it", root):
            reads |= flags
    else:
        n_results = 2 if _TWO_RESULTS.match(root) else 1
        writes |= set(every[:n_results])
        reads |= set(every[n_results:])
        # "adds r0, #1" and "muls r0, r1" name a register once that is both.
        short = text.count(",") == 1 and not _NOTHING_BUT_A_RESULT.match(root)
        if short or _ALSO_READS_RESULT.match(root):
            reads |= set(every[:n_results])
        if root.endswith("s") and root not in ("mls", "vmls", "mrs", "vmrs"):
            writes |= flags
        if root.startswith(("adc", "sbc", "rsc")):
            reads |= flags
    if "[" in text and ("!" in text or re.search(r"\],", text)):
        writes |= set(inside[:1])
    return frozenset(reads), frozenset(writes), frozenset(inside)
