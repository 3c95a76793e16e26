# SPDX-License-Identifier: BSD-3-Clause
"""Turn what is left of ATen into Cortex-M operators: activations by table."""

from __future__ import annotations

from typing import Any

from executorch.backends.cortex_m.passes.aten_to_cortex_m_pass import AtenToCortexMPass
from executorch.backends.transforms.aten_to_dialect_pass import DialectNodeSpec

from mcugen.export.curve import table, written
from mcugen.export.passes.constants import constant_of
from mcugen.export.passes.edge import EDGE
from mcugen.export.passes.linear import quantized_linear
from mcugen.export.passes.norms import NORMS
from mcugen.export.passes.recurrent import RECURRENT


class ToCortexM(AtenToCortexMPass):  # type: ignore[misc]
    """Has a table for the activations that nothing before it has fused."""


def _activation_table(node: Any, to_cortex_m: Any) -> Any:
    """Replace a unary operator by cortex_m::quantized_activation."""
    if not node.meta.get("input_qparams") or not node.meta.get("output_qparams"):
        return None
    source, result = node.meta["input_qparams"][0], node.meta["output_qparams"][0]
    steps = _STEPS.get(node.target) or node.args[1]
    constant = constant_of(node, to_cortex_m, "table", table(steps, source, result))
    return DialectNodeSpec(EDGE.cortex_m.quantized_activation.default, (node.args[0], constant))


_STEPS = {
    getattr(EDGE.aten, name).default: written(
        [{"op": f"aten.{name}.default", "args": [{"of": -1}], "kwargs": {}}]
    )
    for name in ("hardswish", "hardsigmoid")
}
# A subclass starts with no substitutions.
ToCortexM._DIALECT_SUBSTITUTIONS = {
    **AtenToCortexMPass._DIALECT_SUBSTITUTIONS,
    EDGE.aten.linear.default: quantized_linear,
    **dict.fromkeys((*_STEPS, EDGE.mcugen.curve.default), _activation_table),
    **NORMS,
    **RECURRENT,
}
# It goes by memory order: SettleLayouts does it when that is known.
del ToCortexM._DIALECT_SUBSTITUTIONS[EDGE.aten.constant_pad_nd.default]
