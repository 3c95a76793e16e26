# SPDX-License-Identifier: BSD-3-Clause
"""Addresses, bit positions, widths and reset values, compared with the vendors' SVD files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from families import FAMILIES, FIRMWARE, WITHOUT_DESCRIPTION, sources
from register_check import Comparison, compare
from register_header import Register, has_source, read_source
from svd_file import PACKAGES, parse_svd, take_out

from mcugen.boards.load import list_boards

# One worker downloads the packages.
pytestmark = pytest.mark.xdist_group("svd")

UNCHECKED = Path(__file__).parents[1] / "golden" / "boards" / "unchecked_registers.txt"
USED = sorted({board.bsp for board in list_boards()} - WITHOUT_DESCRIPTION)


def registers_of(family: str) -> tuple[list[Register], list[str]]:
    """What all of its files define."""
    registers: list[Register] = []
    faults: list[str] = []
    for path, group in sources(family):
        found, wrong = read_source(path, group)
        registers += found
        faults += wrong
    return registers, faults


@pytest.fixture(scope="session")
def packages() -> None:
    descriptions = [each for family in FAMILIES.values() for each in family.descriptions]
    for package in PACKAGES:
        take_out(package, [each.file for each in descriptions if each.package == package])


def compare_with_all(family: str) -> Comparison:
    registers, _ = registers_of(family)
    total = Comparison(missing={c.name for r in registers for c in (r, *r.fields)})
    for description in FAMILIES[family].descriptions:
        one = compare(
            [
                replace(r, fields=[f for f in r.fields if f.name not in description.absent])
                for r in registers
            ],
            description.peripherals(),
            FAMILIES[family].instances,
            Path(description.file).stem,
        )
        total.checked |= one.checked
        total.faults += one.faults
    total.missing -= total.checked
    return total


@pytest.mark.parametrize("family", USED)
def test_constants_follow_the_rules(family: str) -> None:
    """firmware/bsp/README.md: else constants would be passed over. Each block has its source."""
    registers, faults = registers_of(family)

    assert registers
    assert not faults
    assert not [f"{r.name}: no manual and section above" for r in registers if not has_source(r)]


@pytest.mark.parametrize("family", USED)
def test_registers_are_the_vendors(packages: None, family: str) -> None:
    assert compare_with_all(family).faults == []


def test_only_these_could_not_be_checked(packages: None, update_golden: bool) -> None:
    """Constants that no description on PyPI has: their manual's section is all there is."""
    lines = []
    for family in USED:
        result = compare_with_all(family)
        total = len(result.checked) + len(result.missing)
        lines += [f"{family}: {len(result.missing)} of {total} constants", ""]
        lines += [f"    {name}" for name in sorted(result.missing)] + [""] * bool(result.missing)
    text = "\n".join(lines).rstrip() + "\n"

    if update_golden:
        UNCHECKED.parent.mkdir(exist_ok=True)
        UNCHECKED.write_text(text)
    assert text == UNCHECKED.read_text()


SVD = b"""<device><peripherals><peripheral><name>RCC</name><baseAddress>0x40000000</baseAddress>
<registers><register><name>CR</name><addressOffset>0x4</addressOffset>
<resetValue>0x83</resetValue><fields>
<field><name>HSEON</name><bitOffset>16</bitOffset><bitWidth>1</bitWidth></field>
<field><name>SW0</name><bitOffset>2</bitOffset><bitWidth>1</bitWidth></field>
<field><name>SW1</name><bitOffset>3</bitOffset><bitWidth>1</bitWidth></field>
</fields></register></registers></peripheral></peripherals></device>"""


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ("constexpr uintptr_t kRccCr = 0x40000004;", None),
        ("constexpr uintptr_t kRccCr = 0x40000008;", "kRccCr is 0x40000008"),
        ("constexpr uint32_t kRccCrHseOn = 1u << 16;", None),
        ("constexpr uint32_t kRccCrHseOn = 1u << 17;", "kRccCrHseOn is 0x20000"),
        ("constexpr uint32_t kRccCrSwMask = 3u << 2;", None),
        ("constexpr uint32_t kRccCrSwMask = 7u << 2;", "kRccCrSwMask is 0x1c"),
        ("constexpr uint32_t kRccCrSwPos = 1;", "kRccCrSwPos is 0x1"),
        ("constexpr uint32_t kRccCrSwPll = 5;", "kRccCrSwPll is 0x5"),
        ("constexpr uint32_t kRccCrReset = 0x81;", "kRccCrReset is 0x81"),
    ],
)
def test_wrong_constants_are_found(tmp_path: Path, header: str, fault: str | None) -> None:
    if "uintptr_t" not in header:
        header = f"constexpr uintptr_t kRccCr = 0x40000004;\n{header}"
    path = tmp_path / "registers.h"
    path.write_text(header)

    registers, unread = read_source(path)
    result = compare(registers, parse_svd(SVD), {}, "sample")
    assert not unread and not result.missing
    assert [f for f in result.faults if fault and fault in f] if fault else not result.faults


def test_every_family_is_listed() -> None:
    folders = {p.name for p in (FIRMWARE / "bsp").iterdir() if (p / "clock.cpp").is_file()}
    assert set(USED) == set(FAMILIES) == folders - WITHOUT_DESCRIPTION
