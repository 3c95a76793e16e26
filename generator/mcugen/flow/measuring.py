# SPDX-License-Identifier: BSD-3-Clause
"""Verify and time a build on its device."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import OutputMismatchError
from mcugen.flow.building import Built, lowering_of
from mcugen.flow.connection import Link, Reconnecting, connect
from mcugen.flow.dropping import require_figures
from mcugen.flow.flashing import check_target
from mcugen.flow.settings import Settings
from mcugen.flow.verifying import Evaluation, evaluation, run_verification, steps

if TYPE_CHECKING:
    from mcugen.device.measure import Measurement
    from mcugen.device.timing import Timing
    from mcugen.device.verify import Verification
    from mcugen.flow.terminal import Terminal


def measure(
    settings: Settings,
    built: Built,
    terminal: Terminal,
    command: str,
    *,
    verify: bool,
    bench: bool,
    flash_first: bool = False,
    data: Evaluation | None = None,
) -> Measurement:
    """Verify and time a build on its device. The host's part is done before a device is opened.

    data: where the host's part has been done for another build of the same program.
    """
    from mcugen.device import timing as timing_stage
    from mcugen.device.measure import Measurement, clock_warnings, memory_warnings

    artifact, board = built.artifact, built.board
    check_target(settings)
    if data is None:
        data = evaluation(settings, built, terminal, verify=verify)
    if verify:
        require_figures(settings, built, data.truth)
    timing: Timing | None = None
    verification: Verification | None = None

    def connected(lost: Link | None) -> AbstractContextManager[Link]:
        if lost is None:
            return connect(settings, built, terminal, command, flash_first=flash_first)
        return connect(settings, built, terminal, command, again=True, known=lost.port)

    with Reconnecting(connected) as device:
        if verify:
            verification = run_verification(settings, built, terminal, device, data)
        link = device.link
        client = link.client
        if bench:
            if artifact.keeps_state:
                client.reload_model()
            total = settings.warmups + settings.runs
            timing = timing_stage.bench(
                client,
                link.info,
                board,
                data.inputs[0],
                runs=settings.runs,
                warmups=settings.warmups,
                simulated=link.simulated,
                advance=steps(terminal, f"time {settings.runs} runs", total),
            )
        # Asked again at the end: the stack's peak is known only now.
        info = client.info()
    warnings = memory_warnings(info, artifact, built.plan)
    if not link.simulated:
        warnings += clock_warnings(info, board)
    for warning in warnings:
        terminal.warning(warning)
    return Measurement(
        board=board,
        simulated=link.simulated,
        firmware_id=info.firmware_id,
        pte_sha256=info.pte_sha256,
        info=info,
        toolchain=built.image.toolchain,
        flags=built.image.flags,
        transcript=link.transcript,
        timing=timing,
        verification=verification,
        warnings=warnings,
    )


def require_verified(measurement: Measurement) -> OutputMismatchError | None:
    """Return the error that a failed verification ends with, or None."""
    from mcugen.device.verify import require_passed

    if measurement.verification is None:
        return None
    try:
        require_passed(measurement.verification, log_path=measurement.transcript)
    except OutputMismatchError as error:
        return error
    return None


def measured_document(built: Built, measurement: Measurement, command: str) -> dict[str, Any]:
    """Return the document of `run`, `verify` or `bench`."""
    from mcugen.flow.report import documents

    schema = "mcugen.report/1" if command == "run" else f"mcugen.{command}/1"
    return documents.measurement_document(
        schema,
        built.artifact,
        built.plan,
        built.image,
        measurement,
        lowering=lowering_of(built),
        fidelity=built.fidelity.to_json(),
        quantization=built.quantization.to_json(),
    )
