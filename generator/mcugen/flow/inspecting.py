# SPDX-License-Identifier: BSD-3-Clause
"""What a model becomes, without compiling anything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcugen.flow.building import make_artifact
from mcugen.flow.settings import Settings

if TYPE_CHECKING:
    from mcugen.flow.terminal import Terminal


def inspect_document(settings: Settings, terminal: Terminal) -> dict[str, Any]:
    """Return what a model becomes: operators, tensors, memory, lowering. Compiles nothing."""
    from mcugen.base.errors import DoesNotFitError
    from mcugen.flow.report import documents
    from mcugen.flow.report.lowering import lowering_section
    from mcugen.program.memory import io_bytes, plan_memory
    from mcugen.program.planning.fit import arrange_for

    # A model that lost too much is shown, too: what it lost is among what there is to see.
    artifact, lowering = make_artifact(replace(settings, accept_loss=True), terminal)
    exported = artifact
    artifact = arrange_for(exported, settings.board, settings.level)
    dropped = artifact.planned.dropped_calls if artifact.planned is not None else ()
    described: dict[str, Any] = {
        "schema": "mcugen.inspect/1",
        "model": documents.model_section(artifact),
        "board": documents.board_section(settings.board),
        "operators": documents.operator_rows(artifact),
        "memory": {
            "planned_bytes": sum(artifact.planned_buffers),
            "planned_buffers": list(artifact.planned_buffers),
            "planned_bound_bytes": artifact.planned.bound_bytes if artifact.planned else None,
            "planned_exported_bytes": artifact.planned.exported_bytes if artifact.planned else None,
            "method_bytes": artifact.method_bytes,
            "temp_bytes": artifact.temp_bytes,
            "io_bytes": io_bytes(artifact),
        },
        "lowering": lowering_section(lowering, exported, settings.board, dropped),
        "fidelity": lowering.fidelity.to_json(),
        "quantization": lowering.quantization.to_json(),
    }
    try:
        plan = plan_memory(artifact, settings.board)
    except DoesNotFitError as error:
        # Looking at a model that does not fit is what inspect is for.
        described |= {"fits": False, "regions": [], "shortage": error.message, "hint": error.hint}
    else:
        described |= {"fits": True, "regions": documents.region_rows(plan), "shortage": None}
    return described
