# SPDX-License-Identifier: BSD-3-Clause
"""ExecuTorch's Cortex-M passes, mended where they leave int8 tensors without a meaning.

Imports torch. The published passes remove the quantize/dequantize pairs around every operator that
the quantizer took, and then turn some of these operators into int8 ones. An operator they then
leave as it was computes with raw int8 values, whose scale is lost. It happens to

- a convolution, linear layer or addition, and the activation after it, whose range is shared with
  other tensors (by a `cat`, say) and so exceeds the activation's: fused here all the same, by
  narrowing the limits that the operator clamps to, which every such operator has;
- a hardswish that does not follow a convolution or linear layer: a table here, as sigmoid is.

Besides, cortex_m::minimum and maximum of two images came out in NCHW order, which pools and
convolutions refuse, and padding takes for another one; and attention could not be lowered at all.
"""

from __future__ import annotations

from typing import Any

import torch
from executorch.backends.arm._passes import FoldAndAnnotateQParamsPass
from executorch.backends.cortex_m.passes.activation_fusion_pass import ActivationFusionPass
from executorch.backends.cortex_m.passes.aten_to_cortex_m_pass import AtenToCortexMPass
from executorch.backends.cortex_m.passes.cortex_m_pass_manager import CortexMPassManager
from executorch.backends.cortex_m.passes.passes_utils import get_activation_bounds, quantize_val
from executorch.backends.cortex_m.passes.replace_quant_nodes_pass import ReplaceQuantNodesPass
from executorch.backends.transforms.aten_to_dialect_pass import DialectNodeSpec
from executorch.backends.transforms.replace_scalar_with_tensor import (
    ReplaceScalarWithTensorArgPass,
)
from executorch.backends.transforms.utils import create_constant_placeholder
from executorch.exir.dialects._ops import ops as exir_ops
from executorch.exir.pass_base import ExportPass
from torch.export.graph_signature import InputKind

_EDGE = exir_ops.edge


def lowering_passes() -> list[Any]:
    """Return the classes of the Cortex-M passes, in order."""
    _keep_memory_order()
    mended = {ActivationFusionPass: FuseActivations, AtenToCortexMPass: ToCortexM}
    passes = [mended.get(each, each) for each in CortexMPassManager.legacy_pass_list]
    # These two trace the program again. Between folding and ToCortexM that fails where a linear
    # layer meets another tensor in a bmm: its int32 bias makes it int32 there.
    passes.remove(ReplaceScalarWithTensorArgPass)
    passes.remove(ReplaceQuantNodesPass)
    folding = passes.index(FoldAndAnnotateQParamsPass)
    return [
        *passes[:folding],
        ReplaceScalarWithTensorArgPass,
        *passes[folding:],
        ReplaceQuantNodesPass,
        ChannelsLastImages,
    ]


class FuseActivations(ActivationFusionPass):  # type: ignore[misc]  # the wheel has no types
    """Fuses relu, hardtanh, clamp and hardsigmoid whatever the output's range is."""

    def _get_validated_qparams(self, node: Any, input_node: Any) -> dict[str, Any] | None:
        usual: dict[str, Any] | None = super()._get_validated_qparams(node, input_node)
        bounds = get_activation_bounds(node)
        if (
            usual is not None
            or bounds is None
            or input_node.target in self.MAX_POOL_OPS
            or "input_qparams" not in input_node.meta
        ):
            return usual
        output = node.meta["output_qparams"][0]
        if output.per_channel:
            return None

        def limit(value: float | None, otherwise: int) -> int:
            if value is None:
                return otherwise
            return int(quantize_val(value, output.scale, output.zp, output.qmin, output.qmax))

        low, high = limit(bounds[0], output.qmin), limit(bounds[1], output.qmax)
        return {**output._asdict(), "qmin": low, "qmax": high}


class ToCortexM(AtenToCortexMPass):  # type: ignore[misc]
    """Has a table for the activations that nothing before it has fused."""


_IMAGE_OPERATORS = frozenset(
    getattr(_EDGE.cortex_m, name).default
    for name in (
        "quantized_conv2d",
        "quantized_depthwise_conv2d",
        "quantized_transpose_conv2d",
        "quantized_avg_pool2d",
        "quantized_max_pool2d",
    )
)
_NHWC = [0, 2, 3, 1]


class ChannelsLastImages(ExportPass):  # type: ignore[misc]
    """Copies an image into N, H, W, C order where an operator needs it and memory has another.

    A slice of channels, say, comes out contiguous, and so does what is computed from it.
    """

    def call_operator(self, op: Any, args: tuple[Any, ...], kwargs: Any, meta: Any) -> Any:
        if op in _IMAGE_OPERATORS and not _is_channels_last(args[0].data):
            copy = super().call_operator(
                _EDGE.dim_order_ops._clone_dim_order.default,
                (args[0],),
                {"dim_order": _NHWC},
                meta,
            )
            args = (copy, *args[1:])
        return super().call_operator(op, args, kwargs, meta)


def _is_channels_last(image: torch.Tensor) -> bool:
    """Whether memory is in the order N, H, W, C; an axis of one element is anywhere."""
    steps = [image.stride(axis) for axis in _NHWC if image.shape[axis] > 1]
    return steps == sorted(steps, reverse=True)


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
    return DialectNodeSpec(_EDGE.cortex_m.quantized_activation.default, (node.args[0], constant))


_TABLES = {
    _EDGE.aten.hardswish.default: torch.nn.functional.hardswish,
    _EDGE.aten.hardsigmoid.default: torch.nn.functional.hardsigmoid,
}

# A subclass starts with no substitutions.
ToCortexM._DIALECT_SUBSTITUTIONS = {
    **AtenToCortexMPass._DIALECT_SUBSTITUTIONS,
    **dict.fromkeys(_TABLES, _activation_table),
}


def _keep_memory_order() -> None:
    """Let minimum and maximum give what torch gives: channels-last for channels-last images."""

    def minimum(self: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.empty_like(torch.minimum(self, other))

    def maximum(self: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.empty_like(torch.maximum(self, other))

    torch.library.register_fake("cortex_m::minimum", minimum)
    torch.library.register_fake("cortex_m::maximum", maximum)
