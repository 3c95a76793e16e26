# SPDX-License-Identifier: BSD-3-Clause
"""What a device is, has and answers; one inference."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import DeviceError, ProtocolError
from mcugen.device.protocol.info import DeviceInfo
from mcugen.device.timing import Timing
from mcugen.device.verify import Verification

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec
    from mcugen.program.artifact import PteArtifact
    from mcugen.program.memory import MemoryPlan


@dataclass(frozen=True)
class Measurement:
    """All that is known about one run on one device."""

    board: BoardSpec
    simulated: bool
    firmware_id: str
    pte_sha256: str
    info: DeviceInfo
    toolchain: str
    flags: str
    transcript: Path
    timing: Timing | None = None
    verification: Verification | None = None
    warnings: tuple[str, ...] = ()
    extras: dict[str, Any] = field(default_factory=dict)


def check_device(
    info: DeviceInfo, artifact: PteArtifact, firmware_id: str, *, log_path: Path | None = None
) -> None:
    """Refuse to measure a device that runs something else, or that failed to load its model.

    Raises DeviceError, ProtocolError.
    """
    if info.firmware_id != firmware_id:
        raise DeviceError(
            f"the device runs firmware {info.firmware_id} ({info.model} for {info.board}), "
            f"not {firmware_id}",
            hint="Put the last build on it with 'mcugen flash'.",
            log_path=log_path,
        )
    if info.state != "ready":
        raise DeviceError(
            f"the firmware could not load the model: {info.error or info.state}", log_path=log_path
        )
    if info.pte_sha256 != artifact.sha256:
        raise ProtocolError(
            f"firmware {firmware_id} holds the model {info.pte_sha256[:16]}…, "
            f"not {artifact.sha256[:16]}…",
            log_path=log_path,
        )
    for what, specs, reported in (
        ("input", artifact.inputs, info.inputs),
        ("output", artifact.outputs, info.outputs),
    ):
        expected = [spec.nbytes for spec in specs]
        if [size for _, size in reported] != expected:
            raise ProtocolError(
                f"the device's {what}s have {[size for _, size in reported]} B; "
                f"the model's have {expected} B",
                log_path=log_path,
            )


#: How far a clock may be off by its oscillator alone.
_CLOCK_TOLERANCE = 0.01


def clock_warnings(info: DeviceInfo, board: BoardSpec) -> tuple[str, ...]:
    """Return that a real board runs at another clock than its file says, if it does."""
    if abs(info.clock_hz - board.clock_hz) <= _CLOCK_TOLERANCE * board.clock_hz:
        return ()
    return (
        f"the core runs at {info.clock_hz:,} Hz ({info.clock_source}), not at the "
        f"{board.clock_hz:,} Hz of {board.id}'s file: an oscillator, the PLL or the regulator did "
        "not get ready, or the PLL cannot make that clock; times are those of the slower clock",
    )


def memory_warnings(info: DeviceInfo, artifact: PteArtifact, plan: MemoryPlan) -> tuple[str, ...]:
    """Return where the device's memory use differs from what was planned on the host."""
    warnings: list[str] = []
    expected = {
        "planned": sum(plan.planned_bytes),
        "method": plan.method_bytes,
        "temp": plan.temp_bytes,
        "io": plan.io_bytes,
        "stack": plan.stack_bytes,
    }
    for name, total in expected.items():
        pool = info.memory.get(name)
        if pool is None:
            warnings.append(f"the device does not report its {name} memory")
            continue
        if pool.total_bytes != total:
            warnings.append(
                f"{name} memory has {pool.total_bytes:,} B on the device; {total:,} B were planned"
            )
        exact = name == "method" and artifact.own_runtime
        if exact and pool.used_bytes != artifact.method_bytes:
            warnings.append(
                f"loading the method used {pool.used_bytes:,} B; "
                f"{artifact.method_bytes:,} B were predicted"
            )
        elif pool.used_bytes > pool.total_bytes:
            warnings.append(f"{name} memory: {pool.used_bytes:,} B used of {pool.total_bytes:,} B")
    return tuple(warnings)
