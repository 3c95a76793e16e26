# SPDX-License-Identifier: BSD-3-Clause
"""A convolution as the modules that pack its weights see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcugen.program import call_tensors
from mcugen.program.operator_table import operator
from mcugen.program.packing.edit import Call
from mcugen.program.window import Window

#: Operators that can be packed, by the name they have then.
NAMES = {
    f"{name}{layout}.out": f"mcugen::packed_conv2d{layout}.out"
    for name in ("cortex_m::quantized_conv2d", "mcugen::conv2d_in_place")
    for layout in ("", "_nhwc")
}


@dataclass(frozen=True)
class ConvLayer:
    """Shapes and constants; integers as int64."""

    window: Window
    weights: np.ndarray  #: [out_ch, kernel_h, kernel_w, in_ch]
    bias: np.ndarray  #: [out_ch]
    multipliers: np.ndarray
    shifts: np.ndarray
    input_zero_point: int
    output_zero_point: int
    activation_min: int

    @classmethod
    def of(cls, call: Call) -> ConvLayer | None:
        """Return a call's, None where one is known at run time only or there are groups."""
        if call.name not in NAMES or not call.is_static:
            return None
        read = call_tensors.Call(call.method.plan, operator(call.name), call.call.args)
        window = Window.of(read, depthwise=False)
        names = ("weight", "requantize_multipliers", "requantize_shifts")
        constants = [call.constant(name) for name in names]
        bias = np.zeros(window.out_ch) if call.is_none("bias") else call.constant("bias")
        if window.groups != 1 or bias is None or any(each is None for each in constants):
            return None
        weights, multipliers, shifts = (np.asarray(each, np.int64) for each in constants)
        return cls(
            window,
            weights,
            bias.reshape(-1).astype(np.int64),
            multipliers.reshape(-1),
            shifts.reshape(-1),
            -call.integer("input_offset"),
            call.integer("output_offset"),
            call.integer("activation_min"),
        )

    @property
    def most(self) -> np.ndarray:
        """The greatest value of each channel's sum, at most."""
        rows = self.weights.reshape(len(self.weights), -1, 1)
        ends = rows * (-128 - self.input_zero_point, 127 - self.input_zero_point)
        return np.asarray(ends.max(2).sum(1) + self.bias)

    @property
    def furthest(self) -> np.ndarray:
        """How far each channel's sum ends from zero, at most."""
        rows = self.weights.reshape(len(self.weights), -1, 1)
        ends = rows * (-128 - self.input_zero_point, 127 - self.input_zero_point)
        most = ends.max(2).sum(1) + np.maximum(self.bias, 0)
        least = ends.min(2).sum(1) + np.minimum(self.bias, 0)
        return np.maximum(most, -least)
