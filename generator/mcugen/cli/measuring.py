# SPDX-License-Identifier: BSD-3-Clause
"""What was measured, printed; a failed verification ends with its own code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from mcugen.flow.building import Built
from mcugen.flow.dropping import drop_error
from mcugen.flow.measuring import measure, measured_document, require_verified
from mcugen.flow.settings import Settings

if TYPE_CHECKING:
    from mcugen.cli.terminal import Terminal


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
    from mcugen.flow.report import documents, text

    measurement = measure(
        settings, built, terminal, command, verify=verify, bench=bench, flash_first=flash_first
    )
    document = measured_document(built, measurement, command)
    failure = require_verified(measurement) or drop_error(settings, built, measurement.verification)
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
