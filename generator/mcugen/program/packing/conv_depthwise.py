# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions and the depthwise one that alone reads their result, as one call.

What is between never lies in memory but for two channels at a time: firmware/kernels/
packed_conv_depthwise_s8.h. The words of both layers are made here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mcugen.program import call_tensors
from mcugen.program.conv_words import ConvDepthwise
from mcugen.program.copied import copied
from mcugen.program.memory import align_up
from mcugen.program.operator_table import operator, supported
from mcugen.program.packing.conv_dsp import halves, taps_in_order
from mcugen.program.packing.conv_layer import ConvLayer
from mcugen.program.packing.edit import Call, Method
from mcugen.program.values import (
    call_name,
    instructions,
    kernel_calls,
    list_items,
    tensor_bytes,
)
from mcugen.program.window import Window

_DEPTHWISE = {
    f"{name}{layout}.out": f"mcugen::packed_conv_depthwise{layout}.out"
    for name in ("cortex_m::quantized_depthwise_conv2d", "mcugen::depthwise_conv2d_in_place")
    for layout in ("", "_nhwc")
}
#: All results are shifted right by so many bits behind a product of 2 * 32; weights times 2**bits
#: to get there. With fewer bits a rounding is not exact, with more weights do not fit.
_SHIFT, _LEAST_BITS, _MOST_BITS = 13, 2, 8
_MOST_SUM = 1 << 31
_MOST_BETWEEN = 255
#: Uses of a value that one call reads: twice it is a result.
_ONCE = 3


class Rewritten(NamedTuple):
    """Instructions of which one does what two did, as they are numbered before."""

    first: int
    second: int  #: the one that does both
    gone: tuple[int, ...]  #: the first, and copies behind it


@dataclass(frozen=True)
class Joined:
    """Two calls that can be one."""

    first: Call
    copies: tuple[Call, ...]  #: between them
    second: Call
    sizes: ConvDepthwise
    words: np.ndarray
    rows: int  #: of the output at a time, for which there is room
    bordered: bool  #: and for the image with its border besides

    @property
    def constant_bytes(self) -> int:
        """What the constants take now of the depthwise convolution."""
        channels = self.sizes.conv.out_ch
        return 9 * channels + 12 * channels

    def rewrite(self) -> Rewritten:
        """Make the second call one of both. The others are left where they are, and have to go."""
        first, second, method = self.first, self.second, self.second.method
        w = self.sizes.conv
        arguments = [
            *(first.index("input"), method.add_constant(self.words)),
            method.add_number(self.sizes.stride),
            *(first.index(name) for name in ("stride", "padding", "dilation", "input_offset")),
            second.index("output_offset"),
            method.add_numbers([w.kernel_h, w.kernel_w]),
            second.index("padding"),
            *(second.index(name) for name in ("activation_min", "activation_max")),
            method.add_number(int(self.sizes.turned)),
            second.index("scratch"),
        ]
        second.becomes(_DEPTHWISE[second.name], arguments)
        places = {id(each): i for i, each in enumerate(instructions(method.plan))}
        gone = tuple(places[id(each.call)] for each in (first, *self.copies))
        return Rewritten(gone[0], places[id(second.call)], gone)


def joined_calls(method: Method, memory: int) -> dict[int, Joined]:
    """Return which calls can be one with the next, by the value of their result.

    For a method whose memory is planned anew: what the first reads must live until the second.
    memory: for what both work on and in.
    """
    plan = method.plan
    calls = [Call(method, each) for each in kernel_calls(plan) if _is_known(method, each)]
    if memory == 0 or len(calls) != len(instructions(plan)):
        return {}
    uses = _uses(method)
    found = {}
    for position, first in enumerate(calls):
        if not first.has("out"):
            continue
        result, copies = first.index("out"), list[Call]()
        for second in calls[position + 1 :]:
            if uses[result] != _ONCE:
                break
            if copied(plan, second.call) == result:
                copies.append(second)
                result = second.index("out")
                continue
            joined = _join(first, copies, second, memory)
            if joined is not None:
                found[first.index("out")] = joined
            break
    return found


def _is_known(method: Method, call: object) -> bool:
    return supported(call_name(method.plan, call))


def _uses(method: Method) -> Counter[int]:
    """Return how often each value is an argument, an entry of a list or an output."""
    plan = method.plan
    uses = Counter(index for call in kernel_calls(plan) for index in call.args)
    uses.update(index for each in plan.values for index in list_items(each.val))
    uses.update(plan.outputs)
    uses.update(plan.inputs)
    return uses


def _join(first: Call, copies: list[Call], second: Call, memory: int) -> Joined | None:
    source = (copies[-1] if copies else first).call.args[-1]
    if second.name not in _DEPTHWISE or second.index("input") != source:
        return None
    layer = ConvLayer.of(first)
    if layer is None or not second.is_static or ("_nhwc" in first.name) != ("_nhwc" in second.name):
        return None
    depthwise = DepthwiseLayer.of(second)
    if depthwise is None or first.integer("activation_max") != _MOST_BETWEEN - 128:
        return None
    w, d = layer.window, depthwise.window
    if (w.batch, w.out_h, w.out_w, w.out_ch) != (d.batch, d.in_h, d.in_w, d.in_ch):
        return None  # a copy that takes it for another image
    sizes = ConvDepthwise.quickest(w, d)
    if not sizes.is_for_planes:
        return None
    ends = (first.value("input"), second.value("out"))
    room = memory - sum(align_up(tensor_bytes(each)) for each in ends)
    rows = max((n for n in range(sizes.rows + 1) if sizes.scratch_bytes(n) <= room), default=0)
    if rows == 0 or room < sizes.scratch_need:
        return None
    bordered = 0 < sizes.border_bytes <= room - sizes.scratch_bytes(sizes.rows)
    words = words_of(layer, depthwise, turned=sizes.turned)
    if words is None:
        return None
    return Joined(first, tuple(copies), second, sizes, words, rows, bordered)


