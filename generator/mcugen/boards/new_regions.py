# SPDX-License-Identifier: BSD-3-Clause
"""The memory of a new board: its regions of RAM, and how its flash is read."""

from __future__ import annotations

import re

from mcugen.base.errors import ConfigError
from mcugen.boards.new_sheet import Sheet

_ALL_RAM = '["stack", "data", "planned", "method", "temp", "io"]'


def wait_table(sheet: Sheet, as_like: str) -> list[str]:
    """Return how the flash is read, where the family's firmware is told."""
    known, given = sheet.example.region_for("code").wait, sheet.wanted.flash_wait
    if known is None and given is None:
        return []
    numbers = [known.step_hz, known.line_bytes, known.code_lines] if known else []
    source = as_like
    if given is not None:
        match = re.fullmatch(r"(\d+):(\d+):(\d+)", given)
        if match is None:
            raise ConfigError(
                f"--flash-wait {given}: it is STEP_HZ:LINE_BYTES:CODE_LINES, 30000000:16:64"
            )
        numbers, source = [int(text) for text in match.groups()], "--flash-wait"
    elif not sheet.like:
        shown = ":".join(map(str, numbers))
        option = f"--flash-wait STEP_HZ:LINE_BYTES:CODE_LINES ({sheet.example.id}: {shown})"
        sheet.need(None, option, "wait states of flash")
    keys = ("step_hz", "line_bytes", "code_lines")
    rows = [f"{key} = {number}" for key, number in zip(keys, numbers, strict=True)]
    return ["", f"[mcu.regions.wait]  # {source}", *rows]


def ram_tables(sheet: Sheet, from_pio: str) -> list[str]:
    rows = sheet.wanted.ram
    own = [region for region in sheet.example.regions if region.kind.value == "ram"]
    if not rows:
        if len(own) > 1:
            shown = " ".join(
                f"--ram {r.name}:0x{r.start:08x}:{r.size_bytes // 1024}:{','.join(r.roles)}"
                for r in own
            )
            sheet.need(None, f"--ram NAME:START:KIB:ROLES ({sheet.example.id}: {shown})", "RAM")
            return []
        size = sheet.need(
            sheet.pio.get("upload.maximum_ram_size"), "--ram NAME:START:KIB", "the size of RAM"
        )
        return _region("sram", f"0x{own[0].start:08x}", (size or 0) // 1024, _ALL_RAM, from_pio)
    lines = []
    for row in rows:
        match = re.fullmatch(r"([a-z][a-z0-9_]*):(0x[0-9a-fA-F]+):(\d+)(?::([a-z,]+))?", row)
        if match is None:
            raise ConfigError(f"--ram {row}: it is NAME:START:KIB:ROLES, sram:0x20000000:96:io")
        name, start, size_kib, roles = match.groups()
        listed = "[" + ", ".join(f'"{r}"' for r in roles.split(",")) + "]" if roles else _ALL_RAM
        lines += _region(name, start, int(size_kib), listed, "--ram")
    return lines


def _region(name: str, start: str, size_kib: int, roles: str, source: str) -> list[str]:
    return [
        "",
        "[[mcu.regions]]",
        f'name = "{name}"',
        f"start = {start}",
        f"size_kib = {size_kib}  # {source}",
        'kind = "ram"',
        f"roles = {roles}",
    ]
