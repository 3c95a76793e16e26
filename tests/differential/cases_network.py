# SPDX-License-Identifier: BSD-3-Clause
"""Calls of the operators of firmware/ops/network, layers in float, and of
quantized_decomposed.

Tolerances. Sums are added up in another order by the host runtime, so most inputs here are
multiples of 1/8 below 4 in size: products and sums of those are floats exactly, whatever the
order, and results must be equal. The others are from [-1, 1]: each side is off by at most
K * 2^-24 * (sum of the sizes of K products) <= K^2 * 2^-24, so they differ by twice that.
Normalisations: see `_norm`. Softmax: see `_softmax`. Copies, maxima and (de)quantization are exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from op_case import OpCase, Out, T

Rng = np.random.Generator

NHWC = (0, 2, 3, 1)
INTEGERS = ("int8", "uint8", "int32", "int64")


def _size(rng: Rng, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _chance(rng: Rng, probability: float) -> bool:
    return bool(rng.random() < probability)


def _pick(rng: Rng, values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


def _grid(rng: Rng, *shape: int) -> np.ndarray:
    """Multiples of 1/8."""
    return (rng.integers(-31, 32, shape) / 8).astype(np.float32)


def _fine(rng: Rng, *shape: int) -> np.ndarray:
    return rng.uniform(-1, 1, shape).astype(np.float32)


def _ints(rng: Rng, dtype: str, *shape: int) -> np.ndarray:
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def _floats(rng: Rng, depth: int) -> tuple[Callable[..., np.ndarray], float]:
    """A source of numbers, and the tolerance of sums of `depth` products of two of them."""
    if _chance(rng, 0.6):
        return _grid, 0.0
    return _fine, 2 * depth**2 * 2.0**-24


def _specials(rng: Rng, array: np.ndarray) -> np.ndarray:
    """Now and then put in an infinity or a NaN."""
    if array.size and _chance(rng, 0.1):
        array.reshape(-1)[rng.integers(array.size)] = _pick(rng, [np.inf, -np.inf, np.nan])
    return array


# -- convolution


def _convolution(rng: Rng) -> OpCase:
    one = _chance(rng, 0.25)
    transposed = _chance(rng, 0.4)
    groups = _pick(rng, [1, 1, 2, 3])
    group_in, group_out = _size(rng, 1, 3), _size(rng, 1, 3)
    channels, outs = groups * group_in, groups * group_out
    dims = 1 if one else 2
    kernel = [_size(rng, 1, 3) for _ in range(dims)]
    stride = [_size(rng, 1, 3) for _ in range(dims)]
    dilation = [_size(rng, 1, 2) for _ in range(dims)]
    # A transposed convolution's padding takes away; something must be left.
    reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    padding = [_size(rng, 0, min(2, r) if transposed else 2) for r in reach]
    spatial = [_size(rng, r + 1, r + 6) for r in reach]
    extra = [
        _size(rng, 0, max(s, d) - 1) if transposed else 0
        for s, d in zip(stride, dilation, strict=True)
    ]
    weights = [channels, group_out] if transposed else [outs, group_in]
    source, atol = _floats(rng, int(np.prod(kernel)) * group_in + 1)
    order = NHWC if not one and _chance(rng, 0.4) else None
    if transposed:  # the host runtime ignores the sizes of a channels-last transposed one
        order = None
    batch = _size(rng, 1, 2)
    bias = T(source(rng, outs)) if _chance(rng, 0.7) else None
    result = []
    for i in range(dims):
        if transposed:
            size = (spatial[i] - 1) * stride[i] - 2 * padding[i] + reach[i] + extra[i] + 1
        else:
            size = (spatial[i] + 2 * padding[i] - reach[i] - 1) // stride[i] + 1
        result.append(size)
    if min(result) < 1:
        return _convolution(rng)
    return OpCase(
        "aten::convolution.out",
        (
            T(source(rng, batch, channels, *spatial), order),
            T(source(rng, *weights, *kernel), order),
            bias,
            *(stride, padding, dilation, transposed, extra, groups),
        ),
        (Out("float32", (batch, outs, *result), order),),
        atol=atol,
    )


# -- products of matrices


def _numbers(rng: Rng, depth: int, dtype: str) -> tuple[Callable[..., np.ndarray], float]:
    if dtype != "float32":
        return (lambda rng, *shape: _ints(rng, dtype, *shape)), 0.0
    return _floats(rng, depth)


def _matrices(rng: Rng, kind: str, dtype: str) -> OpCase:
    rows, depth, columns = _size(rng, 0, 6), _size(rng, 1, 9), _size(rng, 1, 6)
    batch = [_size(rng, 1, 3)] if kind == "bmm" else []
    source, atol = _numbers(rng, depth + 1, dtype)
    matrices = (T(source(rng, *batch, rows, depth)), T(source(rng, *batch, depth, columns)))
    out = (Out(dtype, (*batch, rows, columns)),)
    if kind != "addmm":
        return OpCase(f"aten::{kind}.out", matrices, out, atol=atol)
    added = _pick(rng, [(rows, columns), (columns,), (1, columns), (rows, 1), (1,)])
    beta, alpha = _pick(rng, [(1, 1), (2, 3), (0, 1), (-1, 2)])
    if dtype == "float32" and _chance(rng, 0.5):
        beta, alpha = float(beta), alpha * 0.5
    return OpCase(
        "aten::addmm.out",
        (T(source(rng, *added)), *matrices, beta, alpha),
        out,
        atol=atol * 4,  # the factors are at most 3, and one more product each
    )


def _linear(rng: Rng, dtype: str) -> OpCase:
    lead = [_size(rng, 0, 3) for _ in range(_size(rng, 1, 3))]
    depth, columns = _size(rng, 1, 12), _size(rng, 1, 6)
    source, atol = _numbers(rng, depth + 1, dtype)
    bias = T(source(rng, columns)) if _chance(rng, 0.5) else None
    return OpCase(
        "aten::linear.out",
        (T(source(rng, *lead, depth)), T(source(rng, columns, depth)), bias),
        (Out(dtype, (*lead, columns)),),
        atol=atol,
    )


# -- normalisation


def _norm(rng: Rng) -> OpCase:
    """Each side rounds mean, scale and every step to float, and the host adds up in float, its
    variances as differences of squares too: results of size 1 to 30 within 2^-24 times the
    elements (at most 200) times the square of the mean (1) over the variance (about 1/3)."""
    kind = _pick(rng, ["no_training", "legit", "no_stats", "layer", "group"])
    atol = 3e-4
    channels = _pick(rng, [1, 2, 4, 6])
    shape = (_size(rng, 1, 3), channels, *(_size(rng, 2, 5) for _ in range(_size(rng, 1, 2))))
    data = _fine(rng, *shape) + np.float32(_pick(rng, [0, 0.5]))
    given = [T(_fine(rng, channels) + np.float32(1)) if _chance(rng, 0.7) else None for _ in "wb"]
    eps = _pick(rng, [1e-5, 1e-3, 0.1])
    if kind == "layer":
        normal = list(shape[-_size(rng, 1, len(shape)) :])
        lead = len(shape) - len(normal)
        given = [T(_fine(rng, *normal)) if _chance(rng, 0.7) else None for _ in "wb"]
        saved = Out("float32", (*shape[:lead], *(1 for _ in normal)))
        if int(np.prod(normal)) < 4:  # a variance near 0 makes all errors large
            return _norm(rng)
        args: tuple[Any, ...] = (T(data), normal, *given, eps)
        return OpCase(
            "aten::native_layer_norm.out", args, (Out("float32", shape), saved, saved), atol=atol
        )
    if kind == "group":
        groups = _pick(rng, [g for g in (1, 2, 3, 6) if channels % g == 0])
        pixels = int(np.prod(shape[2:]))
        if pixels * channels // groups < 4:
            return _norm(rng)
        args = (T(data), *given, shape[0], channels, pixels, groups, eps)
        saved = Out("float32", (shape[0], groups))
        return OpCase(
            "aten::native_group_norm.out", args, (Out("float32", shape), saved, saved), atol=atol
        )
    if kind == "no_stats":
        if shape[0] * int(np.prod(shape[2:])) < 4:
            return _norm(rng)
        saved = Out("float32", (channels,))
        return OpCase(
            "aten::_native_batch_norm_legit.no_stats_out",
            (T(data), *given, True, 0.1, eps),
            (Out("float32", shape), saved, saved),
            atol=atol,
        )
    stats = (T(_fine(rng, channels)), T(_fine(rng, channels) + np.float32(1.25)))
    saved = Out("float32", (0,))
    flag = () if kind == "no_training" else (False,)
    name = "_native_batch_norm_legit" + ("_no_training" if kind == "no_training" else "")
    return OpCase(
        f"aten::{name}.out",
        (T(data), *given, *stats, *flag, 0.1, eps),
        (Out("float32", shape), saved, saved),
        atol=2e-6,  # numbers below 16, four roundings on each side
    )


# -- softmax


def _softmax(rng: Rng) -> OpCase:
    """Each exponential is within 1 ulp on either side, the host's sum of n of them within n / 2,
    ours within 1, the division rounds. The logarithm: the same errors, but absolute, and the
    result's own ulp (values below 64)."""
    shape = tuple(_size(rng, 1, 6) for _ in range(_size(rng, 0, 4)))
    dim = 0 if not shape else _size(rng, -len(shape), len(shape) - 1)
    count = shape[dim] if shape else 1
    data = rng.normal(scale=_pick(rng, [0.5, 3, 15]), size=shape).astype(np.float32)
    if shape:  # the host runtime takes a NaN of rank 0 for any number
        data = _specials(rng, data)
    logarithm = _chance(rng, 0.5)
    return OpCase(
        f"aten::_{'log_' if logarithm else ''}softmax.out",
        (T(data), dim, False),
        (Out("float32", shape),),
        ulp=4 + count,
        atol=(count + 80) * 2.0**-24 if logarithm else 2.0**-126,
    )


