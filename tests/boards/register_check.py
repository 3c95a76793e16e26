# SPDX-License-Identifier: BSD-3-Clause
"""Compares constants of a register header with a vendor's description of the part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from register_header import Constant, Register
from svd_file import SvdField, SvdPeripheral, SvdRegister

# What a field's name has behind what people call it: USART2EN, HSEON, BORRSTF.
_TAILS = ("", "EN", "ON", "F", "RSTF")
# A register's offset in its block; above it, an absolute address.
_LARGEST_OFFSET = 0xFFFF


@dataclass
class Comparison:
    checked: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)  # the description has no such thing
    faults: list[str] = field(default_factory=list)


def compare(
    registers: list[Register],
    peripherals: Mapping[str, SvdPeripheral],
    instances: Mapping[str, str],
    where: str,
) -> Comparison:
    """Every address, bit position and width that the description knows.

    instances: name that a group of offsets has in the header -> the peripheral it is looked up in.
    where: name of the description, for messages.
    """
    result = Comparison()
    for register in registers:
        found = _find(register, peripherals, instances)
        if found is None:
            result.missing |= {register.name, *(f.name for f in register.fields)}
            continue
        name, peripheral, theirs = found
        if theirs is None:
            result.checked.add(register.name)
            if register.value != peripheral.base:
                result.faults.append(
                    f"{register.name} is {register.value:#x}; {where}: {name} is at "
                    f"{peripheral.base:#x}"
                )
            continue
        result.checked.add(register.name)
        address = peripheral.base + theirs.offset
        if register.value not in (address, theirs.offset) or (
            register.value == theirs.offset and register.value > _LARGEST_OFFSET
        ):
            result.faults.append(
                f"{register.name} is {register.value:#x}; {where}: {name} is at {address:#x}, "
                f"offset {theirs.offset:#x}"
            )
        for constant in register.fields:
            fault = _check_field(constant, register, name, theirs)
            if fault is None:
                result.missing.add(constant.name)
                continue
            result.checked.add(constant.name)
            if fault:
                result.faults.append(f"{where}: {fault}")
    return result


def _plain(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())


def _manual_name(constant: Constant) -> str | None:
    match = re.match(r"([A-Z][A-Z0-9_]+)(?:$|[,;:])", constant.comment)
    return _plain(match[1]) if match else None


def _find(
    register: Register, peripherals: Mapping[str, SvdPeripheral], instances: Mapping[str, str]
) -> tuple[str, SvdPeripheral, SvdRegister | None] | None:
    """The register that a constant is named after; without one, the base of a peripheral."""
    wanted = _plain(register.group + register.name[1:])
    for name, peripheral in peripherals.items():
        if wanted.removesuffix("BASE") == _plain(name) or _manual_name(register) == _plain(name):
            return name, peripheral, None
    groups = [(name, name) for name in peripherals] + list(instances.items())
    for group, instance in groups:
        peripheral = peripherals.get(instance)
        if peripheral is None or not wanted.startswith(_plain(group)):
            continue
        rest = wanted.removeprefix(_plain(group))
        named = _manual_name(register)
        for name, theirs in peripheral.registers.items():
            # ST's names have the peripheral's in front in some files.
            plain = _plain(name).removeprefix(_plain(group))
            if rest == plain or (named and named in (plain, _plain(group) + plain)):
                return f"{instance}.{name}", peripheral, theirs
    return None


def _check_field(
    constant: Constant, register: Register, where: str, theirs: SvdRegister
) -> str | None:
    """None: no such field there. Else what is wrong, empty if nothing is."""
    fields = {_plain(name): f for name, f in theirs.fields.items()}
    if not constant.name.startswith(register.name):
        return _check_each(constant, where, theirs)
    rest = constant.name.removeprefix(register.name)
    if rest == "Reset":
        same = constant.value == theirs.reset
        return "" if same else f"{constant.name} is {constant.value:#x}, {where} {theirs.reset:#x}"
    kind = next((k for k in ("Mask", "Pos") if rest.endswith(k)), "")
    stem = _plain(rest.removesuffix(kind))
    named = _manual_name(constant)
    exact = next(
        (fields[n + tail] for n in (named, stem) if n for tail in _TAILS if n + tail in fields),
        None,
    )
    if kind and not exact:  # of the equal fields of a row: PPRE1, PPRE2
        row = [f for n, f in fields.items() if re.fullmatch(stem + r"\d+", n)]
        if row and len({f.width for f in row}) == 1:
            exact = SvdField(row[0].lsb, row[0].width)
    if kind and exact:
        allowed = {exact.lsb} if kind == "Pos" else {exact.mask, exact.mask >> exact.lsb}
        return _verdict(constant, where, exact, constant.value in allowed)
    if exact and (stem in (_plain(n) for n in theirs.fields) or not named or exact.width == 1):
        return _verdict(constant, where, exact, constant.value in (exact.mask,))
    if exact:
        return _check_value(constant, where, exact, "")
    longest = max((n for n in fields if stem.startswith(n)), key=len, default=None)
    if longest is not None:
        return _check_value(constant, where, fields[longest], stem.removeprefix(longest))
    return _check_each(constant, where, theirs)


def _check_value(constant: Constant, where: str, theirs: SvdField, meaning: str) -> str:
    """A value that a field can have: where the description names it, that one."""
    values = {_plain(n): v for n, v in theirs.values.items()}
    if meaning in values:
        allowed = {values[meaning], values[meaning] << theirs.lsb}
        return _verdict(constant, where, theirs, constant.value in allowed)
    fits = constant.value & ~theirs.mask == 0 or constant.value < 1 << theirs.width
    return _verdict(constant, where, theirs, fits)


def _check_each(constant: Constant, where: str, theirs: SvdRegister) -> str | None:
    """A value for each of a register's equal fields: a pin's mode, one of a table of priorities."""
    widths = {f.width for f in theirs.fields.values()}
    if len(widths) != 1 or len(theirs.fields) < 2:
        return None
    (width,) = widths
    lsbs = {f.lsb for f in theirs.fields.values()}
    fits = constant.value < 1 << width or constant.value.bit_length() - 1 in lsbs
    return (
        ""
        if fits
        else f"{constant.name} is {constant.value:#x}, {where}'s fields have {width} bits"
    )


def _verdict(constant: Constant, where: str, theirs: SvdField, fine: bool) -> str:
    if fine:
        return ""
    place = f"bits {theirs.lsb + theirs.width - 1}:{theirs.lsb}"
    return (
        f"{constant.name} is {constant.value:#x}; in {where} the field is {place} {theirs.values}"
    )
