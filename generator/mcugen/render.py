# SPDX-License-Identifier: BSD-3-Clause
"""Templates: a frozen dataclass per template, and the one function that fills it in.

All arithmetic and every choice is made here; the templates only place values.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from mcugen.boards import BoardSpec, MemoryKind
from mcugen.errors import TemplateError
from mcugen.operators import function_for
from mcugen.resources import templates_dir

if TYPE_CHECKING:
    import jinja2

    from mcugen.memory import MemoryPlan
    from mcugen.pte import PteArtifact

MODEL_ARRAY = "mcugen_model_pte"
# The order of RAM roles in a region. The stack comes first: it grows down and out of the region.
_RAM_ORDER = (
    ("stack", "stack"),
    ("data", "data"),
    ("planned", ".planned_memory"),
    ("method", ".method_pool"),
    ("temp", ".temp_pool"),
    ("io", ".io_pool"),
)


@dataclass(frozen=True)
class PlatformioContext:
    """platformio.ini."""

    template: ClassVar[str] = "platformio.ini.j2"
    env_name: str
    board_id: str
    upload_protocol: str  #: of plain `pio run -t upload`
    baud: int
    kernels: bool = True  #: ours, rather than those of ExecuTorch's own libraries


@dataclass(frozen=True)
class LinkerRegion:
    """One line of MEMORY."""

    name: str
    access: str  #: "rx" or "rwx"
    start: int
    length: str  #: "512K"


@dataclass(frozen=True)
class RamSection:
    """One output section (or, for data, three) in RAM."""

    kind: str  #: "stack", "data" or the section's name
    region: str


@dataclass(frozen=True)
class LinkerContext:
    """linker/memory.ld."""

    template: ClassVar[str] = "memory.ld.j2"
    regions: tuple[LinkerRegion, ...]
    code: str  #: region of code and of .data's initial values
    model: str | None  #: region of the model; None: it lies in the arena
    arena: str | None  #: region whose rest is a runner's arena
    ram_sections: tuple[RamSection, ...]  #: in order of address within each region
    stack_bytes: int
    stack_guard: bool  #: nothing lies right below the stack
    constructors: bool = False  #: static constructors are run, by firmware/upstream/main.cpp


@dataclass(frozen=True)
class Pool:
    """A static array for one role of the memory plan."""

    name: str
    section: str
    size_bytes: int


@dataclass(frozen=True)
class AppConfigContext:
    """src/app_config.cpp."""

    template: ClassVar[str] = "app_config.cpp.j2"
    firmware_id: str  #: empty while the id is being computed
    model_name: str
    profile_model: str
    method_name: str
    pte_bytes: int
    pte_crc32: int  #: CRC-32/ISO-HDLC
    pte_sha256: str
    num_operators: int
    pools: tuple[Pool, ...]  #: planned buffers first
    planned: tuple[Pool, ...]  #: by memory id, from 1 on
    method_pool: str  #: C++ expression of type Span<uint8_t>
    temp_pool: str
    io_pool: str
    output_scale: str  #: C float literal
    output_zero_point: int
    softmax: bool
    keeps_state: bool


@dataclass(frozen=True)
class RunnerConfigContext:
    """src/app_config.cpp of a runner."""

    template: ClassVar[str] = "runner_config.cpp.j2"
    firmware_id: str  #: empty while the id is being computed
    num_operators: int


@dataclass(frozen=True)
class BoardConfigContext:
    """src/board_config.cpp."""

    template: ClassVar[str] = "board_config.cpp.j2"
    id: str
    vendor: str
    clock_hz: int
    baud: int


@dataclass(frozen=True)
class OperatorRow:
    """An operator's schema name and the function in mcugen::ops that implements it."""

    name: str
    function: str


@dataclass(frozen=True)
class OperatorsContext:
    """src/operators.cpp."""

    template: ClassVar[str] = "operators.cpp.j2"
    operators: tuple[OperatorRow, ...]


@dataclass(frozen=True)
class LibraryContext:
    """lib/*/library.json."""

    template: ClassVar[str] = "library.json.j2"
    name: str
    version: str
    description: str
    license: str
    dependencies: tuple[str, ...]
    flags: tuple[str, ...]  #: behind the platform's, so `-O2` here wins


