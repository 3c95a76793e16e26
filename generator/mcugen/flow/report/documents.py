# SPDX-License-Identifier: BSD-3-Clause
"""Results as JSON documents: what was built, what was measured, how much of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mcugen.boards.spec import MemoryKind
from mcugen.flow.report.judgement import judgement_section

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec
    from mcugen.device.measure import Measurement
    from mcugen.device.protocol.info import DeviceInfo
    from mcugen.device.timing import Timing
    from mcugen.device.verify import Verification
    from mcugen.program.artifact import PteArtifact, TensorSpec
    from mcugen.program.forms import CallForm
    from mcugen.program.memory import MemoryPlan
    from mcugen.project.build import BuiltImage


def error_document(message: str, exit_code: int, hint: str | None, **more: Any) -> dict[str, Any]:
    """Return the one document of a command that failed under --json."""
    return {
        "schema": "mcugen.error/1",
        "error": message,
        "exit_code": exit_code,
        "hint": hint,
        **more,
    }


def model_section(artifact: PteArtifact) -> dict[str, Any]:
    """Return the model's identity, size and tensors."""
    return {
        "name": artifact.name,
        "sha256": artifact.sha256,
        "source_sha256": artifact.source_sha256,
        "pte_bytes": len(artifact.pte),
        "stripped_bytes": artifact.stripped_bytes,
        "macs": artifact.macs,
        "io": artifact.io,
        "keeps_state": artifact.keeps_state,
        "isa": artifact.isa.value if artifact.isa else None,
        "executorch_version": artifact.executorch_version,
        "notes": list(artifact.notes),
        "inputs": [tensor_section(spec) for spec in artifact.inputs],
        "outputs": [tensor_section(spec) for spec in artifact.outputs],
    }


def tensor_section(spec: TensorSpec) -> dict[str, Any]:
    """Return one tensor's description."""
    return {
        "name": spec.name,
        "shape": list(spec.shape),
        "dim_order": list(spec.dim_order),
        "memory_order": spec.memory_order,
        "dtype": spec.dtype,
        "bytes": spec.nbytes,
        "scale": spec.scale,
        "zero_point": spec.zero_point,
    }


#: How far off the real clock may be, as a share, by its source. Of what else there is, a crystal's
#: tens of ppm do not show in what is reported.
#: hfint: nRF52840 PS v1.7, 5.4.4.1. rosc: 1.8 to 12 MHz for 6.5 (RP2040 datasheet 2.17).
CLOCK_TOLERANCE = {"hsi": 0.01, "msi_lse": 0.0025, "msi": 0.04, "hfint": 0.08, "rosc": 0.85}


def board_section(
    board: BoardSpec, *, simulated: bool | None = None, info: DeviceInfo | None = None
) -> dict[str, Any]:
    """Return the board; `clock_hz` is the clock really set once a device has told."""
    section: dict[str, Any] = {
        "id": board.id,
        "name": board.name,
        "cpu": board.cpu,
        "isa": board.isa.value,
        "simulated": simulated,
        "clock_hz": info.clock_hz if info else board.clock_hz,
    }
    if info:
        section["clock_source"] = info.clock_source
        section["nominal_clock_hz"] = board.clock_hz
        section["clock_tolerance"] = CLOCK_TOLERANCE.get(info.clock_source)
    if info and info.flash:
        section["flash"] = info.flash
    if simulated and board.qemu:
        section["qemu_machine"] = board.qemu.machine
    return section


def total_bytes(board: BoardSpec, kind: MemoryKind) -> int:
    """Return the size of all regions of a kind that something may be placed in."""
    return sum(r.size_bytes for r in board.regions if r.kind is kind and r.roles)


def firmware_section(
    board: BoardSpec, plan: MemoryPlan, image: BuiltImage, info: DeviceInfo | None = None
) -> dict[str, Any]:
    """Return the image's sizes beside what the board has."""
    stack = info.memory.get("stack") if info else None
    return {
        "id": image.firmware_id,
        "flash_bytes": image.flash_bytes,
        "flash_total": total_bytes(board, MemoryKind.FLASH),
        "ram_bytes": image.ram_bytes,
        "ram_total": total_bytes(board, MemoryKind.RAM),
        "engine_bytes": image.engine_bytes,
        "model_bytes": image.model_bytes,
        "planned_bytes": sum(plan.planned_bytes),
        "planned_bound_bytes": plan.planned_bound_bytes,
        "method_bytes": plan.method_bytes,
        "temp_bytes": plan.temp_bytes,
        "io_bytes": plan.io_bytes,
        "static_ram_bytes": image.static_ram_bytes,
        "stack_bytes": plan.stack_bytes,
        "stack_peak_bytes": stack.used_bytes if stack else None,
        "regions": region_rows(plan),
        "toolchain": image.toolchain,
        "flags": image.flags,
        "elf": str(image.elf),
    }


