# SPDX-License-Identifier: BSD-3-Clause
"""Verify and time a build on its device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from mcugen.base.errors import OutputMismatchError
from mcugen.cli.building import Built
from mcugen.cli.connection import check_target, connect
from mcugen.cli.settings import DEFAULT_RANDOM_SAMPLES, DEFAULT_SAMPLES, Settings
from mcugen.model.catalog import Metric

if TYPE_CHECKING:
    import numpy as np

    from mcugen.cli.terminal import Terminal
    from mcugen.device.inference import TensorBytes
    from mcugen.device.measure import Measurement
    from mcugen.device.timing import Timing
    from mcugen.device.verify import Verification
    from mcugen.program.artifact import PteArtifact


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
    from mcugen.device import verify as verify_stage
    from mcugen.device.measure import Measurement, memory_warnings

    artifact, board = built.artifact, built.board
    check_target(settings)
    if data is None:
        data = evaluation(settings, built, terminal, verify=verify)
    timing: Timing | None = None
    verification: Verification | None = None
    with connect(settings, built, terminal, command, flash_first=flash_first) as link:
        client = link.client
        if verify:
            text = f"verify {len(data.inputs)} samples"
            description = data.description
            if artifact.keeps_state:
                # The host's outputs are those of one inference after the other from the start.
                client.reload_model()
                description += "; its state as loaded, then kept from sample to sample"
            verification = verify_stage.verify(
                client,
                artifact,
                data.inputs,
                data.expected,
                labels=data.labels,
                metric=data.metric,
                float_score=data.float_score,
                data=description,
                advance=steps(terminal, text, len(data.inputs)),
            )
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


def steps(terminal: Terminal, text: str, total: int) -> Any:
    """Return what is to be called `total` times: it says how far a stage has come."""
    done = 0
    terminal.step(text, 0, total)

    def advance() -> None:
        nonlocal done
        done += 1
        terminal.step(text, done, total)

    return advance


@dataclass(frozen=True)
class Evaluation:
    """Samples as bytes, and what the host says about them."""

    inputs: Sequence[TensorBytes]
    expected: Sequence[TensorBytes]
    labels: Sequence[int] | None
    float_score: float | None
    description: str
    metric: Metric = Metric.ACCURACY


def evaluation(settings: Settings, built: Built, terminal: Terminal, *, verify: bool) -> Evaluation:
    """Return the samples to run and, to verify, the host reference's outputs for them."""
    from mcugen.export import evaluation as samples
    from mcugen.model.source import resolve_model

    artifact = built.artifact
    info = resolve_model(built.model).info
    labelled = info is not None and info.dataset is not None
    n = 1
    if verify:
        n = settings.samples or (DEFAULT_SAMPLES if labelled else DEFAULT_RANDOM_SAMPLES)
    data = samples.evaluation_data(built.model, artifact, n)
    n = data.samples
    inputs = [tuple(tensor[i].tobytes() for tensor in data.inputs) for i in range(n)]
    if not verify:
        return Evaluation(inputs, [], None, None, data.provenance)
    # Of the program as it was exported: so a fault in preparing it for the board shows, too.
    expected = _host_outputs(built.exported, data.inputs, terminal)
    float_score = None
    if data.labels is not None:
        float_score = samples.float_score(built.model, n, progress=terminal.step)
    terminal.end_bar()
    labels = None if data.labels is None else [int(label) for label in data.labels]
    metric = info.metric if info is not None else Metric.ACCURACY
    return Evaluation(inputs, expected, labels, float_score, data.provenance, metric)


def _host_outputs(
    artifact: PteArtifact, inputs: Sequence[np.ndarray], terminal: Terminal
) -> list[TensorBytes]:
    """Return the host reference's output bytes of every sample."""
    from mcugen.program.reference import walker

    outputs = walker.reference_outputs(artifact, inputs, progress=terminal.step)
    return [tuple(values[i].tobytes() for values in outputs) for i in range(len(inputs[0]))]


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


def measure_and_print(
    settings: Settings,
    built: Built,
    terminal: Terminal,
    command: str,
    *,
    verify: bool,
    bench: bool,
    flash_first: bool = False,
) -> None:
    """Measure and print; a failed verification prints its report and ends with its own code."""
    from mcugen.cli.report import documents, text

    measurement = measure(
        settings, built, terminal, command, verify=verify, bench=bench, flash_first=flash_first
    )
    schema = "mcugen.report/1" if command == "run" else f"mcugen.{command}/1"
    document = documents.measurement_document(
        schema,
        built.artifact,
        built.plan,
        built.image,
        measurement,
        lowering=built.lowering.to_json() if built.lowering is not None else None,
        fidelity=built.fidelity.to_json(),
    )
    failure = require_verified(measurement)
    if failure is None:
        terminal.answer(text.measurement_text(document, terminal), document)
        return
    if terminal.json:
        terminal.answer(
            "",
            documents.error_document(
                failure.message, failure.exit_code, failure.hint, report=document
            ),
        )
    else:
        terminal.answer(text.measurement_text(document, terminal), document)
    terminal.error(failure.message, hint=failure.hint, log_path=failure.log_path)
    raise typer.Exit(failure.exit_code)
