# SPDX-License-Identifier: BSD-3-Clause
"""The tables [[regions]] of a part and of a board, and what a boot loader takes of them."""

from __future__ import annotations

import dataclasses
import re

from mcugen.boards.spec import ARENA, MOVABLE_ROLES, ROLES, MemoryKind, MemoryRegion, ReadWait
from mcugen.boards.table import Table, did_you_mean


def regions_of(part: Table, top: Table) -> tuple[MemoryRegion, ...]:
    """Return the part's regions, and those the board has beside it. Raises ConfigError."""
    regions: list[MemoryRegion] = []
    owner: dict[str, str] = {}
    for row in (*part.tables("regions"), *top.tables("regions", optional=True)):
        name = row.get("name", str)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise row.error(f"region name {name!r} is not a lower-case identifier")
        kind = MemoryKind(row.choice("kind", [k.value for k in MemoryKind]))
        region = MemoryRegion(
            name=name,
            start=row.unsigned("start"),
            size_bytes=row.positive("size_kib") * 1024,
            kind=kind,
            roles=row.strings("roles"),
            wait=_wait(row.table("wait", optional=True)),
        )
        row.close()
        if region.start % 16 or region.end > 1 << 32:
            raise row.error(f"region '{name}' must start at a multiple of 16 and end below 4 GiB")
        kinds = {**ROLES, ARENA: MemoryKind.RAM}
        for role in region.roles:
            if role not in kinds:
                raise row.error(
                    f"region '{name}': unknown role '{role}'; roles: {', '.join(kinds)}",
                    hint=did_you_mean(role, kinds),
                )
            if role == ARENA and len(region.roles) > 1:
                raise row.error(f"region '{name}': role '{ARENA}' cannot be shared with others")
            if role in owner and role not in MOVABLE_ROLES:
                raise row.error(f"role '{role}' is given to both '{owner[role]}' and '{name}'")
            if kinds[role] is not kind:
                raise row.error(
                    f"role '{role}' needs memory of kind {kinds[role].value}; "
                    f"'{name}' is {kind.value}"
                )
            owner.setdefault(role, name)
        for other in regions:
            if other.name == name:
                raise row.error(f"two regions are called '{name}'")
            if region.start < other.end and other.start < region.end:
                raise row.error(
                    f"regions '{other.name}' (0x{other.start:08x}-0x{other.end - 1:08x}) and "
                    f"'{name}' (0x{region.start:08x}-0x{region.end - 1:08x}) overlap"
                )
        regions.append(region)
    missing = [role for role in ROLES if role not in owner]
    if missing:
        raise part.error(f"no region has the role {', '.join(repr(r) for r in missing)}")
    return tuple(regions)


def behind_boot_loader(top: Table, regions: tuple[MemoryRegion, ...]) -> tuple[MemoryRegion, ...]:
    """Take what a boot loader keeps from the start of the region of `code`.

    Raises ConfigError.
    """
    taken = top.get("boot_loader_kib", int, 0) * 1024
    code = next(region for region in regions if "code" in region.roles)
    if not 0 <= taken < code.size_bytes:
        raise top.error(
            f"'boot_loader_kib' is {taken // 1024}; region '{code.name}' "
            f"has {code.size_bytes // 1024} KiB"
        )
    return tuple(
        dataclasses.replace(
            region, start=region.start + taken, size_bytes=region.size_bytes - taken
        )
        if region is code
        else region
        for region in regions
    )


def _wait(table: Table | None) -> ReadWait | None:
    if table is None:
        return None
    wait = ReadWait(
        step_hz=table.positive("step_hz"),
        line_bytes=table.positive("line_bytes"),
        code_lines=table.unsigned("code_lines"),
    )
    table.close()
    return wait
