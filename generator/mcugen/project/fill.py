# SPDX-License-Identifier: BSD-3-Clause
"""From a model, its memory plan and a board to the templates' contexts."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mcugen.boards.spec import BoardSpec, MemoryKind
from mcugen.program.operator_table import function_for
from mcugen.project.contexts import (
    AppConfigContext,
    BoardConfigContext,
    LinkerContext,
    LinkerRegion,
    MemoryRow,
    OperatorRow,
    OperatorsContext,
    PlatformioContext,
    Pool,
    RamSection,
    ReadmeContext,
    RunnerReadmeContext,
)

if TYPE_CHECKING:
    from mcugen.program.artifact import PteArtifact
    from mcugen.program.memory import MemoryPlan

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
    from mcugen.base.cache import package_versions

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


def c_float(value: float) -> str:
    """Return `value` as a C literal of type float."""
    return f"{float(value)!r}f"
