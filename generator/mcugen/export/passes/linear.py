# SPDX-License-Identifier: BSD-3-Clause
"""Linear layers whose weights have a scale per output: mcugen::quantized_linear.

cortex_m::quantized_linear takes a multiplier per output, too, but as numbers of the program: on the
device each takes 24 B of RAM. Here they are constants.
"""

from __future__ import annotations

from typing import Any

import torch
from executorch.backends.cortex_m.passes.aten_to_cortex_m_pass import AtenToCortexMPass
from executorch.backends.cortex_m.passes.passes_utils import quantize_multiplier_aot
from executorch.backends.transforms.aten_to_dialect_pass import DialectNodeSpec

from mcugen.export.passes.constants import constant_of
from mcugen.export.passes.edge import EDGE

_PUBLISHED = AtenToCortexMPass._DIALECT_SUBSTITUTIONS[EDGE.aten.linear.default]
#: Positions of the arguments in both.
_MULTIPLIERS, _SHIFTS = 7, 8


def quantized_linear(node: Any, to_cortex_m: Any) -> Any:
    """Return the int8 operator for a linear layer; None for one in float."""
    qparams = node.meta.get("input_qparams") or {}
    if 1 not in qparams or not isinstance(qparams[1].scale, (list, tuple)):
        return _PUBLISHED(node, to_cortex_m)
    source, weight, result = qparams[0], qparams[1], node.meta["output_qparams"][0]
    if any(weight.zp):
        raise NotImplementedError("quantized_linear takes weights with a zero point of 0")
    pairs = [quantize_multiplier_aot(source.scale * each / result.scale) for each in weight.scale]
    one = weight._replace(scale=weight.scale[0], zp=0, per_channel=False)
    node.meta["input_qparams"] = {**qparams, 1: one}
    args = list(_PUBLISHED(node, to_cortex_m).args)
    for position, name, column in ((_MULTIPLIERS, "multipliers", 0), (_SHIFTS, "shifts", 1)):
        numbers = torch.tensor([pair[column] for pair in pairs], dtype=torch.int32)
        args[position] = constant_of(node, to_cortex_m, name, numbers)
    return DialectNodeSpec(EDGE.mcugen.quantized_linear.default, tuple(args))
