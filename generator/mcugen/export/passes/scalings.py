# SPDX-License-Identifier: BSD-3-Clause
"""Scales that are too far apart for the device's fixed point."""

from __future__ import annotations

from typing import Any

from executorch.exir.pass_base import ExportPass
from torch.fx.passes.infra.pass_manager import PassResult

from mcugen.export.passes.edge import EDGE

#: kMinShift of firmware/kernels/requantize.h.
LEAST_SHIFT = -62
#: Where the shifts are among the arguments.
_SHIFTS = {
    EDGE.cortex_m.quantized_add.default: (3, 7, 10),
    EDGE.cortex_m.quantized_mul.default: (6,),
    EDGE.cortex_m.quantized_batch_matmul.default: (6,),
}


class LimitShifts(ExportPass):  # type: ignore[misc]  # the wheel has no types
    """Gives an operand the least shift there is where its scale asks for less.

    An int32 is less than half a step with either, so the result is the same: 0.
    """

    def call(self, graph_module: Any) -> Any:
        modified = False
        for node in graph_module.graph.nodes:
            for index in _SHIFTS.get(node.target, ()):
                if node.args[index] < LEAST_SHIFT:
                    node.update_arg(index, LEAST_SHIFT)
                    modified = True
        return PassResult(graph_module, modified)
