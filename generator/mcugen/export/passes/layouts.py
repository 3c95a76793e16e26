# SPDX-License-Identifier: BSD-3-Clause
"""Copies where an operator of the device wants another memory order than its input has."""

from __future__ import annotations

from typing import Any

import torch
from executorch.backends.cortex_m.passes.passes_utils import (
    is_channels_last,
    quantize_val,
    to_physical_order,
)
from executorch.exir.pass_base import ExportPass

from mcugen.export.passes.edge import EDGE
from mcugen.export.passes.norms import IMAGE_NORM, PLAIN_NORM
from mcugen.export.passes.recurrent import PLAIN_RECURRENT

#: Images in the order N, H, W, C.
_IMAGE_OPERATORS = frozenset(
    getattr(EDGE.cortex_m, name).default
    for name in (
        "quantized_conv2d",
        "quantized_depthwise_conv2d",
        "quantized_transpose_conv2d",
        "quantized_avg_pool2d",
        "quantized_max_pool2d",
        "pad",  # that of an average: SettleLayouts makes the others itself
    )
) | {IMAGE_NORM}
#: Operands in the order of their axes. A view is none on the device: the exporter gives the same
#: bytes another shape, and writes down that they lie in the order of its axes.
_PLAIN_OPERATORS = {
    EDGE.aten.view_copy.default: (0,),
    EDGE.cortex_m.quantized_linear.default: (0,),
    EDGE.mcugen.quantized_linear.default: (0,),
    EDGE.cortex_m.quantized_batch_matmul.default: (0, 2),
    PLAIN_NORM: (0,),
    **PLAIN_RECURRENT,
}
_CLONE = EDGE.dim_order_ops._clone_dim_order.default
_NHWC = (0, 2, 3, 1)


class SettleLayouts(ExportPass):  # type: ignore[misc]  # the wheel has no types
    """Copies an operand into the order that its operator takes, wherever memory has another.

    This is the last pass that traces: what the exporter writes as the order of a tensor's bytes is
    the order seen here.
    """

    def call_operator(self, op: Any, args: tuple[Any, ...], kwargs: Any, meta: Any) -> Any:
        if op in _IMAGE_OPERATORS:
            args = (self._ordered(args[0], _NHWC, meta), *args[1:])
        elif op in _PLAIN_OPERATORS:
            changed = list(args)
            for index in _PLAIN_OPERATORS[op]:
                rank = args[index].data.dim()
                changed[index] = self._ordered(args[index], tuple(range(rank)), meta)
            args = tuple(changed)
        elif op == EDGE.aten.constant_pad_nd.default and meta.data.get("input_qparams"):
            op, args = self._pad(args, meta)
        return super().call_operator(op, args, kwargs, meta)

    def _ordered(self, source: Any, order: tuple[int, ...], meta: Any) -> Any:
        if lies_as(source.data, order):
            return source
        return super().call_operator(_CLONE, (source,), {"dim_order": list(order)}, meta)

    def _pad(self, args: tuple[Any, ...], meta: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return the int8 form of a padding.

        Its amounts go by memory, so they are settled only here. The exporter's operator has four
        axes; there is another for more.
        """
        source, padding = args[0], list(args[1])
        qparams = meta.data["input_qparams"][0]
        number = args[2] if len(args) > 2 else 0
        value = int(quantize_val(number, qparams.scale, qparams.zp, qparams.qmin, qparams.qmax))
        if source.data.dim() > 4:
            return EDGE.aten.constant_pad_nd.default, (source, padding, value)
        padding += [0] * (8 - len(padding))
        before, after = ([padding[2 * (3 - axis) + end] for axis in range(4)] for end in (0, 1))
        if source.data.dim() == 4:
            order = _NHWC if is_channels_last(source.data) else (0, 1, 2, 3)
            source = self._ordered(source, order, meta)
        before, after = (to_physical_order(each, source.data) for each in (before, after))
        return EDGE.cortex_m.pad.default, (source, before, after, value)


def lies_as(value: torch.Tensor, order: tuple[int, ...]) -> bool:
    """Whether memory is in this order of axes; an axis of one element is anywhere."""
    steps = [value.stride(axis) for axis in order if value.shape[axis] > 1]
    return steps == sorted(steps, reverse=True)


def mend_results() -> None:
    """Let additions, products, minimum and maximum give the shape and memory order torch gives.

    The published ones of minimum and maximum are in the order of the axes whatever the inputs are,
    and the others' are refused for shapes that broadcast in another way than per channel.
    """

    def result(operation: Any, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return torch.empty_like(operation(left, right))

    def minimum(self: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return result(torch.minimum, self, other)

    def maximum(self: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return result(torch.maximum, self, other)

    def add(self: torch.Tensor, _: int, __: int, ___: int, other: torch.Tensor, *____: int) -> Any:
        return result(torch.minimum, self, other)

    def multiply(self: torch.Tensor, _: int, other: torch.Tensor, *__: int) -> torch.Tensor:
        return result(torch.minimum, self, other)

    torch.library.register_fake("cortex_m::minimum", minimum)
    torch.library.register_fake("cortex_m::maximum", maximum)
    torch.library.register_fake("cortex_m::quantized_add", add)
    torch.library.register_fake("cortex_m::quantized_mul", multiply)
