# SPDX-License-Identifier: BSD-3-Clause
"""A `.pte` with what its file does not know of the model: layers, names, what it is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mcugen.boards.spec import Isa
from mcugen.export.lowering_report import LoweringReport
from mcugen.model.source import ModelRef
from mcugen.program.artifact import PteArtifact, TensorSpec


def described(
    artifact: PteArtifact, ref: ModelRef, isa: Isa | None, report: LoweringReport
) -> PteArtifact:
    """Return the artifact with what only the model and its lowering know."""
    layers: dict[str, list[str]] = {}
    for line in report.operators:
        names = layers.setdefault(line.operator, [])
        if line.layer and line.layer not in names:
            names.append(line.layer)
    return replace(
        artifact,
        isa=isa,
        operators=tuple(
            replace(use, layers=tuple(layers.get(use.name, ()))) for use in artifact.operators
        ),
        softmax_output=ref.info.logits if ref.info else artifact.softmax_output,
        profile_model=ref.info.profile_model if ref.info else ref.name,
        notes=report.notes,
    )


def named(artifact: PteArtifact, program: Any) -> PteArtifact:
    """Return it with inputs and outputs called as in the user's code; a `.pte` has their places."""
    from mcugen.export.io_names import input_names, output_names

    return replace(
        artifact,
        inputs=_with_names(artifact.inputs, input_names(program)),
        outputs=_with_names(artifact.outputs, output_names(program)),
    )


def _with_names(
    specs: tuple[TensorSpec, ...], names: Sequence[str | None]
) -> tuple[TensorSpec, ...]:
    if len(names) != len(specs):
        return specs
    return tuple(
        replace(spec, name=name or spec.name) for spec, name in zip(specs, names, strict=True)
    )
