# SPDX-License-Identifier: BSD-3-Clause
"""From the text of a board file and its part's to a `BoardSpec`; the keys: boards/README.md."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from mcugen.base.errors import ConfigError
from mcugen.base.resources import boards_dir, firmware_dir
from mcugen.boards.parse_regions import behind_boot_loader, regions_of
from mcugen.boards.parse_upload import parse_probe, parse_upload
from mcugen.boards.spec import (
    ARENA,
    CPU_FPUS,
    CPU_ISAS,
    CYCLE_COUNTERS,
    FLOAT_ABIS,
    VERIFIED_LEVELS,
    BoardSpec,
    Console,
    Isa,
    MemoryRegion,
    Qemu,
)
from mcugen.boards.table import Table, did_you_mean


def parse_board(path: Path, *, where: str | None = None) -> BoardSpec:
    """Return the board described by one TOML file.

    `mcu/<part>.toml` is looked up beside it, then among ours.

    Args:
        where: how messages call the file.

    Raises ConfigError naming the file and the key.
    """
    where = where or f"boards/{path.name}"
    top = Table(_read_toml(path, where), where)
    board_id = top.get("id", str)
    if board_id != path.stem:
        raise top.error(f"'id' is {board_id!r} but the file is called {path.stem!r}")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", board_id):
        raise top.error(f"'id' must be lower case letters, digits, '-' and '_', not {board_id!r}")

    mcu = top._values.get("mcu")
    if isinstance(mcu, str):
        part = _part_file(path, top, top.get("mcu", str))
    else:
        part = _required(top.table("mcu"))

    cpu, isa, fpu, float_abi = _core(part)
    bsp = part.get("bsp", str)
    families = _bsp_families()
    if bsp not in families:
        raise part.error(
            f"no board-support folder firmware/bsp/{bsp}; there are: {', '.join(families)}",
            hint=did_you_mean(bsp, families),
        )
    regions = behind_boot_loader(top, regions_of(part, top))
    max_clock_hz = part.positive("max_clock_hz")
    clock_hz = top.positive("clock_hz")
    if clock_hz > max_clock_hz:
        raise top.error(
            f"'clock_hz' is {clock_hz:,}; {part.get('part', str)} allows {max_clock_hz:,}"
        )
    console = _console(_required(top.table("console")))
    simulated_only = top.get("simulated_only", bool, False)
    probe = parse_probe(top.table("probe", optional=True))
    upload = parse_upload(top.table("upload", optional=True), probe, top)
    qemu = _qemu(top.table("qemu", optional=True))
    if simulated_only and qemu is None:
        raise top.error("'simulated_only' needs a [qemu] table")
    if not simulated_only and upload is None:
        raise top.error(
            "a board that is not 'simulated_only' needs a [probe] table, or an [upload] table "
            "with a way that needs no probe"
        )
    level, evidence = _verified(top)
    sources = _sources(top)
    defines = _console_defines(top, console) | _flash_defines(regions)
    defines |= _defines(part.table("defines", optional=True))
    defines |= _defines(top.table("defines", optional=True))
    spec = BoardSpec(
        id=board_id,
        aliases=top.strings("aliases"),
        name=top.get("name", str),
        vendor=top.get("vendor", str),
        url=top.get("url", str),
        mcu=part.get("part", str),
        cpu=cpu,
        isa=isa,
        fpu=fpu,
        float_abi=float_abi,
        clock_hz=clock_hz,
        bsp=bsp,
        defines=tuple(sorted(defines.items())),
        regions=tuple(region for region in regions if ARENA not in region.roles),
        arena=next((region for region in regions if ARENA in region.roles), None),
        console=console,
        cycle_counter=part.choice("cycle_counter", CYCLE_COUNTERS),
        probe=probe,
        upload=upload,
        qemu=qemu,
        simulated_only=simulated_only,
        verified_level=level,
        verified_evidence=evidence,
        sources=sources,
    )
    part.close()
    top.close()
    return spec


def _core(part: Table) -> tuple[str, Isa, str | None, str]:
    """Return cpu, isa, fpu and float_abi, which must be possible together."""
    cpu = part.choice("cpu", CPU_ISAS)
    isa = Isa(part.choice("isa", [i.value for i in Isa], CPU_ISAS[cpu][0].value))
    if isa not in CPU_ISAS[cpu]:
        raise part.error(
            f"isa '{isa.value}' is not in {cpu} (it has: "
            f"{', '.join(i.value for i in CPU_ISAS[cpu])})"
        )
    fpu = part.get("fpu", str, None)
    if fpu is not None and fpu not in CPU_FPUS.get(cpu, ()):
        has = ", ".join(CPU_FPUS.get(cpu, ())) or "none"
        raise part.error(f"fpu '{fpu}' is not in {cpu} (it can have: {has})")
    float_abi = part.choice("float_abi", FLOAT_ABIS)
    if fpu is None and float_abi != "soft":
        raise part.error(f"float_abi '{float_abi}' needs an fpu")
    return cpu, isa, fpu, float_abi


def _verified(top: Table) -> tuple[str, str]:
    """Return the board's verified level and the evidence for it."""
    verified = _required(top.table("verified"))
    level = verified.choice("level", VERIFIED_LEVELS)
    evidence = verified.get("evidence", str)
    if level != "builds" and not evidence:
        raise verified.error(f"'verified.level' \"{level}\" needs 'verified.evidence'")
    verified.close()
    return level, evidence


