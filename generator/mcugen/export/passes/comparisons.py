# SPDX-License-Identifier: BSD-3-Clause
"""Comparisons of a quantized tensor with a number, in quantized units."""

from __future__ import annotations

from typing import Any

import torch
from executorch.exir.pass_base import ExportPass
from torch.fx.passes.infra.pass_manager import PassResult

from mcugen.export.passes.edge import EDGE

_COMPARE = {
    getattr(EDGE.aten, name).Scalar: getattr(torch, name)
    for name in ("eq", "ne", "lt", "le", "gt", "ge")
}


class QuantizeThresholds(ExportPass):  # type: ignore[misc]  # the wheel has no types
    """Replaces the number so that every int8 value compares as the real one it stands for does.

    The quantizer annotates these operators, and the number is left as it is beside raw values.
    """

    def call(self, graph_module: Any) -> Any:
        modified = False
        for node in graph_module.graph.nodes:
            if node.target in _COMPARE and node.meta.get("input_qparams"):
                qparams = node.meta["input_qparams"][0]
                number = threshold(_COMPARE[node.target], float(node.args[1]), qparams)
                node.update_arg(1, number)
                modified = True
        return PassResult(graph_module, modified)


def threshold(compare: Any, number: float, qparams: Any) -> float:
    """Return what to compare raw values with: between two of them, or one for (in)equality."""
    raw = torch.arange(qparams.qmin, qparams.qmax + 1)
    # As the device dequantizes.
    reals = (raw.to(torch.float32) - qparams.zp) * qparams.scale
    true = compare(reals, number)
    if compare in (torch.eq, torch.ne):
        equal = raw[true] if compare is torch.eq else raw[~true]
        # One at most; half a step beyond the last one equals none.
        return float(equal[0]) if len(equal) else qparams.qmax + 0.5
    if compare in (torch.gt, torch.ge):
        return qparams.qmax - int(true.sum()) + 0.5
    return qparams.qmin + int(true.sum()) - 0.5
