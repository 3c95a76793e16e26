# SPDX-License-Identifier: BSD-3-Clause
"""Depthwise convolutions of one input channel, which are convolutions like any other.

The exporter takes a layer with one input channel for a depthwise one. As a convolution its weights
lie channel by channel, as the loops read them.
"""

from __future__ import annotations

import numpy as np

from mcugen.program.packing.edit import Call, Method

_NAMES = {
    "cortex_m::quantized_depthwise_conv2d.out": "cortex_m::quantized_conv2d.out",
    "cortex_m::quantized_depthwise_conv2d_nhwc.out": "cortex_m::quantized_conv2d_nhwc.out",
}
_SAME = (
    *("stride", "padding", "dilation", "input_offset", "output_offset"),
    *("requantize_multipliers", "requantize_shifts", "activation_min", "activation_max", "scratch"),
)


def restore_stems(method: Method) -> int:
    """Rewrite them; return how many there were."""
    return sum(_restore(call) for call in method.calls() if call.name in _NAMES)


def _restore(call: Call) -> bool:
    weights = call.constant("weight")  # [1, kernel_h, kernel_w, out_ch]
    if weights is None or weights.ndim != 4 or not call.is_static:
        return False
    if call.integer("depth_multiplier") != weights.shape[3] or weights.shape[3] < 2:
        return False
    by_channel = np.ascontiguousarray(weights.transpose(3, 1, 2, 0))
    arguments = [call.index("input"), call.method.add_constant(by_channel), call.index("bias")]
    call.becomes(_NAMES[call.name], [*arguments, *(call.index(name) for name in _SAME)])
    return True
