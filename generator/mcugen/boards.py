# SPDX-License-Identifier: BSD-3-Clause
"""Board descriptions: `boards/<id>.toml` → BoardSpec. Keys and rules: boards/README.md."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from mcugen.errors import ConfigError
from mcugen.resources import boards_dir, firmware_dir


class Isa(StrEnum):
    """What the kernels may use. SCALAR: base instructions; DSP: SMLAD and friends; MVE: Helium."""

    SCALAR = "scalar"
    DSP = "dsp"
    MVE = "mve"


class MemoryKind(StrEnum):
    """FLASH holds bytes of the image; RAM is written at run time."""

    FLASH = "flash"
    RAM = "ram"


# What each core can have, most capable first, and the FPUs GCC accepts for it.
CPU_ISAS: Mapping[str, tuple[Isa, ...]] = {
    "cortex-m0": (Isa.SCALAR,),
    "cortex-m0plus": (Isa.SCALAR,),
    "cortex-m3": (Isa.SCALAR,),
    "cortex-m4": (Isa.DSP, Isa.SCALAR),
    "cortex-m7": (Isa.DSP, Isa.SCALAR),
    "cortex-m23": (Isa.SCALAR,),
    "cortex-m33": (Isa.DSP, Isa.SCALAR),
    "cortex-m55": (Isa.MVE, Isa.DSP, Isa.SCALAR),
    "cortex-m85": (Isa.MVE, Isa.DSP, Isa.SCALAR),
}
CPU_FPUS: Mapping[str, tuple[str, ...]] = {
    "cortex-m4": ("fpv4-sp-d16",),
    "cortex-m7": ("fpv5-sp-d16", "fpv5-d16"),
    "cortex-m33": ("fpv5-sp-d16",),
    "cortex-m55": ("auto",),
    "cortex-m85": ("auto",),
}
# Roles and the kind of memory each needs.
ROLES: Mapping[str, MemoryKind] = {
    "code": MemoryKind.FLASH,
    "model": MemoryKind.FLASH,
    "data": MemoryKind.RAM,
    "stack": MemoryKind.RAM,
    "planned": MemoryKind.RAM,
    "method": MemoryKind.RAM,
    "temp": MemoryKind.RAM,
    "io": MemoryKind.RAM,
}
#: A region with this role alone is used by the runner image only, which keeps the model it is sent
#: and all its memory there. Without one, the runner takes what is left of the region for "planned".
ARENA = "arena"
CYCLE_COUNTERS = ("dwt", "systick")
FLOAT_ABIS = ("soft", "softfp", "hard")
VERIFIED_LEVELS = ("builds", "qemu", "hardware")


@dataclass(frozen=True)
class MemoryRegion:
    """A contiguous stretch of memory and what is placed there."""

    name: str
    start: int
    size_bytes: int
    kind: MemoryKind
    roles: tuple[str, ...]

    @property
    def end(self) -> int:
        """First address behind the region."""
        return self.start + self.size_bytes


@dataclass(frozen=True)
class Console:
    """The UART the firmware talks on. `tx`, `rx` are None where there are no pins to set."""

    uart: str
    tx: str | None
    rx: str | None
    baud: int
    base: int


@dataclass(frozen=True)
class Qemu:
    """The machine that runs the image. `counter_hz`: SysTick there.

    With `-icount shift=0`, instructions = ticks · 10⁹ / counter_hz.
    """

    machine: str
    cpu: str | None
    serial_index: int
    counter_hz: int
    extra_args: tuple[str, ...]
    #: Size of the machine's main RAM, where the runner's arena lies at the start of that.
    arena_ram_mib: int | None = None


@dataclass(frozen=True)
class Probe:
    """The debug probe on the board: USB (vendor, product) ids and how OpenOCD drives it."""

    kind: str
    usb_ids: tuple[tuple[int, int], ...]
    openocd_args: tuple[str, ...]


@dataclass(frozen=True)
class BoardSpec:
    """One board, checked: every role has a region, and the cpu has what the file claims."""

    id: str
    aliases: tuple[str, ...]
    name: str
    vendor: str
    url: str
    mcu: str
    cpu: str
    isa: Isa
    fpu: str | None
    float_abi: str
    clock_hz: int
    bsp: str
    defines: tuple[tuple[str, str], ...]
    regions: tuple[MemoryRegion, ...]
    console: Console
    cycle_counter: str
    probe: Probe | None
    qemu: Qemu | None
    simulated_only: bool
    verified_level: str
    verified_evidence: str
    sources: Mapping[str, str] = field(hash=False)
    arena: MemoryRegion | None = None  #: memory that only the runner image uses

    @property
    def arena_region(self) -> MemoryRegion:
        """Where the runner image keeps the model it is sent."""
        return self.arena or self.region_for("planned")

    def region_for(self, role: str) -> MemoryRegion:
        """Return the one region that carries `role` (a key of ROLES)."""
        for region in self.regions:
            if role in region.roles:
                return region
        raise ValueError(f"no such role: {role!r} (roles: {', '.join(ROLES)})")

    @property
    def machine_flags(self) -> tuple[str, ...]:
        """The flags that tell GCC the core: the same for compiling and linking."""
        cpu = self.cpu
        if self.isa is not CPU_ISAS[cpu][0]:
            # Of the cores that can go below their best, GCC has a switch for these only.
            if cpu in ("cortex-m55", "cortex-m85"):
                cpu += "+nomve" if self.isa is Isa.DSP else "+nomve+nodsp"
            elif cpu == "cortex-m33":
                cpu += "+nodsp"
        flags = [f"-mcpu={cpu}", "-mthumb", f"-mfloat-abi={self.float_abi}"]
        if self.fpu is not None:
            flags.append(f"-mfpu={self.fpu}")
        return tuple(flags)


class _Table:
    """A TOML table that knows where it is from, and which of its keys nobody has asked for."""

    def __init__(self, values: Mapping[str, Any], where: str, prefix: str = "") -> None:
        self._values = values
        self._where = where
        self._prefix = prefix
        self._known: list[str] = []

    def error(self, message: str, *, hint: str | None = None) -> ConfigError:
        return ConfigError(f"{self._where}: {message}", hint=hint or "Keys: boards/README.md.")

    def get(self, key: str, kind: type, default: Any = ...) -> Any:
        """Return `key`, checked to be of `kind`; `default` (if given) where it is absent."""
        self._known.append(key)
        if key not in self._values:
            if default is ...:
                raise self.error(f"key '{self._prefix}{key}' is missing")
            return default
        value = self._values[key]
        # bool is an int in Python, not in TOML.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(
                f"'{self._prefix}{key}' must be of type {_TOML_TYPES[kind]}, "
                f"not {_TOML_TYPES.get(type(value), type(value).__name__)}"
            )
        return value

    def choice(self, key: str, allowed: Iterable[str], default: Any = ...) -> Any:
        value = self.get(key, str, default)
        if value is not default and value not in (options := sorted(allowed)):
            raise self.error(
                f"'{self._prefix}{key}' is {value!r}; allowed: {', '.join(options)}",
                hint=did_you_mean(value, options),
            )
        return value

    def positive(self, key: str) -> int:
        value: int = self.get(key, int)
        if value <= 0:
            raise self.error(f"'{self._prefix}{key}' must be above 0, not {value}")
        return value

    def unsigned(self, key: str) -> int:
        value: int = self.get(key, int)
        if not 0 <= value < 1 << 32:
            raise self.error(f"'{self._prefix}{key}' must fit 32 bits unsigned, not {value}")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        values = self.get(key, list, [])
        for value in values:
            if not isinstance(value, str):
                raise self.error(f"'{self._prefix}{key}' must hold strings only, not {value!r}")
        return tuple(values)

    def table(self, key: str, *, optional: bool = False) -> _Table | None:
        values = self.get(key, dict, None if optional else ...)
        return None if values is None else _Table(values, self._where, f"{self._prefix}{key}.")

    def tables(self, key: str) -> list[_Table]:
        rows = self.get(key, list)
        for row in rows:
            if not isinstance(row, dict):
                raise self.error(f"'{self._prefix}{key}' must be an array of tables")
        return [
            _Table(row, self._where, f"{self._prefix}{key}[{i}].") for i, row in enumerate(rows)
        ]

    def items(self) -> Iterable[tuple[str, Any]]:
        """All pairs of a table whose keys are free."""
        self._known.extend(self._values)
        return self._values.items()

    def close(self) -> None:
        """Refuse keys that were not read: a misspelt one would otherwise be lost silently."""
        for key in self._values:
            if key not in self._known:
                raise self.error(
                    f"unknown key '{self._prefix}{key}'", hint=did_you_mean(key, self._known)
                )


_TOML_TYPES = {
    str: "string",
    int: "integer",
    bool: "boolean",
    list: "array",
    dict: "table",
    float: "float",
}


def did_you_mean(word: str, choices: Iterable[str]) -> str | None:
    """Return "Did you mean 'x'?" for the nearest choice, or None if nothing is near."""
    matches = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f"Did you mean '{matches[0]}'?" if matches else None


def load_board(name: str) -> BoardSpec:
    """Return the board called `name`, by id or alias.

    Raises ConfigError (with the nearest match) if there is none, or if its file is not right.
    """
    boards = list_boards()
    for board in boards:
        if name == board.id or name in board.aliases:
            return board
    names = [n for board in boards for n in (board.id, *board.aliases)]
    near = did_you_mean(name.lower(), names)
    raise ConfigError(
        f"unknown board '{name}'; boards: {', '.join(board.id for board in boards)}",
        hint=near or "List them with: mcugen boards",
    )


@cache
def list_boards() -> tuple[BoardSpec, ...]:
    """Return every board, sorted by id. Raises ConfigError for a file that is not right."""
    boards = tuple(parse_board(path) for path in sorted(boards_dir().glob("*.toml")))
    owner: dict[str, str] = {}
    for board in boards:
        for name in (board.id, *board.aliases):
            if name in owner:
                raise ConfigError(f"boards {owner[name]} and {board.id} are both called '{name}'")
            owner[name] = board.id
    return boards


def parse_board(path: Path) -> BoardSpec:
    """Return the board described by one TOML file; `mcu/<part>.toml` is looked up beside it.

    Raises ConfigError naming the file and the key.
    """
    where = f"boards/{path.name}"
    top = _Table(_read_toml(path, where), where)
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
    bsp = part.get("bsp", str)
    families = _bsp_families()
    if bsp not in families:
        raise part.error(
            f"no board-support folder firmware/bsp/{bsp}; there are: {', '.join(families)}",
            hint=did_you_mean(bsp, families),
        )
    regions = _regions(part)
    max_clock_hz = part.positive("max_clock_hz")
    clock_hz = top.positive("clock_hz")
    if clock_hz > max_clock_hz:
        raise top.error(
            f"'clock_hz' is {clock_hz:,}; {part.get('part', str)} allows {max_clock_hz:,}"
        )
    console = _console(_required(top.table("console")))
    simulated_only = top.get("simulated_only", bool, False)
    probe = _probe(top.table("probe", optional=True))
    qemu = _qemu(top.table("qemu", optional=True))
    if simulated_only and qemu is None:
        raise top.error("'simulated_only' needs a [qemu] table")
    if not simulated_only and probe is None:
        raise top.error("a board that is not 'simulated_only' needs a [probe] table")
    verified = _required(top.table("verified"))
    level = verified.choice("level", VERIFIED_LEVELS)
    evidence = verified.get("evidence", str)
    if level != "builds" and not evidence:
        raise verified.error(f"'verified.level' \"{level}\" needs 'verified.evidence'")
    verified.close()
    sources = dict(_required(top.table("sources")).items())
    for key, value in sources.items():
        if not isinstance(value, str) or not value:
            raise top.error(f"'sources.{key}' must be a string that names a document")

    defines = {"MCUGEN_UART_BASE": f"0x{console.base:08x}"}
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
        qemu=qemu,
        simulated_only=simulated_only,
        verified_level=level,
        verified_evidence=evidence,
        sources=sources,
    )
    part.close()
    top.close()
    return spec


def _read_toml(path: Path, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{where}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: not TOML: {error}") from error


def _part_file(board_path: Path, top: _Table, part: str) -> _Table:
    folder = board_path.parent / "mcu"
    parts = sorted(path.stem for path in folder.glob("*.toml"))
    if part not in parts:
        raise top.error(
            f"no boards/mcu/{part}.toml; there are: {', '.join(parts) or 'none'}",
            hint=did_you_mean(part, parts) or "Or write the part's keys in an [mcu] table.",
        )
    where = f"boards/mcu/{part}.toml"
    return _Table(_read_toml(folder / f"{part}.toml", where), where)


def _bsp_families() -> list[str]:
    return sorted(path.name for path in (firmware_dir() / "bsp").glob("*") if path.is_dir())


def _required(table: _Table | None) -> _Table:
    assert table is not None
    return table


def _regions(part: _Table) -> tuple[MemoryRegion, ...]:
    regions: list[MemoryRegion] = []
    owner: dict[str, str] = {}
    for row in part.tables("regions"):
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
            if role in owner:
                raise row.error(f"role '{role}' is given to both '{owner[role]}' and '{name}'")
            if kinds[role] is not kind:
                raise row.error(
                    f"role '{role}' needs memory of kind {kinds[role].value}; "
                    f"'{name}' is {kind.value}"
                )
            owner[role] = name
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


def _console(table: _Table) -> Console:
    console = Console(
        uart=table.get("uart", str),
        tx=table.get("tx", str, None),
        rx=table.get("rx", str, None),
        baud=table.positive("baud"),
        base=table.unsigned("base"),
    )
    table.close()
    return console


def _probe(table: _Table | None) -> Probe | None:
    if table is None:
        return None
    ids = []
    for text in table.strings("usb_ids"):
        match = re.fullmatch(r"([0-9a-f]{4}):([0-9a-f]{4})", text)
        if match is None:
            raise table.error(f"'probe.usb_ids': {text!r} is not \"vid:pid\" in lower-case hex")
        ids.append((int(match[1], 16), int(match[2], 16)))
    probe = Probe(
        kind=table.get("kind", str),
        usb_ids=tuple(ids),
        openocd_args=table.strings("openocd_args"),
    )
    table.close()
    return probe


def _qemu(table: _Table | None) -> Qemu | None:
    if table is None:
        return None
    qemu = Qemu(
        machine=table.get("machine", str),
        cpu=table.get("cpu", str, None),
        serial_index=table.unsigned("serial_index"),
        counter_hz=table.positive("counter_hz"),
        extra_args=table.strings("extra_args"),
        arena_ram_mib=table.get("arena_ram_mib", int, None),
    )
    if qemu.arena_ram_mib is not None and qemu.arena_ram_mib <= 0:
        raise table.error("'qemu.arena_ram_mib' must be above 0")
    table.close()
    return qemu


def _defines(table: _Table | None) -> dict[str, str]:
    """Return macros as text; integers only, so that no quoting can go wrong on a command line."""
    macros: dict[str, str] = {}
    for key, value in table.items() if table else ():
        if not re.fullmatch(r"MCUGEN_[A-Z0-9_]+", key):
            raise _required(table).error(f"macro '{key}' must be called MCUGEN_…")
        if not isinstance(value, int) or isinstance(value, bool):
            raise _required(table).error(f"macro '{key}' must be an integer, not {value!r}")
        macros[key] = str(value)
    return macros