def _sources(top: Table) -> dict[str, str]:
    """Return where each group of numbers was taken from."""
    sources = dict(_required(top.table("sources")).items())
    for key, value in sources.items():
        if not isinstance(value, str) or not value:
            raise top.error(f"'sources.{key}' must be a string that names a document")
    return sources


def _read_toml(path: Path, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{where}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{where}: not TOML: {error}") from error


def _part_file(board_path: Path, top: Table, part: str) -> Table:
    folders = dict.fromkeys((board_path.parent / "mcu", boards_dir() / "mcu"))
    found = {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
    beside = board_path.parent / "mcu" / f"{part}.toml"
    path = beside if beside.is_file() else found.get(part)
    if path is None:
        raise top.error(
            f"no boards/mcu/{part}.toml; there are: {', '.join(sorted(found)) or 'none'}",
            hint=did_you_mean(part, found) or "Or write the part's keys in an [mcu] table.",
        )
    where = f"boards/mcu/{part}.toml" if path.parent == boards_dir() / "mcu" else str(path)
    return Table(_read_toml(path, where), where)


def _bsp_families() -> list[str]:
    """Return the folders that set up a clock; others hold what several of them share."""
    return sorted(path.parent.name for path in (firmware_dir() / "bsp").glob("*/clock.cpp"))


#: From what every UART's divider of 16 bits can have to what serial adapters can.
_BAUDS = (9_600, 3_000_000)

#: GPIO_AFRL has four bits a pin (RM0390 7.4.9); NVIC, 240 interrupts (Armv7-M ARM, B3.4.1).
_MOST = {"MCUGEN_UART_AF": 15, "MCUGEN_UART_RX_IRQ": 239}


def _required(table: Table | None) -> Table:
    assert table is not None
    return table


def _console(table: Table) -> Console:
    console = Console(
        uart=table.get("uart", str),
        tx=table.get("tx", str, None),
        rx=table.get("rx", str, None),
        baud=table.positive("baud"),
        base=table.unsigned("base"),
    )
    if not _BAUDS[0] <= console.baud <= _BAUDS[1]:
        raise table.error(
            f"'console.baud' is {console.baud:,}; allowed: {_BAUDS[0]:,} to {_BAUDS[1]:,}"
        )
    table.close()
    return console


def _console_defines(top: Table, console: Console) -> dict[str, str]:
    """Return the macros that follow from the console: its register block and its pins' numbers."""
    macros = {"MCUGEN_UART_BASE": f"0x{console.base:08x}"}
    for key, pin in (("tx", console.tx), ("rx", console.rx)):
        if pin is not None:
            number = _pin_number(pin)
            if number is None:
                raise top.error(f"'console.{key}': {pin!r} is not a pin such as PA2, P0.06 or GP0")
            macros[f"MCUGEN_UART_{key.upper()}_PIN"] = str(number)
    return macros


def _flash_defines(regions: tuple[MemoryRegion, ...]) -> dict[str, str]:
    """Return the macro that tells how many wait states the code's memory needs, if it has any."""
    wait = next(region.wait for region in regions if "code" in region.roles)
    return {} if wait is None else {"MCUGEN_FLASH_STEP_HZ": str(wait.step_hz)}


def _pin_number(pin: str) -> int | None:
    """Return the pin's number over all ports: of 16 pins (PA2), of 32 (P0.06), or one port."""
    if match := re.fullmatch(r"P([A-K])(1[0-5]|[0-9])", pin):
        return (ord(match[1]) - ord("A")) * 16 + int(match[2])
    if match := re.fullmatch(r"P([0-3])\.([0-2][0-9]|3[01])", pin):
        return int(match[1]) * 32 + int(match[2])
    if match := re.fullmatch(r"GP([1-4]?[0-9])", pin):
        return int(match[1])
    return None


def _qemu(table: Table | None) -> Qemu | None:
    if table is None:
        return None
    qemu = Qemu(
        machine=table.get("machine", str),
        cpu=table.get("cpu", str, None),
        serial_index=table.unsigned("serial_index"),
        counter_hz=table.positive("counter_hz"),
        extra_args=table.strings("extra_args"),
        arena_ram_mib=table.get("arena_ram_mib", int, None),
        min_version=table.get("min_version", str, None),
    )
    if qemu.arena_ram_mib is not None and qemu.arena_ram_mib <= 0:
        raise table.error("'qemu.arena_ram_mib' must be above 0")
    if not re.fullmatch(r"\d+\.\d+", qemu.min_version or "0.0"):
        raise table.error(f"'qemu.min_version' must be like \"10.0\", not {qemu.min_version!r}")
    table.close()
    return qemu


def _defines(table: Table | None) -> dict[str, str]:
    """Return macros as text; integers only, so that no quoting can go wrong on a command line."""
    macros: dict[str, str] = {}
    for key, value in table.items() if table else ():
        if not re.fullmatch(r"MCUGEN_[A-Z0-9_]+", key):
            raise _required(table).error(f"macro '{key}' must be called MCUGEN_…")
        if not isinstance(value, int) or isinstance(value, bool):
            raise _required(table).error(f"macro '{key}' must be an integer, not {value!r}")
        most = _MOST.get(key)
        if most is not None and not 0 <= value <= most:
            raise _required(table).error(f"macro '{key}' is {value}; allowed: 0 to {most}")
        macros[key] = str(value)
    return macros
