# SPDX-License-Identifier: BSD-3-Clause
"""The stages that make reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcugen.api.listener import Listener
from mcugen.api.report import Report
from mcugen.flow.settings import Settings

if TYPE_CHECKING:
    from mcugen.flow.building import Built


def built_of(settings: Settings, listener: Listener) -> Built:
    """Return the build that settings ask for, made now or there already."""
    from mcugen.flow.building import build as make

    return make(settings, listener, remember=False)


def build_report(built: Built, listener: Listener) -> Report:
    """Return the report of a build."""
    from mcugen.flow.building import build_document
    from mcugen.flow.report.text import build_text

    document = build_document(built)
    return Report(document, build_text, tuple(listener.warnings), built.fidelity, built=built)


def measured_report(settings: Settings, built: Built, listener: Listener, command: str) -> Report:
    """Run a build on the device and return the report, or raise with it what `command` raises."""
    from mcugen.flow.dropping import drop_error
    from mcugen.flow.measuring import measure, measured_document, require_verified
    from mcugen.flow.report.text import measurement_text

    whole = command == "run"
    measurement = measure(
        settings, built, listener, command, verify=True, bench=whole, flash_first=whole
    )
    report = Report(
        measured_document(built, measurement, command),
        measurement_text,
        tuple(listener.warnings),
        built.fidelity,
        measurement.timing,
        built,
    )
    failure = require_verified(measurement) or drop_error(settings, built, measurement.verification)
    if failure is not None:
        failure.report = report
        raise failure
    return report
