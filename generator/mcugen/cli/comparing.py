# SPDX-License-Identifier: BSD-3-Clause
"""One model, built and measured with mcugen's runtime and with ExecuTorch's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import OutputMismatchError
from mcugen.flow.building import Built, build_artifact, check_compiler, check_model, make_artifact
from mcugen.flow.flashing import check_target
from mcugen.flow.measuring import evaluation, measure, require_verified
from mcugen.flow.paths import slug
from mcugen.flow.settings import Settings

if TYPE_CHECKING:
    from mcugen.cli.terminal import Terminal
    from mcugen.device.measure import Measurement

OURS, THEIRS = "mcugen", "executorch"


def compare(
    settings: Settings, terminal: Terminal
) -> tuple[dict[str, Any], OutputMismatchError | None]:
    """Return the document of `compare-runtimes`, and the error if outputs are wrong.

    Both images are built before either runs: a library that does not link is found out first.
    """
    from mcugen.project import last_build
    from mcugen.project.upstream.prefix import find_runtime

    check_model(settings)
    check_compiler()
    check_target(settings, flash=True)
    assert settings.runtime is not None
    find_runtime(settings.runtime, settings.board)
    artifact, lowering = make_artifact(settings, terminal)
    usual = last_build.out_dir(settings.root) / f"{slug(artifact.name)}-{settings.board.id}"
    places = {OURS: usual, THEIRS: usual.with_name(f"{usual.name}-{THEIRS}")}
    if settings.output is not None:
        places = {name: settings.output / name for name in places}
    built: dict[str, Built] = {}
    # Ours last: it is the build that `verify`, `bench` and `flash` go on with.
    for name, runtime in ((THEIRS, settings.runtime), (OURS, None)):
        each = replace(settings, output=places[name], runtime=runtime)
        built[name] = build_artifact(each, artifact, lowering, terminal)
    data = evaluation(settings, built[OURS], terminal, verify=True)
    measured = {
        name: measure(
            settings,
            built[name],
            terminal,
            f"compare-runtimes-{name}",
            verify=True,
            bench=True,
            flash_first=True,
            data=data,
        )
        for name in (OURS, THEIRS)
    }
    return _document(settings, built, measured), _failure(measured)


def _document(
    settings: Settings, built: dict[str, Built], measured: dict[str, Measurement]
) -> dict[str, Any]:
    from mcugen.flow.report import documents

    ours, theirs = (measured[name].verification for name in (OURS, THEIRS))
    assert ours is not None and theirs is not None
    pairs = list(zip(ours.outputs, theirs.outputs, strict=True))
    info = measured[OURS].info
    runtimes = {}
    for name, measurement in measured.items():
        document = documents.measurement_document(
            "", built[name].artifact, built[name].plan, built[name].image, measurement
        )
        sections = ("verify", "timing", "firmware", "device", "warnings", "project", "transcript")
        runtimes[name] = {section: document[section] for section in sections}
    return {
        "schema": "mcugen.compare-runtimes/1",
        "model": documents.model_section(built[OURS].artifact),
        "board": documents.board_section(
            settings.board, simulated=measured[OURS].simulated, info=info
        ),
        "prefix": str(settings.runtime),
        "samples": len(pairs),
        "equal_samples": sum(one == other for one, other in pairs),
        "runtimes": runtimes,
    }


def _failure(measured: dict[str, Measurement]) -> OutputMismatchError | None:
    for name, measurement in measured.items():
        error = require_verified(measurement)
        if error is not None:
            return OutputMismatchError(
                f"with the runtime of {name}, {error.message}",
                hint=error.hint,
                log_path=error.log_path,
            )
    return None