def form_rows(forms: Sequence[CallForm]) -> list[dict[str, Any]]:
    """Return how each call is computed whose kernel has several forms, and why."""
    return [{"call": each.call, "form": each.form, "why": each.why} for each in forms if each.form]


def region_rows(plan: MemoryPlan) -> list[dict[str, Any]]:
    """Return planned use per region. Engine and static RAM are upper limits there."""
    return [
        {
            "name": use.region.name,
            "kind": use.region.kind.value,
            "planned_bytes": use.used_bytes,
            "total_bytes": use.region.size_bytes,
            "roles": dict(use.role_bytes),
            "why": {
                placement.role: placement.why
                for placement in plan.placements
                if placement.region == use.region and placement.why and placement.nbytes
            },
        }
        for use in plan.regions
    ]


def timing_section(timing: Timing) -> dict[str, Any]:
    """Return the statistics and how they were come by."""
    return {
        "counter": timing.counter,
        "runs": timing.runs,
        "warmups": timing.warmups,
        "min": timing.min,
        "median": timing.median,
        "p99": timing.p99,
        "max": timing.max,
        "latency_us": timing.latency_us,
        "counter_kind": timing.counter_kind,
        "counter_hz": timing.counter_hz,
        "empty_ticks": timing.empty_ticks,
    }


def verify_section(result: Verification) -> dict[str, Any]:
    """Return the comparison with the host."""
    first = result.first_difference
    return {
        "samples": result.samples,
        "bit_exact": result.bit_exact,
        "max_step": result.max_step,
        "within_tolerance": result.close if result.float_operators else result.bit_exact,
        "float_operators": list(result.float_operators),
        "data": result.data,
        "first_difference": vars(first) if first else None,
        **judgement_section(result),
    }


def device_section(info: DeviceInfo) -> dict[str, Any]:
    """Return what the device said about itself."""
    return {
        "board": info.board,
        "state": info.state,
        "clock_hz": info.clock_hz,
        "clock_source": info.clock_source,
        "counter": info.counter,
        "counter_hz": info.counter_hz,
        "reset": info.reset,
        "memory": {name: [use.used_bytes, use.total_bytes] for name, use in info.memory.items()},
    }


def operator_rows(artifact: PteArtifact) -> list[dict[str, Any]]:
    """Return each operator of the program, its calls, and whether it works on int8."""
    return [
        {"name": use.name, "calls": use.calls, "int8": use.int8, "layers": list(use.layers)}
        for use in artifact.operators
    ]


def measurement_document(
    schema: str,
    artifact: PteArtifact,
    plan: MemoryPlan,
    image: BuiltImage,
    measurement: Measurement,
    *,
    lowering: dict[str, Any] | None = None,
    fidelity: dict[str, Any] | None = None,
    quantization: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the document of `run`, `bench` or `verify`: the sections that were measured."""
    board = measurement.board
    info = measurement.info
    document: dict[str, Any] = {
        "schema": schema,
        "model": model_section(artifact),
        "board": board_section(board, simulated=measurement.simulated, info=info),
        "firmware": firmware_section(board, plan, image, info),
    }
    if measurement.timing:
        document["timing"] = timing_section(measurement.timing)
    if measurement.verification:
        document["verify"] = verify_section(measurement.verification)
    document["device"] = device_section(info)
    document["operators"] = operator_rows(artifact)
    if lowering is not None:
        document["lowering"] = lowering
    if fidelity is not None:
        document["fidelity"] = fidelity
    if quantization is not None:
        document["quantization"] = quantization
    document["warnings"] = list(measurement.warnings)
    document["project"] = str(image.project.root)
    document["transcript"] = str(measurement.transcript)
    return document