@dataclass(frozen=True)
class MemoryRow:
    """One line of the README's memory table."""

    role: str
    region: str
    size_bytes: int


@dataclass(frozen=True)
class ReadmeContext:
    """README.md."""

    template: ClassVar[str] = "project_readme.md.j2"
    model_name: str
    pte_bytes: int
    pte_sha256: str
    board_id: str
    board_name: str
    cpu: str
    clock_mhz: str
    baud: int
    env_name: str
    upload_protocol: str
    qemu_machine: str | None
    memory: tuple[MemoryRow, ...]
    executorch_version: str


@dataclass(frozen=True)
class RunnerReadmeContext:
    """README.md of a runner."""

    template: ClassVar[str] = "runner_readme.md.j2"
    board_id: str
    board_name: str
    env_name: str
    upload_protocol: str
    qemu_machine: str | None
    arena: str
    arena_bytes: int
    executorch_version: str


Context = (
    PlatformioContext
    | LinkerContext
    | AppConfigContext
    | RunnerConfigContext
    | RunnerReadmeContext
    | BoardConfigContext
    | OperatorsContext
    | LibraryContext
    | ReadmeContext
)


def render(context: Context) -> str:
    """Return the text of the context's template. Raises TemplateError if the two do not agree."""
    import jinja2

    values = {field.name: getattr(context, field.name) for field in fields(context)}
    try:
        return _environment().get_template(context.template).render(values)
    except jinja2.TemplateError as error:
        raise TemplateError(f"templates/{context.template}: {error}") from error


def upload_protocol(board: BoardSpec) -> str:
    """Return what plain `pio run -t upload` uses for `board`."""
    return "qemu" if board.simulated_only else "openocd"


def platformio_context(board: BoardSpec, env_name: str) -> PlatformioContext:
    """Return the context of platformio.ini."""
    return PlatformioContext(
        env_name=env_name,
        board_id=board.id,
        upload_protocol=upload_protocol(board),
        baud=board.console.baud,
    )


def linker_context(plan: MemoryPlan, board: BoardSpec) -> LinkerContext:
    """Return the context of memory.ld."""
    return _linker_context(board, plan.stack_bytes, _RAM_ORDER, arena=None)


def runner_linker_context(board: BoardSpec, stack_bytes: int) -> LinkerContext:
    """Return the context of memory.ld of a runner: one arena instead of model and pools."""
    sections = (("stack", "stack"), ("data", "data"), ("arena", ".model_arena"))
    return _linker_context(board, stack_bytes, sections, arena=board.arena_region.name)


def _linker_context(
    board: BoardSpec, stack_bytes: int, sections: Sequence[tuple[str, str]], *, arena: str | None
) -> LinkerContext:
    stack_region = board.region_for("stack")
    regions = list(board.regions)
    if arena is not None and board.arena is not None:
        regions.append(board.arena)
    return LinkerContext(
        regions=tuple(
            LinkerRegion(
                name=region.name,
                access="rx" if region.kind is MemoryKind.FLASH else "rwx",
                start=region.start,
                length=f"{region.size_bytes // 1024}K",
            )
            for region in regions
        ),
        code=board.region_for("code").name,
        model=board.region_for("model").name if arena is None else None,
        arena=arena,
        ram_sections=tuple(
            RamSection(kind, arena or "" if role == "arena" else board.region_for(role).name)
            for role, kind in sections
        ),
        stack_bytes=stack_bytes,
        stack_guard=all(region.end != stack_region.start for region in board.regions),
    )


