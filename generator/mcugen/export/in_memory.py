# SPDX-License-Identifier: BSD-3-Clause
"""What a model in memory is known by: it has no file whose hash could change. Imports torch."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from mcugen.base.quiet import quiet
from mcugen.export.calibration import Calibration
from mcugen.export.captured.capture import trace
from mcugen.model.source import ModelSource

if TYPE_CHECKING:
    import torch


def identity_of(source: ModelSource, calibration: Calibration | None = None) -> dict[str, str]:
    """Return what changes when the module computes something else, or is quantized otherwise.

    Hashes of the exported graph with the names of its layers, of all weights and buffers, and of
    the example inputs; and of the calibration samples that were drawn. A module that is built anew
    with equal weights is the same model.

    Raises QuantizationError if torch cannot export it.
    """
    with quiet():
        program = trace(source.name, source.module, source.example_inputs, strict=False)
    weights = {**program.state_dict, **program.constants}
    found = {
        "name": source.name,
        "graph": _sha256(*_graphs(program.graph_module)),
        "weights": _sha256(*(part for name in sorted(weights) for part in (name, weights[name]))),
        "inputs": _sha256(*source.example_inputs),
        "notes": _sha256(*source.notes),
    }
    if calibration is not None:
        rows = (value for row in calibration.samples for value in row)
        found["calibration"] = _sha256(calibration.provenance, *rows)
    return found


def _graphs(graph: Any) -> list[str]:
    """Return the code of a graph and those inside it, and the layer of each of its operators."""
    import torch

    found = []
    for name, module in graph.named_modules():
        if isinstance(module, torch.fx.GraphModule):
            layers = (node.meta.get("nn_module_stack") or {} for node in module.graph.nodes)
            paths = [path for stack in layers for path, _ in stack.values()]
            found += [name, module.code, *paths]
    return found


def _sha256(*parts: str | torch.Tensor | Any) -> str:
    import torch

    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, torch.Tensor):
            digest.update(f"\0{part.dtype}{list(part.shape)}\0".encode())
            values = part.detach().cpu().contiguous().flatten()
            digest.update(values.view(torch.uint8).numpy().tobytes())
        else:
            digest.update(f"\0{part}\0".encode())
    return digest.hexdigest()
