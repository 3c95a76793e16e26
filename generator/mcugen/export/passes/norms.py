# SPDX-License-Identifier: BSD-3-Clause
"""Norms by the statistics of each sample as operators on int8."""

from __future__ import annotations

import math
from typing import Any

import torch
from executorch.backends.transforms.aten_to_dialect_pass import DialectNodeSpec
from executorch.backends.transforms.utils import get_param_tensor

from mcugen.export.passes.constants import constant_of
from mcugen.export.passes.edge import EDGE
from mcugen.program.norm_limits import LEAST_SPREAD_BITS, MOST_EPSILON, most_spread_bits

_LAYER, _GROUP = EDGE.mcugen.layer_norm.default, EDGE.mcugen.group_norm.default
_INT32_MAX = 2**31 - 1
#: Most bits behind the point of factors and terms, in steps of the output.
_MOST_SHIFT = 30


def _layer_norm(node: Any, to_cortex_m: Any) -> Any:
    axes, subtract_mean, eps = node.args[3:]
    shape = node.meta["val"].shape
    count = math.prod(shape[len(shape) - axes :])
    own = (axes, subtract_mean, int(_qparams(node)[0].zp))
    return _quantized(node, to_cortex_m, "quantized_layer_norm", own, count, eps)


def _group_norm(node: Any, to_cortex_m: Any) -> Any:
    groups, eps = node.args[3:]
    count = math.prod(node.meta["val"].shape[1:]) // groups
    return _quantized(node, to_cortex_m, "quantized_group_norm", (groups,), count, eps)


def _quantized(
    node: Any, to_cortex_m: Any, name: str, own: tuple[Any, ...], count: int, eps: float
) -> Any:
    """Replace a norm of `count` elements together by its int8 form; own: arguments of this one."""
    source, result = _qparams(node)
    epsilon, spread_bits = epsilon_of(count, eps / source.scale**2)
    weight, bias, shift = _parameters(node, to_cortex_m, result.scale)
    constants = (
        constant_of(node, to_cortex_m, which, value)
        for which, value in (("weight", weight), ("bias", bias))
    )
    numbers = (epsilon, spread_bits, shift, int(result.zp), int(result.qmin), int(result.qmax))
    return DialectNodeSpec(
        getattr(EDGE.mcugen, name).default, (node.args[0], *constants, *own, *numbers)
    )


def _qparams(node: Any) -> tuple[Any, Any]:
    return node.meta["input_qparams"][0], node.meta["output_qparams"][0]


def epsilon_of(count: int, eps: float) -> tuple[int, int]:
    """Return the kernel's epsilon and spread_bits for groups of `count` elements.

    eps: in units of the squared scale of the input. As many bits behind the point as both the
    largest spread and epsilon leave room for (firmware/kernels/norm_s8.h).
    """
    real = count**2 * eps
    bits = most_spread_bits(count)
    if real > 0:
        bits = min(bits, math.floor((62 - math.log2(real)) / 2))
    bits = max(bits, LEAST_SPREAD_BITS)
    return min(round(real * 4.0**bits), MOST_EPSILON), bits


def _parameters(
    node: Any, to_cortex_m: Any, scale: float
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Return weight, bias, and how many bits they have behind the point, in steps of the output."""
    weight, bias = (
        torch.full((1,), otherwise, dtype=torch.float64)
        if argument is None
        else get_param_tensor(to_cortex_m.exported_program, argument)
        .to(torch.float64)
        .contiguous()
        .reshape(-1)
        for argument, otherwise in zip(node.args[1:3], (1.0, 0.0), strict=True)
    )
    weight, bias = (each.contiguous() / scale for each in torch.broadcast_tensors(weight, bias))
    largest = float(torch.maximum(weight.abs().max(), bias.abs().max()))
    shift = min(max(31 - math.frexp(largest)[1], 0), _MOST_SHIFT)
    fixed = [
        (each * 2.0**shift).round().clamp(-_INT32_MAX, _INT32_MAX).to(torch.int32)
        for each in (weight, bias)
    ]
    return fixed[0], fixed[1], shift


#: For ToCortexM.
NORMS = {_LAYER: _layer_norm, _GROUP: _group_norm}
#: For SettleLayouts: what takes images, and what is in the order of its axes.
IMAGE_NORM = EDGE.mcugen.quantized_group_norm.default
PLAIN_NORM = EDGE.mcugen.quantized_layer_norm.default
