# SPDX-License-Identifier: BSD-3-Clause
"""What `cortex_m::*` operators must give, by the wheel's Python reference operators.

Where those cannot be the definition: average pooling and softmax are defined in integers
(DESIGN.md, section 6), dilation is written as zeros in the filter because torch does not dilate
integer convolutions, and a linear layer with a multiplier per channel is taken channel by channel
because the reference reads the first only.
"""

from __future__ import annotations

from typing import Any

import executorch.backends.cortex_m.passes  # noqa: F401 (registers the references)
import torch

from mcugen.program.artifact import DTYPES
from mcugen.program.planning.overlap import IN_PLACE
from mcugen.program.reference import elementwise, pools

_INTEGER = {
    "quantized_activation": elementwise.quantized_activation,
    "quantized_avg_pool2d": pools.quantized_avg_pool2d,
    "softmax": pools.softmax,
}


def compute(op: str, args: list[Any]) -> Any:
    """Return the operator's result, a tensor with logical shape."""
    op = {ours: name for name, ours in IN_PLACE.items()}.get(op, op)
    name = op.partition("::")[2].removesuffix(".out")
    if op == "mcugen::quantized_linear.out":
        # Ours has the multipliers as tensors, and is else the wheel's.
        args = [*args[:7], args[7].tolist(), args[8].tolist(), *args[9:]]
    if name.endswith("_nhwc"):
        args = [args[0].permute(0, 3, 1, 2), *args[1:]]
        return _compute(name.removesuffix("_nhwc"), args).permute(0, 2, 3, 1)
    return _compute(name, args)


def _compute(name: str, args: list[Any]) -> Any:
    if name in _INTEGER:
        return _INTEGER[name](*args)
    function = getattr(torch.ops.cortex_m, name)
    if name in ("quantized_conv2d", "quantized_depthwise_conv2d"):
        args = [*args]
        args[1] = _dilated(args[1], args[5])
        args[5] = [1, 1]
    if name == "quantized_linear" and len(args[7]) > 1:
        return _linear_per_channel(function, args)
    if name in ("quantize_per_tensor", "dequantize_per_tensor"):
        args = [*args[:5], getattr(torch, DTYPES[args[5]][0])]
    return function(*args)


def _dilated(weights: Any, dilation: list[int]) -> Any:
    """[., h, w, .] with zeros between the taps."""
    height, width = ((weights.shape[axis] - 1) * dilation[axis - 1] + 1 for axis in (1, 2))
    spread = weights.new_zeros(weights.shape[0], height, width, weights.shape[3])
    spread[:, :: dilation[0], :: dilation[1]] = weights
    return spread


def _linear_per_channel(function: Any, args: list[Any]) -> Any:
    columns = []
    for channel, (multiplier, shift) in enumerate(zip(args[7], args[8], strict=True)):
        one = [*args]
        one[1] = args[1][channel : channel + 1]
        one[2] = None if args[2] is None else args[2][channel : channel + 1]
        one[3] = None if args[3] is None else args[3].reshape(1, -1)[:, channel : channel + 1]
        one[7], one[8] = [multiplier], [shift]
        columns.append(function(*one))
    return torch.cat(columns, -1)
