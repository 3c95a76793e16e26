# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions with weights prepared ahead of time, where there is flash for them."""

from __future__ import annotations

import numpy as np

from mcugen.program.conv_words import ConvForm
from mcugen.program.packing import conv_dsp
from mcugen.program.packing.conv_layer import NAMES, ConvLayer
from mcugen.program.packing.edit import Call, Method

#: By form: what makes the words of a layer, or None where it cannot.
WORDS = {
    ConvForm.PAIRS: conv_dsp.pairs,
    ConvForm.WINOGRAD_2: conv_dsp.winograd_2,
}


def pack_conv(method: Method, form: ConvForm) -> int:
    """Rewrite the convolutions that can have a form; return how many."""
    count = 0
    for call in method.calls():
        layer = ConvLayer.of(call)
        words = None if layer is None else WORDS[form](layer)
        if layer is not None and words is not None:
            rewrite(call, form, layer, words)
            count += 1
    return count


def rewrite(call: Call, form: ConvForm, layer: ConvLayer, words: np.ndarray) -> None:
    """Make a call one of the packed operator."""
    method, w = call.method, layer.window
    same = ("stride", "padding", "dilation", "input_offset", "output_offset")
    arguments = [
        *(call.index("input"), method.add_constant(words), method.add_number(form)),
        *(call.index(name) for name in same),
        *(method.add_numbers([w.kernel_h, w.kernel_w]), method.add_number(w.groups)),
        *(call.index(name) for name in ("activation_min", "activation_max", "scratch")),
    ]
    call.becomes(NAMES[call.name], arguments)