@dataclass(frozen=True)
class DepthwiseLayer:
    """Shapes and constants; integers as int64."""

    window: Window
    weights: np.ndarray  #: [channels, 3, 3]
    bias: np.ndarray  #: [channels]
    multipliers: np.ndarray
    shifts: np.ndarray
    input_zero_point: int
    output_zero_point: int
    activation_min: int

    @classmethod
    def of(cls, call: Call) -> DepthwiseLayer | None:
        """Return a call's, None where a constant is known at run time only or the shape another."""
        read = call_tensors.Call(call.method.plan, operator(call.name), call.call.args)
        window = Window.of(read, depthwise=True)
        weights, multipliers, shifts = (
            call.constant(name)
            for name in ("weight", "requantize_multipliers", "requantize_shifts")
        )
        bias = np.zeros(window.out_ch) if call.is_none("bias") else call.constant("bias")
        if bias is None or weights is None or multipliers is None or shifts is None:
            return None
        if window.out_ch != window.in_ch or (window.kernel_h, window.kernel_w) != (3, 3):
            return None
        return cls(
            window,
            weights[0].transpose(2, 0, 1).astype(np.int64),
            bias.reshape(-1).astype(np.int64),
            multipliers.reshape(-1).astype(np.int64),
            shifts.reshape(-1).astype(np.int64),
            -call.integer("input_offset"),
            call.integer("output_offset"),
            call.integer("activation_min"),
        )


def words_of(layer: ConvLayer, depthwise: DepthwiseLayer, *, turned: bool) -> np.ndarray | None:
    """Return the words of both, int32; None where one rounding of each is not exact."""
    between = layer.output_zero_point, layer.activation_min, depthwise.input_zero_point
    if between != (-128, -128, -128) or depthwise.output_zero_point > depthwise.activation_min:
        return None
    first = _scaled(
        taps_in_order(layer),
        *(layer.bias, layer.multipliers, layer.shifts, layer.furthest, layer.most, 0),
    )
    weights = depthwise.weights.reshape(-1, 9)
    most = depthwise.bias + _MOST_BETWEEN * weights.clip(min=0).sum(1)
    least = depthwise.bias + _MOST_BETWEEN * weights.clip(max=0).sum(1)
    second = _scaled(
        weights,
        *(depthwise.bias, depthwise.multipliers, depthwise.shifts),
        *(np.maximum(most, -least), most, depthwise.output_zero_point),
    )
    if first is None or second is None:
        return None
    taps, starts, scaling = first
    own, own_starts, own_scaling = second
    pairs = len(starts) // 2
    rows = own.reshape(-1, 3, 3)
    rows = rows.transpose(0, 2, 1) if turned else rows
    by_row = np.stack([_two(rows[..., :2]), _two(rows[..., 1:])], axis=2).reshape(-1, 6)
    nine = np.concatenate([by_row, own_starts[:, None], own_scaling], axis=1)
    laid = halves(taps.reshape(pairs, 2, -1)).transpose(0, 2, 3, 1)
    parts = (starts, laid, scaling, nine)
    row = np.concatenate([each.reshape(pairs, -1) for each in parts], axis=1)
    return (row.reshape(-1) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def _two(weights: np.ndarray) -> np.ndarray:
    return weights[..., 0] & 0xFFFF | (weights[..., 1] & 0xFFFF) << 16


def _scaled(
    weights: np.ndarray,
    bias: np.ndarray,
    multipliers: np.ndarray,
    shifts: np.ndarray,
    furthest: np.ndarray,
    most: np.ndarray,
    zero_point: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return weights and starts times 2**bits, and multipliers and offsets; None: not exact.

    furthest, most: how far each sum ends from zero, and its greatest value.
    """
    right = -shifts
    bits = _SHIFT - right
    # Of a channel that is next to nothing all results are the zero point.
    dead = (multipliers == 0) | (most <= 0)
    far = (right >= 1) & (right < 32) & ~dead
    rounded = most * multipliers + (1 << 30) + (1 << (30 + right.clip(1, 31)))
    dead |= far & (rounded >> (31 + right.clip(1, 31)) <= 0)
    inside = (bits >= _LEAST_BITS) & (bits <= _MOST_BITS) & (multipliers > 0)
    bits = bits.clip(_LEAST_BITS, _MOST_BITS)
    if not (dead | (inside & (furthest << bits < _MOST_SUM))).all():
        return None
    bits = np.where(dead, 0, bits)
    alive = ~dead
    offsets = np.where(dead, 0, (1 << bits) // 4 + (1 << _SHIFT - 2)) + (zero_point << _SHIFT - 1)
    return (
        np.where(alive[:, None], weights, 0) << bits[:, None],
        np.where(alive, bias, 0) << bits,
        np.stack([np.where(alive, multipliers, 0), offsets], axis=1),
    )
