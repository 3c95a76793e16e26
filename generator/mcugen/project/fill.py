# SPDX-License-Identifier: BSD-3-Clause
"""From a model, its memory plan and a board to the templates' contexts."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcugen.base.cache import package_versions
from mcugen.boards.spec import BoardSpec
from mcugen.project.board_json import env_name, upload_protocol
from mcugen.project.contexts import (
    AppConfigContext,
    BoardConfigContext,
    MemoryRow,
    OperatorRow,
    OperatorsContext,
    PlatformioContext,
    Pool,
    ReadmeContext,
    RunnerReadmeContext,
    UpstreamKernelsContext,
)
from mcugen.project.model_io import tensor_rows

if TYPE_CHECKING:
    from mcugen.program.artifact import PteArtifact
    from mcugen.program.memory import MemoryPlan
    from mcugen.program.operator_table import Operator
    from mcugen.project.upstream.kernels import UpstreamKernel

MODEL_ARRAY = "mcugen_model_pte"


def platformio_context(board: BoardSpec, *, kernels: bool = True) -> PlatformioContext:
    """Return the context of platformio.ini. kernels: whether the project has ours."""
    return PlatformioContext(
        env_name=env_name(board),
        board_id=board.id,
        upload_protocol=upload_protocol(board),
        baud=board.console.baud,
        kernels=kernels,
    )


def app_config_context(
    artifact: PteArtifact, plan: MemoryPlan, *, own_operators: bool = True
) -> AppConfigContext:
    """Return the context of app_config.cpp, with an empty firmware id.

    own_operators: False leaves the table out. The runtime then asks its registry, which upstream's
    libraries fill.
    """
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
        firmware_id="",
        model_name=artifact.name,
        profile_model=artifact.profile_model,
        method_name=artifact.method_name,
        pte_bytes=len(artifact.pte),
        pte_crc32=zlib.crc32(artifact.pte),
        pte_sha256=artifact.sha256,
        num_operators=len({use.name for use in artifact.operators}) if own_operators else 0,
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


def operators_context(operators: Sequence[Operator]) -> OperatorsContext:
    """Return the context of operators.cpp: the table of `operators`, in their order."""
    return OperatorsContext(tuple(OperatorRow(each.name, each.function) for each in operators))


def upstream_kernels_context(
    kernels: Sequence[UpstreamKernel], ours: Sequence[Operator] = ()
) -> UpstreamKernelsContext:
    """Return the context of operators.cpp that registers ExecuTorch's kernels, and some of ours."""
    namespaces = sorted({kernel.namespace for kernel in kernels})
    return UpstreamKernelsContext(
        tuple(kernels),
        tuple(
            (namespace, tuple(each for each in kernels if each.namespace == namespace))
            for namespace in namespaces
        ),
        operators_context(ours).operators,
    )


def readme_context(artifact: PteArtifact, plan: MemoryPlan, board: BoardSpec) -> ReadmeContext:
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
        env_name=env_name(board),
        upload_protocol=upload_protocol(board),
        qemu_machine=board.qemu.machine if board.qemu else None,
        inputs=tensor_rows(artifact.inputs, "input"),
        outputs=tensor_rows(artifact.outputs, "output"),
        stack_bytes=plan.stack_bytes,
        memory=tuple(
            MemoryRow(role, plan.region_of(role, board).name, size) for role, size in sizes
        ),
        executorch_version=artifact.executorch_version,
        own_runtime=artifact.own_runtime,
    )


def runner_readme_context(board: BoardSpec) -> RunnerReadmeContext:
    """Return the context of a runner's README.md."""
    region = board.arena_region
    return RunnerReadmeContext(
        board_id=board.id,
        board_name=board.name,
        env_name=env_name(board),
        upload_protocol=upload_protocol(board),
        qemu_machine=board.qemu.machine if board.qemu else None,
        arena=region.name,
        arena_bytes=region.size_bytes,
        executorch_version=package_versions(("executorch",))["executorch"],
    )


def c_float(value: float) -> str:
    """Return `value` as a C literal of type float."""
    return f"{float(value)!r}f"
