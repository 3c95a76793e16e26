# SPDX-License-Identifier: BSD-3-Clause
"""Turn what is left of ATen into Cortex-M operators: activations by table."""

from __future__ import annotations

from typing import Any

import torch
from executorch.backends.cortex_m.passes.aten_to_cortex_m_pass import AtenToCortexMPass
from executorch.backends.transforms.aten_to_dialect_pass import DialectNodeSpec
from executorch.backends.transforms.utils import create_constant_placeholder
from torch.export.graph_signature import InputKind

from mcugen.export.passes.edge import EDGE
from mcugen.export.passes.recurrent import RECURRENT


class ToCortexM(AtenToCortexMPass):  # type: ignore[misc]
    """Has a table for the activations that nothing before it has fused."""


def _activation_table(node: Any, to_cortex_m: Any) -> Any:
    """Replace a unary operator by cortex_m::quantized_activation."""
    if not node.meta.get("input_qparams") or not node.meta.get("output_qparams"):
        return None
    source, result = node.meta["input_qparams"][0], node.meta["output_qparams"][0]
    reals = (torch.arange(-128, 128, dtype=torch.float64) - source.zp) * source.scale
    scaled = _TABLES[node.target](reals) / result.scale
    away_from_zero = torch.sign(scaled) * torch.floor(scaled.abs() + 0.5)
    table = (away_from_zero + result.zp).clamp(-128, 127).to(torch.int8)
    # Constants come before the inputs.
    with node.graph.inserting_before(next(n for n in node.graph.nodes if n.op == "placeholder")):
        constant = create_constant_placeholder(
            to_cortex_m.exported_program,
            node.graph,
            f"{node.name}_table",
            InputKind.PARAMETER,
            table,
        )
    return DialectNodeSpec(EDGE.cortex_m.quantized_activation.default, (node.args[0], constant))


_TABLES = {
    EDGE.aten.hardswish.default: torch.nn.functional.hardswish,
    EDGE.aten.hardsigmoid.default: torch.nn.functional.hardsigmoid,
}
# A subclass starts with no substitutions.
ToCortexM._DIALECT_SUBSTITUTIONS = {
    **AtenToCortexMPass._DIALECT_SUBSTITUTIONS,
    **dict.fromkeys(_TABLES, _activation_table),
    **RECURRENT,
}
# It goes by memory order: SettleLayouts does it when that is known.
del ToCortexM._DIALECT_SUBSTITUTIONS[EDGE.aten.constant_pad_nd.default]
