# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions without the taps that lie beside the image in every window.

A 3x3 kernel with padding 1 on an image of one pixel reads eight taps of padding and one of the
image; on a signal as an image of one row, six of nine. Padding adds nothing to a sum.
"""

from __future__ import annotations

import numpy as np

from mcugen.program.packing.edit import Call, Method

_NAMES = (
    *("cortex_m::quantized_conv2d.out", "cortex_m::quantized_conv2d_nhwc.out"),
    "cortex_m::quantized_depthwise_conv2d.out",
    "cortex_m::quantized_depthwise_conv2d_nhwc.out",
)


def trim_windows(method: Method) -> int:
    """Leave such taps out of the weights; return of how many convolutions."""
    return sum(_trim(call) for call in method.calls() if call.name in _NAMES)


def _trim(call: Call) -> bool:
    weights = call.constant("weight")  # [out_ch or 1, kernel_h, kernel_w, channels]
    if weights is None or weights.ndim != 4 or not call.is_static:
        return False
    first = 1 if "_nhwc" in call.name else 2
    image, out = (call.sizes(name)[first : first + 2] for name in ("input", "out"))
    stride, padding, dilation = (call.ints(name) for name in ("stride", "padding", "dilation"))
    axes = [
        live_taps(image[i], out[i], weights.shape[1 + i], stride[i], padding[i], dilation[i])
        for i in range(2)
    ]
    kept = weights[:, axes[0].start : axes[0].stop, axes[1].start : axes[1].stop]
    if kept.shape == weights.shape:
        return False
    left = [padding[i] - axes[i].start * dilation[i] for i in range(2)]
    call.replace("weight", call.method.add_constant(np.ascontiguousarray(kept)))
    call.replace("padding", call.method.add_numbers(left))
    return True


def live_taps(image: int, out: int, kernel: int, stride: int, padding: int, dilation: int) -> range:
    """Return the taps along an axis without those at its ends that no window has in the image.

    All, where what is left could not be said as a convolution with equal padding at both ends, or
    where no tap ever is in the image.
    """

    def is_live(tap: int) -> bool:
        places = (at * stride - padding + tap * dilation for at in range(out))
        return any(0 <= place < image for place in places)

    live = [tap for tap in range(kernel) if is_live(tap)]
    if not live:
        return range(kernel)
    for begin, end in (
        (live[0], live[-1] + 1),
        (live[0], kernel),
        (0, live[-1] + 1),
    ):
        left = padding - begin * dilation
        room = image + 2 * left - dilation * (end - begin - 1) - 1
        if left >= 0 and room >= 0 and room // stride + 1 == out:
            return range(begin, end)
    return range(kernel)
