# SPDX-License-Identifier: BSD-3-Clause
"""Bounds of int8 activations in quantized units."""

from __future__ import annotations

from typing import Any

import torch
from executorch.backends.cortex_m.passes.quantized_clamp_activation_pass import (
    QuantizedClampActivationPass,
)
from torch.fx.passes.infra.pass_base import PassResult

from mcugen.export.passes.edge import EDGE


class ClampActivations(QuantizedClampActivationPass):  # type: ignore[misc]
    """Quantizes the bounds of relu, hardtanh and clamp wherever the tensor is quantized.

    Asks the quantization parameters for that. The traced type does not tell: a linear layer's int32
    bias makes all behind it int32 until the layer becomes an operator of the device. Nor is the
    program traced again, which fails where such a tensor meets another one in a bmm.
    """

    def call(self, graph_module: Any) -> PassResult:
        """Replace the operators whose bounds are known."""
        modified = False
        for node in graph_module.graph.nodes:
            if node.op != "call_function" or node.target not in self.TARGETS:
                continue
            if not self._is_quantized_int8_activation(node):
                continue
            bounds = self._get_quantized_bounds(node, node.meta["output_qparams"][0]._asdict())
            if bounds is not None:
                node.target = EDGE.aten.clamp.default
                node.args = (node.args[0], *bounds)
                node.kwargs = {}
                modified = True
        graph_module.recompile()
        return PassResult(graph_module, modified)

    def _is_quantized_int8_activation(self, node: Any) -> bool:
        qparams = node.meta.get("output_qparams")
        if not node.meta.get("input_qparams") or not qparams:
            return False
        first = next(iter(qparams.values()))
        return first.dtype is torch.int8 and not first.per_channel