def app_config_context(
    artifact: PteArtifact, plan: MemoryPlan, firmware_id: str
) -> AppConfigContext:
    """Return the context of app_config.cpp."""
    planned = tuple(
        Pool(f"planned_memory_{i}", ".planned_memory", size)
        for i, size in enumerate(plan.planned_bytes, start=1)
    )
    others = (
        Pool("method_memory", ".method_pool", plan.method_bytes),
        Pool("temp_memory", ".temp_pool", plan.temp_bytes),
        Pool("io_memory", ".io_pool", plan.io_bytes),
    )
    spans = [pool.name if pool.size_bytes else "Span<uint8_t>()" for pool in others]
    output = artifact.outputs[0] if artifact.outputs else None
    return AppConfigContext(
        firmware_id=firmware_id,
        model_name=artifact.name,
        profile_model=artifact.profile_model,
        method_name=artifact.method_name,
        pte_bytes=len(artifact.pte),
        pte_crc32=zlib.crc32(artifact.pte),
        pte_sha256=artifact.sha256,
        num_operators=len({operator.name for operator in artifact.operators}),
        pools=planned + others,
        planned=planned,
        method_pool=spans[0],
        temp_pool=spans[1],
        io_pool=spans[2],
        output_scale=c_float(output.scale if output and output.scale is not None else 1.0),
        output_zero_point=(output.zero_point or 0) if output else 0,
        softmax=artifact.softmax_output,
        keeps_state=artifact.keeps_state,
    )


def board_config_context(board: BoardSpec) -> BoardConfigContext:
    """Return the context of board_config.cpp."""
    return BoardConfigContext(
        id=board.id, vendor=board.vendor, clock_hz=board.clock_hz, baud=board.console.baud
    )


def operators_context(artifact: PteArtifact) -> OperatorsContext:
    """Return the context of operators.cpp: sorted, each operator once."""
    return named_operators_context({operator.name for operator in artifact.operators})


def named_operators_context(operators: Iterable[str]) -> OperatorsContext:
    """Return the context of operators.cpp for operators by name."""
    names = sorted(operators)
    return OperatorsContext(tuple(OperatorRow(name, function_for(name)) for name in names))


def readme_context(
    artifact: PteArtifact, plan: MemoryPlan, board: BoardSpec, env_name: str
) -> ReadmeContext:
    """Return the context of the project's README.md."""
    sizes = (
        ("model", plan.model_bytes),
        ("planned", sum(plan.planned_bytes)),
        ("method", plan.method_bytes),
        ("temp", plan.temp_bytes),
        ("io", plan.io_bytes),
        ("stack", plan.stack_bytes),
    )
    return ReadmeContext(
        model_name=artifact.name,
        pte_bytes=len(artifact.pte),
        pte_sha256=artifact.sha256,
        board_id=board.id,
        board_name=board.name,
        cpu=board.cpu,
        clock_mhz=f"{board.clock_hz / 1e6:g}",
        baud=board.console.baud,
        env_name=env_name,
        upload_protocol=upload_protocol(board),
        qemu_machine=board.qemu.machine if board.qemu else None,
        memory=tuple(MemoryRow(role, board.region_for(role).name, size) for role, size in sizes),
        executorch_version=artifact.executorch_version,
    )


def runner_readme_context(board: BoardSpec, env_name: str) -> RunnerReadmeContext:
    """Return the context of a runner's README.md."""
    from mcugen.cache import package_versions

    region = board.arena_region
    return RunnerReadmeContext(
        board_id=board.id,
        board_name=board.name,
        env_name=env_name,
        upload_protocol=upload_protocol(board),
        qemu_machine=board.qemu.machine if board.qemu else None,
        arena=region.name,
        arena_bytes=region.size_bytes,
        executorch_version=package_versions(("executorch",))["executorch"],
    )


def hex32(value: int) -> str:
    """Return a 32-bit number as C writes it: 0x08000000."""
    if not 0 <= value < 1 << 32:
        raise ValueError(f"{value} does not fit 32 bits")
    return f"0x{value:08x}"


def c_ident(text: str) -> str:
    """Return `text` with every character that no C identifier may hold replaced by `_`."""
    ident = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return f"_{ident}" if not ident or ident[0].isdigit() else ident


def c_string(text: str) -> str:
    """Return `text` as a C string literal, quotes included."""
    from mcugen.c_array import string_literals

    return "".join(string_literals(text.encode(), 1 << 30)) or '""'


def c_float(value: float) -> str:
    """Return `value` as a C literal of type float."""
    return f"{float(value)!r}f"


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    filters: Sequence[Any] = (hex32, c_ident, c_string)
    environment.filters.update({function.__name__: function for function in filters})
    return environment
