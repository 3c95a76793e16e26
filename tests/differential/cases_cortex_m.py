# SPDX-License-Identifier: BSD-3-Clause
"""Random calls of all `cortex_m::*` operators; results are integers, or float32 by one rounding
each (dequantize): always exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from op_case import OpCase, Out, T

from mcugen.program.planning.overlap import IN_PLACE

NHWC = (0, 2, 3, 1)


def cases(rng: np.random.Generator) -> Iterator[OpCase]:
    """Yield calls without end, each operator in turn."""
    while True:
        for make in MAKERS:
            yield make(rng)


# -- pieces


def _int(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _pick(rng: np.random.Generator, *options: object) -> object:
    return options[int(rng.integers(len(options)))]


def _zero_point(rng: np.random.Generator) -> int:
    return _int(rng, -128, 127) if rng.random() < 0.6 else [-128, 0, 127][_int(rng, 0, 2)]


def _int8s(rng: np.random.Generator, *shape: int) -> np.ndarray:
    values = rng.integers(-128, 128, shape, dtype=np.int8)
    extreme = rng.random(shape) < 0.1
    return np.where(extreme, rng.choice(np.array([-128, 127], np.int8), shape), values)


def _activation(rng: np.random.Generator) -> tuple[int, int]:
    if rng.random() < 0.5:
        return -128, 127
    low, high = sorted((_int(rng, -128, 127), _int(rng, -128, 127)))
    return low, high


def _scaling(rng: np.random.Generator, channels: int, taps: int) -> tuple[np.ndarray, np.ndarray]:
    """Multipliers and shifts that keep most results in range; a sum of n products of int8 has about
    13 + log2(n) / 2 bits. Among them any shift and the ends of the multipliers.
    """
    multipliers = rng.integers(1 << 30, 1 << 31, channels, dtype=np.int64).astype(np.int32)
    shifts = (rng.integers(-9, -4, channels) - int(math.log2(max(taps, 1)) / 2)).astype(np.int32)
    odd = rng.random(channels) < 0.15
    shifts = np.where(odd, rng.integers(-31, 1, channels), shifts).astype(np.int32)
    ends = np.array([1 << 30, (1 << 31) - 1], np.int32)
    return np.where(rng.random(channels) < 0.1, rng.choice(ends, channels), multipliers), shifts


def _scratch(rng: np.random.Generator) -> T:
    """Working memory of any size, from too little for the fast kernels to plenty."""
    return T(np.zeros(_int(rng, 0, 40 if rng.random() < 0.2 else 6000), np.uint8))


def _order(rng: np.random.Generator, channels: int) -> tuple[int, ...]:
    # What the exporter may write for an image of one channel: NHWC by other strides.
    return (0, 2, 1, 3) if channels == 1 and rng.random() < 0.5 else NHWC


def _image(rng: np.random.Generator, array: np.ndarray, nhwc: bool) -> T:
    if nhwc:
        return T(array.transpose(0, 2, 3, 1))
    return T(array, _order(rng, array.shape[1]))


def _image_out(rng: np.random.Generator, nhwc: bool, channels: int) -> Out:
    return Out("int8", order=None if nhwc else _order(rng, channels))


def _name(name: str, nhwc: bool) -> str:
    return f"cortex_m::{name}{'_nhwc' if nhwc else ''}.out"


def _window(rng: np.random.Generator) -> tuple[list[int], ...]:
    """Kernel, stride, padding, dilation."""
    kernel = [_int(rng, 1, 5), _int(rng, 1, 5)] if rng.random() < 0.7 else [3, 3]
    stride = [_int(rng, 1, 3), _int(rng, 1, 3)]
    padding = [_int(rng, 0, kernel[0] // 2 + 1), _int(rng, 0, kernel[1] // 2 + 1)]
    dilation = [_int(rng, 1, 3), _int(rng, 1, 3)] if rng.random() < 0.3 else [1, 1]
    return kernel, stride, padding, dilation


def _extent(rng: np.random.Generator, kernel: int, padding: int, dilation: int) -> int:
    """A size of image on which at least one window fits."""
    least = max((kernel - 1) * dilation + 1 - 2 * padding, 1)
    return _int(rng, least, least + 6)


# -- convolutions


def _conv2d(nhwc: bool) -> Callable[[np.random.Generator], OpCase]:
    def make(rng: np.random.Generator) -> OpCase:
        kernel, stride, padding, dilation = _window(rng)
        height, width = map(lambda *a: _extent(rng, *a), kernel, padding, dilation)
        groups = 1 if rng.random() < 0.7 else _int(rng, 2, 4)
        in_ch = groups * _int(rng, 1, 9)
        out_ch = groups * _int(rng, 1, 9)
        image = _int8s(rng, _int(rng, 1, 2), in_ch, height, width)
        weights = _int8s(rng, out_ch, *kernel, in_ch // groups)
        bias = T(rng.integers(-20_000, 20_000, out_ch).astype(np.int32))
        multipliers, shifts = _scaling(rng, out_ch, weights[0].size)
        args = (
            *(_image(rng, image, nhwc), T(weights), bias if rng.random() < 0.7 else None),
            *(stride, padding, dilation, -_zero_point(rng), _zero_point(rng)),
            *(T(multipliers), T(shifts), *_activation(rng), _scratch(rng)),
        )
        return OpCase(_name("quantized_conv2d", nhwc), args, (_image_out(rng, nhwc, out_ch),))

    return make


def _depthwise(nhwc: bool) -> Callable[[np.random.Generator], OpCase]:
    def make(rng: np.random.Generator) -> OpCase:
        kernel, stride, padding, dilation = _window(rng)
        height, width = map(lambda *a: _extent(rng, *a), kernel, padding, dilation)
        in_ch, multiplier = _int(rng, 1, 18), _int(rng, 1, 3)
        out_ch = in_ch * multiplier
        image = _int8s(rng, _int(rng, 1, 2), in_ch, height, width)
        weights = _int8s(rng, 1, *kernel, out_ch)
        bias = T(rng.integers(-4_000, 4_000, out_ch).astype(np.int32))
        multipliers, shifts = _scaling(rng, out_ch, kernel[0] * kernel[1])
        args = (
            *(_image(rng, image, nhwc), T(weights), bias if rng.random() < 0.7 else None),
            *(stride, padding, dilation, multiplier, -_zero_point(rng), _zero_point(rng)),
            *(T(multipliers), T(shifts), *_activation(rng), _scratch(rng)),
        )
        return OpCase(
            _name("quantized_depthwise_conv2d", nhwc), args, (_image_out(rng, nhwc, out_ch),)
        )

    return make


def _in_place(maker: Callable[[np.random.Generator], OpCase]) -> Callable[..., OpCase]:
    """The same under the name by which the result may lie over the operand; here it does not."""

    def make(rng: np.random.Generator) -> OpCase:
        case = maker(rng)
        return replace(case, op=IN_PLACE[case.op])

    return make


def _transpose_conv2d(nhwc: bool) -> Callable[[np.random.Generator], OpCase]:
    def make(rng: np.random.Generator) -> OpCase:
        kernel, stride, _, dilation = _window(rng)
        padding = [_int(rng, 0, (size - 1) // 2) for size in kernel]
        extra = [
            _int(rng, 0, max(s, d) - 1) if rng.random() < 0.5 else 0
            for s, d in zip(stride, dilation, strict=True)
        ]
        in_ch, out_ch = _int(rng, 1, 8), _int(rng, 1, 8)
        image = _int8s(rng, _int(rng, 1, 2), in_ch, _int(rng, 1, 5), _int(rng, 1, 5))
        weights = _int8s(rng, out_ch, *kernel, in_ch)
        bias = T(rng.integers(-4_000, 4_000, out_ch).astype(np.int32))
        multipliers, shifts = _scaling(rng, out_ch, weights[0].size)
        args = (
            *(_image(rng, image, nhwc), T(weights), bias if rng.random() < 0.7 else None),
            *(stride, padding, extra, dilation, -_zero_point(rng), _zero_point(rng)),
            *(T(multipliers), T(shifts), *_activation(rng), _scratch(rng), _scratch(rng)),
        )
        return OpCase(
            _name("quantized_transpose_conv2d", nhwc), args, (_image_out(rng, nhwc, out_ch),)
        )

    return make


# -- products


def _linear(rng: np.random.Generator) -> OpCase:
    in_ch, out_ch = _int(rng, 1, 70), _int(rng, 1, 20)
    lead = [_int(rng, 1, 3) for _ in range(_int(rng, 1, 2))]
    activations, weights = _int8s(rng, *lead, in_ch), _int8s(rng, out_ch, in_ch)
    offset, filter_offset = -_zero_point(rng), 0 if rng.random() < 0.8 else -_zero_point(rng)
    bias = rng.integers(-30_000, 30_000, out_ch).astype(np.int32)
    form = _pick(rng, "bias", "kernel_sum", "neither")
    kernel_sum = (weights.astype(np.int32) + filter_offset).sum(1, dtype=np.int32) * offset + bias
    channels = out_ch if rng.random() < 0.2 else 1
    multipliers, shifts = _scaling(rng, channels, in_ch)
    low, high = _activation(rng)
    args = (
        *(T(activations), T(weights), T(bias) if form == "bias" else None),
        T(kernel_sum.astype(np.int32)[None]) if form == "kernel_sum" else None,
        *(offset, filter_offset, _zero_point(rng), multipliers.tolist(), shifts.tolist()),
        *(high, low),  # in this order in the schema
    )
    note = "kernel_sum: a file for Helium" if form == "kernel_sum" else ""
    return OpCase("cortex_m::quantized_linear.out", args, (Out("int8"),), note=note)


def _linear_of_constants(rng: np.random.Generator) -> OpCase:
    case = _linear(rng)
    out_ch = case.args[1].array.shape[0]
    multipliers, shifts = _scaling(rng, out_ch, case.args[1].array.shape[1])
    args = (*case.args[:7], T(multipliers), T(shifts), *case.args[9:])
    return OpCase("mcugen::quantized_linear.out", args, case.outs, note=case.note)


def _batch_matmul(rng: np.random.Generator) -> OpCase:
    batch, rows, inner, columns = (_int(rng, 1, high) for high in (3, 6, 60, 9))
    multipliers, shifts = _scaling(rng, 1, inner)
    args = (
        # What the schema calls zero points of the factors are offsets, minus the zero point.
        *(T(_int8s(rng, batch, rows, inner)), -_zero_point(rng)),
        *(T(_int8s(rng, batch, columns, inner)), -_zero_point(rng), _zero_point(rng)),
        *(int(multipliers[0]), int(shifts[0]), _scratch(rng)),
    )
    return OpCase("cortex_m::quantized_batch_matmul.out", args, (Out("int8"),))


# -- element by element


def _shape(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(_int(rng, 1, 6) for _ in range(_int(rng, 1, 4)))


def _operand(rng: np.random.Generator, shape: tuple[int, ...]) -> T:
    return T(_int8s(rng, *shape), NHWC if len(shape) == 4 and rng.random() < 0.7 else None)


def _operands(rng: np.random.Generator, *, broadcast: bool = True) -> tuple[T, T, Out]:
    """Two tensors of one shape and layout, or an image and a value per channel: the only
    broadcasting that the exporter lets through.
    """
    if broadcast and rng.random() < 0.25:
        shape = (_int(rng, 1, 3), *(_int(rng, 2, 6) for _ in range(3)))
        image = T(_int8s(rng, *shape), NHWC)
        channels = T(_int8s(rng, 1, shape[1], 1, 1), NHWC)
        a, b = (image, channels) if rng.random() < 0.5 else (channels, image)
        return a, b, _like(image)
    a = _operand(rng, _shape(rng))
    return a, T(_int8s(rng, *a.array.shape), a.order), _like(a)


def _like(tensor: T) -> Out:
    return Out(tensor.array.dtype.name, order=tensor.order)  # the reference tells the shape


def _add(rng: np.random.Generator) -> OpCase:
    a, b, out = _operands(rng)

    def scale(low: int, high: int) -> tuple[int, int]:
        return _int(rng, 1 << 30, (1 << 31) - 1), _int(rng, low, high)

    sign = -1 if rng.random() < 0.2 else 1  # subtraction is addition with a negative multiplier
    multiplier, shift = scale(-3, 0)
    args = (
        *(a, _zero_point(rng), *scale(-3, 0)),
        *(b, _zero_point(rng), sign * multiplier, shift),
        *(_zero_point(rng), *scale(-20, -17), *_activation(rng)),
    )
    return OpCase("cortex_m::quantized_add.out", args, (out,))


def _mul(rng: np.random.Generator) -> OpCase:
    a, b, out = _operands(rng)
    scale = (_int(rng, 1 << 30, (1 << 31) - 1), _int(rng, -12, -4))
    args = (a, _zero_point(rng), b, _zero_point(rng), _zero_point(rng), *scale)
    return OpCase("cortex_m::quantized_mul.out", args, (out,))


def _div(rng: np.random.Generator) -> OpCase:
    a, b, out = _operands(rng, broadcast=False)
    scale = float(2.0 ** rng.uniform(-8, 4))
    if rng.random() < 0.3:
        a, b = (
            T(rng.integers(-32768, 32768, t.array.shape).astype(np.int16), t.order) for t in (a, b)
        )
        out = _like(a)
    args = (a, _zero_point(rng), b, _zero_point(rng), _zero_point(rng), scale)
    return OpCase("cortex_m::quantized_div.out", args, (out,))


def _min_max(name: str) -> Callable[[np.random.Generator], OpCase]:
    def make(rng: np.random.Generator) -> OpCase:
        dtype = str(_pick(rng, "int8", "int32", "float32"))
        *tensors, out = _operands(rng)
        a, b = (T(tensor.array.astype(dtype), tensor.order) for tensor in tensors)
        if dtype == "float32" and a.array.size > 2:
            a.array.flat[1] = np.nan
        return OpCase(f"cortex_m::{name}.out", (a, b), (Out(dtype, order=out.order),))

    return make


def _activation_table(rng: np.random.Generator) -> OpCase:
    values = _operand(rng, _shape(rng))
    table = T(_int8s(rng, 256))
    return OpCase("cortex_m::quantized_activation.out", (values, table), (_like(values),))


def _softmax(rng: np.random.Generator) -> OpCase:
    values = _operand(rng, _shape(rng))
    dim = _int(rng, -values.array.ndim, values.array.ndim - 1)
    # As the exporter derives them from the input's scale: 26 fractional bits.
    real = min(float(2.0 ** rng.uniform(-12, 3)) * (1 << 26), float((1 << 31) - 1))
    mantissa, exponent = math.frexp(real)
    multiplier = min(round(mantissa * (1 << 31)), (1 << 31) - 1)
    diff_min = -math.floor(31 * 2.0**26 / 2.0**exponent)
    args = (values, dim, _zero_point(rng), -128, multiplier, exponent, diff_min)
    return OpCase("cortex_m::softmax.out", args, (_like(values),))


#: What quantize and dequantize take: name, ScalarType, limits.
INTEGERS = (("int8", 1, -128, 127), ("int16", 2, -32768, 32767))


def _quantize(rng: np.random.Generator) -> OpCase:
    like = _operand(rng, _shape(rng))
    dtype, code, low, high = INTEGERS[int(rng.random() < 0.3)]
    scale, zero_point = float(2.0 ** rng.uniform(-9, 2)), _zero_point(rng)
    steps = rng.integers(2 * low, 2 * high, like.array.shape) + [0.0, 0.5][_int(rng, 0, 1)]
    values = (steps * scale).astype(np.float32)
    if values.size > 3:
        values.flat[:3] = np.inf, -np.inf, -0.0
    args = (T(values, like.order), scale, zero_point, low, high, code)
    out = Out(dtype, order=like.order)
    return OpCase("cortex_m::quantize_per_tensor.out", args, (out,))


def _dequantize(rng: np.random.Generator) -> OpCase:
    like = _operand(rng, _shape(rng))
    dtype, code, low, high = INTEGERS[int(rng.random() < 0.3)]
    values = rng.integers(low, high, like.array.shape, endpoint=True).astype(dtype)
    args = (T(values, like.order), float(2.0 ** rng.uniform(-9, 2)), _zero_point(rng))
    out = Out("float32", order=like.order)
    return OpCase("cortex_m::dequantize_per_tensor.out", (*args, low, high, code), (out,))


# -- pools, padding, permuting


def _pool(name: str, nhwc: bool) -> Callable[[np.random.Generator], OpCase]:
    average = name == "quantized_avg_pool2d"

    def make(rng: np.random.Generator) -> OpCase:
        kernel = [_int(rng, 1, 5), _int(rng, 1, 5)]
        stride = [_int(rng, 1, 4), _int(rng, 1, 4)]
        padding = [_int(rng, 0, size // 2) for size in kernel]
        height, width = map(lambda *a: _extent(rng, *a, 1), kernel, padding)
        channels = _int(rng, 1, 18)
        image = _image(rng, _int8s(rng, _int(rng, 1, 2), channels, height, width), nhwc)
        zero_point = _zero_point(rng)
        rest: tuple[object, ...]
        if average:
            scale = (_int(rng, 1 << 30, (1 << 31) - 1), _int(rng, -8, 0))
            rest = (rng.random() < 0.3, zero_point, *scale, _scratch(rng))
        else:
            rest = ([1, 1], False, zero_point, zero_point, *_activation(rng))
        args = (image, kernel, stride, padding, *rest)
        return OpCase(_name(name, nhwc), args, (_image_out(rng, nhwc, channels),))

    return make


def _pad(rng: np.random.Generator) -> OpCase:
    """The lists are in memory order, padded in front to four."""
    rank = _int(rng, 1, 4)
    shape = tuple(_int(rng, 2, 6) for _ in range(rank))
    order = NHWC if rank == 4 and rng.random() < 0.7 else None
    pre, post = ([0] * (4 - rank) + [_int(rng, 0, 3) for _ in shape] for _ in range(2))
    args = (T(_int8s(rng, *shape), order), pre, post, _zero_point(rng))
    return OpCase("cortex_m::pad.out", args, (Out("int8", order=order),))


def _transpose(rng: np.random.Generator) -> OpCase:
    rank = _int(rng, 1, 4)
    values = _int8s(rng, *(_int(rng, 1, 6) for _ in range(rank)))
    dtype = ("int8", "int8", "int32", "float32")[_int(rng, 0, 3)]
    perm = [int(axis) - rank * int(rng.random() < 0.3) for axis in rng.permutation(rank)]
    return OpCase("cortex_m::transpose.out", (T(values.astype(dtype)), perm), (Out(dtype),))


MAKERS = (
    _conv2d(False),
    _conv2d(True),
    _depthwise(False),
    _depthwise(True),
    _in_place(_conv2d(False)),
    _in_place(_conv2d(True)),
    _in_place(_depthwise(False)),
    _in_place(_depthwise(True)),
    _transpose_conv2d(False),
    _transpose_conv2d(True),
    _linear,
    _linear_of_constants,
    _batch_matmul,
    _add,
    _mul,
    _div,
    _min_max("minimum"),
    _min_max("maximum"),
    _activation_table,
    _softmax,
    _quantize,
    _dequantize,
    _pool("quantized_avg_pool2d", False),
    _pool("quantized_avg_pool2d", True),
    _pool("quantized_max_pool2d", False),
    _pool("quantized_max_pool2d", True),
    _pad,
    _transpose,
)