# -- pools


def _images(rng: Rng, source: Callable[..., np.ndarray], layouts: bool) -> tuple[T, Any]:
    shape = [_size(rng, 1, 3), _size(rng, 5, 9), _size(rng, 5, 9)]  # dilated windows fit
    if _chance(rng, 0.25):
        return T(source(rng, *shape)), None
    order = NHWC if layouts and _chance(rng, 0.4) else None
    return T(source(rng, _size(rng, 1, 2), *shape), order), order


def _window(rng: Rng, dilated: bool) -> tuple[list[int], list[int], list[int], list[int]]:
    kernel = [_size(rng, 1, 3), _size(rng, 1, 3)]
    stride = _pick(rng, [[], [_size(rng, 1, 3), _size(rng, 1, 3)]])
    padding = [_size(rng, 0, k // 2) for k in kernel]
    # Dilated windows reach into the image wherever they start.
    dilation = [_size(rng, 1, 2) if dilated and p == 0 else 1 for p in padding]
    if min(kernel) == 3 and _chance(rng, 0.2):
        return [3], stride, [1], [1]
    return kernel, stride, padding, dilation


def _max_pool(rng: Rng, dtype: str) -> OpCase:
    if dtype == "float32":
        image, order = _images(rng, lambda rng, *s: _specials(rng, _fine(rng, *s)), True)
    else:
        image, order = _images(rng, lambda rng, *s: _ints(rng, dtype, *s), True)
    return OpCase(
        "aten::max_pool2d_with_indices.out",
        (image, *_window(rng, True), _chance(rng, 0.5)),
        (Out(dtype, None, order), Out("int64", None, order)),
    )


def _avg_pool(rng: Rng) -> OpCase:
    whole = _chance(rng, 0.2)
    small = (lambda rng, *s: rng.integers(-1000, 1000, s)) if whole else _fine
    image, _ = _images(rng, small, False)
    kernel, stride, padding, _ = _window(rng, False)
    divisor = _pick(rng, [None, None, 3, -2])
    return OpCase(
        "aten::avg_pool2d.out",
        (image, kernel, stride, padding, _chance(rng, 0.5), _chance(rng, 0.5), divisor),
        (Out("int64" if whole else "float32"),),
        atol=9 * 9 * 2.0**-23,  # nine pixels in another order
    )


def _adaptive(rng: Rng) -> OpCase:
    image, _ = _images(rng, _fine, False)
    sizes = [_size(rng, 1, 9), _size(rng, 1, 9)]
    return OpCase(
        "aten::_adaptive_avg_pool2d.out",
        (image, sizes),
        (Out("float32", (*image.array.shape[:-2], *sizes)),),
        atol=81 * 2.0**-23,  # the mean of at most 81 pixels below 1 in another order
    )


# -- resizing


def _upsample(rng: Rng) -> OpCase:
    bilinear = _chance(rng, 0.5)
    dtype = "float32" if bilinear else _pick(rng, ["float32", "int8", "uint8"])
    shape = (_size(rng, 1, 2), _size(rng, 2, 3), _size(rng, 2, 6), _size(rng, 2, 6))
    data = _fine(rng, *shape) if dtype == "float32" else _ints(rng, dtype, *shape)
    order = NHWC if dtype != "int8" and _chance(rng, 0.4) else None  # torch has no int8 NHWC
    if _chance(rng, 0.5):
        sizes: list[int] | None = [_size(rng, 2, 12), _size(rng, 2, 12)]
        factors = None
        result = sizes
    else:
        sizes = None
        factors = [_pick(rng, [1.0, 1.5, 2.0, 2.5, 3.0, 0.75]) for _ in range(2)]
        result = [int(size * factor) for size, factor in zip(shape[2:], factors, strict=True)]
    if min(result) < 2:  # then the host runtime takes the layouts for different ones
        return _upsample(rng)
    out = (Out(dtype, (*shape[:2], *result), order),)
    if bilinear:
        return OpCase(
            "aten::upsample_bilinear2d.vec_out",
            (T(data, order), sizes, _chance(rng, 0.5), factors),
            out,
            # Positions up to 12 are rounded a few times before the fraction is taken, and weigh
            # differences of up to 2; four roundings more.
            atol=12 * 4 * 2.0**-23,
        )
    return OpCase("aten::upsample_nearest2d.vec_out", (T(data, order), sizes, factors), out)


# -- the rest of the layers


def _embedding(rng: Rng) -> OpCase:
    rows, width = _size(rng, 1, 9), _size(rng, 1, 5)
    dtype = _pick(rng, ["float32", "float32", "int8", "int64"])
    weight = _fine(rng, rows, width) if dtype == "float32" else _ints(rng, dtype, rows, width)
    shape = [_size(rng, 1, 3) for _ in range(_size(rng, 0, 3))]
    indices = rng.integers(0, rows, shape).astype(_pick(rng, ["int64", "int32"]))
    return OpCase(
        "aten::embedding.out",
        (T(weight), T(np.asarray(indices)), _size(rng, -1, rows - 1), False, False),
        (Out(dtype, (*shape, width)),),
    )


def _dropout(rng: Rng) -> OpCase:
    shape = tuple(_size(rng, 1, 4) for _ in range(_size(rng, 0, 4)))
    data = np.asarray(_fine(rng, *shape))
    return OpCase(
        "aten::native_dropout.out",
        (T(data), float(rng.random()), False),
        (Out("float32", shape), Out("bool", shape)),
    )


# -- quantized_decomposed

QUANTIZED = {"uint8": 0, "int8": 1, "int16": 2, "int32": 3}


def _scale(rng: Rng) -> float:
    """One that is a float: the host runtime rounds it before it divides, the definition after."""
    return float(np.float32(10.0 ** rng.uniform(-4, 1)))


def _quantized(rng: Rng, kind: str, dtype: str, quantizing: bool) -> OpCase:
    shape = [_size(rng, 1, 5) for _ in range(_size(rng, 2 if kind == "token" else 1, 4))]
    limits = np.iinfo(dtype)
    low, high = int(limits.min), int(limits.max)
    if _chance(rng, 0.3):
        low, high = max(low, 1), min(high, 100)
    # The host subtracts zero points in 32 bits.
    near = 1000 if dtype == "int32" else high
    axis = _size(rng, 0, len(shape) - 1)
    count = {"channel": shape[axis], "token": int(np.prod(shape[:-1]))}.get(kind, 1)
    scales = [_scale(rng) for _ in range(count)]
    zero_points = [_size(rng, max(low, -near), min(high, near)) for _ in range(count)]
    order = (
        NHWC if len(shape) == 4 and kind in ("tensor", "channel") and _chance(rng, 0.3) else None
    )
    if quantizing:
        # Halves of steps, to be rounded to even, and what lies far out; below what the host's
        # conversion to int32 takes.
        steps = rng.integers(-300, 300, shape) / 2
        steps[rng.random(shape) < 0.2] *= 500
        per = np.array(scales)
        if kind == "channel":
            per = per.reshape([-1 if d == axis else 1 for d in range(len(shape))])
        elif kind == "token":
            per = per.reshape([*shape[:-1], 1])
        data = np.asarray((steps * per).astype(np.float32))
    else:
        # In 32 bits, differences stay inside them.
        spread = (low, high) if dtype != "int32" else (-(1 << 30), 1 << 30)
        data = rng.integers(spread[0], spread[1], shape, dtype, endpoint=True)
    parameter_shape = {"token": [*shape[:-1], 1]}.get(kind, [count])
    parameters: tuple[Any, ...] = (
        T(np.reshape(np.array(scales), parameter_shape)),
        T(np.reshape(np.array(zero_points, np.int64), parameter_shape)),
    )
    if kind == "tensor":
        parameters = (scales[0], zero_points[0])
    name = {"tensor": "tensor.out", "Tensor": "tensor.Tensor_out"}.get(kind, f"{kind}.out")
    args = (T(data, order), *parameters, *([axis] if kind == "channel" else []))
    args += (low, high, QUANTIZED[dtype])
    if not quantizing:
        args += (6,) if kind == "token" else (None,)
    return OpCase(
        f"quantized_decomposed::{'' if quantizing else 'de'}quantize_per_{name}",
        args,
        (Out(dtype if quantizing else "float32", tuple(shape), order),),
    )


def _quantized_embedding(rng: Rng) -> OpCase:
    """Zero points are whole numbers, so there is one rounding, in the product."""
    bits = _pick(rng, [8, 4, 2])
    rows = _size(rng, 1, 6)
    groups = _size(rng, 1, 3)
    columns = groups * _size(rng, 1, 2) * 4
    dtype = _pick(rng, ["int8", "uint8"]) if bits == 8 else "uint8"
    weight = _ints(rng, dtype, rows, columns * bits // 8)
    shape = _pick(rng, [(rows,), (rows, 1), (rows, groups)])
    scales = rng.uniform(0.01, 2, shape).astype(np.float32)
    zero_points = T(rng.integers(-8, 8, shape).astype(np.float32)) if _chance(rng, 0.5) else None
    indices = rng.integers(0, rows, [_size(rng, 1, 3) for _ in range(_size(rng, 1, 2))])
    limits = np.iinfo(dtype)
    low, high = (int(limits.min), int(limits.max)) if bits == 8 else {4: (-8, 7), 2: (-2, 1)}[bits]
    typed = _chance(rng, 0.4)
    return OpCase(
        f"quantized_decomposed::embedding_{'byte' if bits == 8 else f'{bits}bit'}."
        f"{'dtype_' if typed else ''}out",
        (T(weight), T(scales), zero_points, low, high, T(indices), *([6] if typed else [])),
        (Out("float32", (*indices.shape, columns)),),
    )


def cases(rng: Rng) -> Iterator[OpCase]:
    """Yield calls without end."""
    numbers = ("float32", "float32", *INTEGERS)
    kinds = ("tensor", "Tensor", "channel", "token")
    pools = itertools.cycle(numbers)
    linears = itertools.cycle(numbers)
    products = itertools.cycle(itertools.product(("mm", "bmm", "addmm"), numbers))
    conversions = itertools.cycle(itertools.product(kinds, QUANTIZED, (True, False)))
    while True:
        yield _convolution(rng)
        yield _max_pool(rng, next(pools))
        yield _matrices(rng, *next(products))
        yield _norm(rng)
        yield _quantized(rng, *next(conversions))
        yield _softmax(rng)
        yield _avg_pool(rng)
        yield _convolution(rng)
        yield _linear(rng, next(linears))
        yield _upsample(rng)
        yield _quantized(rng, *next(conversions))
        yield _embedding(rng)
        yield _quantized_embedding(rng)
        yield _norm(rng)
        yield _adaptive(rng)
        yield _quantized(rng, *next(conversions))
        yield _dropout(rng)
        yield _quantized_embedding(rng)
