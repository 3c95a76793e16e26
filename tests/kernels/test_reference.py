# SPDX-License-Identifier: BSD-3-Clause
"""Every operator against the Python reference operators of the executorch wheel: equal bytes.

Exceptions, each within one step of the reference and defined exactly elsewhere: average pooling
(integers, halves away from zero: here), softmax (fixed point: tests/golden).
"""

from __future__ import annotations

import itertools
import zlib
from typing import Any

import numpy as np
import pytest
from op_host import NHWC, OpHost, T

pytestmark = pytest.mark.torch

KWS_INPUT_ORDER = (0, 2, 1, 3)  # what the exporter writes for NHWC with one channel
MULTIPLIERS = (1 << 30, (1 << 31) - 1, 1_325_400_064, 0)
SHIFTS = (-62, -33, -32, -31, -30, -12, -7, -1, 0)


@pytest.fixture(scope="module")
def torch() -> Any:
    torch = pytest.importorskip("torch")
    # Registers the references; importing the operators' module itself first would go in a circle.
    import executorch.backends.cortex_m.passes  # noqa: F401

    return torch


def rng_for(*key: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def int8s(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random int8 with the extremes well represented."""
    values = rng.integers(-128, 128, shape, dtype=np.int8)
    extreme = rng.random(shape) < 0.1
    return np.where(extreme, rng.choice(np.array([-128, 127], np.int8), shape), values)


def image_order(shape: tuple[int, ...]) -> tuple[int, ...]:
    return KWS_INPUT_ORDER if shape[1] == 1 else NHWC


def channels_last(torch: Any, array: np.ndarray) -> Any:
    return torch.from_numpy(array.copy()).to(memory_format=torch.channels_last)


def scaling(rng: np.random.Generator, channels: int, taps: int) -> tuple[np.ndarray, np.ndarray]:
    """Multipliers and shifts that keep most results in range, with every extreme among them."""
    multipliers = rng.integers(1 << 30, 1 << 31, channels, dtype=np.int64).astype(np.int32)
    # A sum of n products of int8 has about 13 + log2(n) / 2 bits.
    shifts = rng.integers(-9, -4, channels).astype(np.int32) - int(np.log2(taps) / 2)
    for i in range(0, channels, 3):
        multipliers[i] = MULTIPLIERS[i // 3 % len(MULTIPLIERS)]
    for i in range(1, channels, 3):
        shifts[i] = SHIFTS[i // 3 % len(SHIFTS)]
    return multipliers, shifts


def empty_scratch() -> T:
    return T(np.zeros(0, np.uint8))


# batch, in_ch, in_h, in_w, out_ch, kernel, stride, padding, dilation, groups
CONV_CASES = [
    (1, 3, 9, 7, 4, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    (1, 8, 6, 5, 16, (1, 1), (1, 1), (0, 0), (1, 1), 1),
    (1, 1, 5, 5, 1, (1, 1), (1, 1), (0, 0), (1, 1), 1),
    (1, 1, 5, 5, 3, (5, 5), (1, 1), (0, 0), (1, 1), 1),
    (2, 5, 8, 9, 7, (3, 2), (2, 1), (1, 0), (1, 1), 1),
    (1, 17, 7, 6, 9, (2, 3), (2, 3), (0, 2), (1, 1), 1),
    (1, 4, 3, 3, 5, (3, 3), (1, 1), (2, 2), (1, 1), 1),  # windows mostly outside
    (1, 4, 1, 1, 5, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    (1, 2, 4, 4, 3, (3, 3), (1, 1), (7, 7), (1, 1), 1),  # windows wholly outside
    (1, 3, 11, 12, 5, (3, 3), (1, 1), (2, 2), (2, 2), 1),
    (1, 4, 12, 9, 6, (3, 2), (2, 1), (3, 0), (3, 2), 1),
    (1, 6, 7, 7, 4, (3, 3), (1, 1), (1, 1), (1, 1), 2),
    (1, 6, 9, 7, 9, (3, 3), (2, 1), (1, 2), (1, 2), 3),
    (2, 4, 5, 5, 8, (3, 3), (1, 1), (1, 1), (1, 1), 4),
    (1, 65, 3, 3, 33, (3, 3), (1, 1), (1, 1), (1, 1), 1),
]


def dilated(weights: np.ndarray, dilation: tuple[int, int], axes: tuple[int, int]) -> np.ndarray:
    """Write dilation as zeros in the filter: the reference cannot dilate int tensors."""
    shape = list(weights.shape)
    for axis, step in zip(axes, dilation, strict=True):
        shape[axis] = (shape[axis] - 1) * step + 1
    spread = np.zeros(shape, weights.dtype)
    index = [slice(None)] * weights.ndim
    for axis, step in zip(axes, dilation, strict=True):
        index[axis] = slice(None, None, step)
    spread[tuple(index)] = weights
    return spread


@pytest.mark.parametrize("explicit_layout", [False, True], ids=["dim_order", "nhwc"])
@pytest.mark.parametrize("zero_point", [-128, 0, 127])
@pytest.mark.parametrize("case", CONV_CASES, ids=str)
def test_conv2d(
    torch: Any, host: OpHost, case: tuple[Any, ...], zero_point: int, explicit_layout: bool
) -> None:
    batch, in_ch, in_h, in_w, out_ch, kernel, stride, padding, dilation, groups = case
    rng = rng_for("conv2d", case, zero_point)
    image = int8s(rng, batch, in_ch, in_h, in_w)
    weights = int8s(rng, out_ch, *kernel, in_ch // groups)
    bias = rng.integers(-20_000, 20_000, out_ch).astype(np.int32) if zero_point else None
    multipliers, shifts = scaling(rng, out_ch, weights[0].size)
    low, high = (-128, 127) if zero_point else (-90, 75)
    output_zero_point = int(rng.integers(-128, 128))

    expected = torch.ops.cortex_m.quantized_conv2d(
        channels_last(torch, image),
        torch.from_numpy(dilated(weights, dilation, (1, 2))),
        None if bias is None else torch.from_numpy(bias),
        stride,
        padding,
        (1, 1),
        -zero_point,
        output_zero_point,
        torch.from_numpy(multipliers),
        torch.from_numpy(shifts),
        low,
        high,
        torch.zeros(0, dtype=torch.uint8),
    ).numpy()
    name, tensors = (
        "quantized_conv2d",
        [
            T(image, image_order(image.shape), misalignment=1),
            T(np.full_like(expected, 99), image_order(expected.shape), misalignment=3),
        ],
    )
    if explicit_layout:
        name = "quantized_conv2d_nhwc"
        expected = expected.transpose(0, 2, 3, 1)
        tensors = [T(image.transpose(0, 2, 3, 1)), T(np.full_like(expected, 99))]
    got = host.call(
        f"cortex_m::{name}.out",
        tensors[0],
        T(weights, misalignment=1),
        None if bias is None else T(bias),
        list(stride),
        list(padding),
        list(dilation),
        -zero_point,
        output_zero_point,
        T(multipliers),
        T(shifts),
        low,
        high,
        empty_scratch(),
        tensors[1],
    )

    np.testing.assert_array_equal(got, expected)


# batch, in_ch, in_h, in_w, depth_multiplier, kernel, stride, padding, dilation
DEPTHWISE_CASES = [
    (1, 1, 49, 10, 64, (10, 4), (2, 2), (5, 1), (1, 1)),  # the first layer of KWS
    (1, 8, 6, 7, 1, (3, 3), (1, 1), (1, 1), (1, 1)),
    (1, 8, 7, 7, 1, (3, 3), (2, 2), (1, 1), (1, 1)),
    (1, 5, 4, 9, 2, (2, 3), (2, 1), (0, 1), (1, 1)),
    (2, 3, 5, 5, 3, (3, 3), (1, 1), (2, 2), (1, 1)),
    (1, 4, 3, 3, 1, (3, 3), (1, 1), (5, 0), (1, 1)),
    (1, 6, 9, 11, 2, (3, 2), (1, 2), (2, 1), (2, 3)),
    (1, 33, 1, 5, 1, (1, 1), (1, 1), (0, 0), (1, 1)),
    (1, 8200, 1, 9, 1, (1, 1), (1, 1), (0, 0), (32767, 32767)),  # steps beyond 32 bits
]


@pytest.mark.parametrize("explicit_layout", [False, True], ids=["dim_order", "nhwc"])
@pytest.mark.parametrize("zero_point", [-128, 0, 127])
@pytest.mark.parametrize("case", DEPTHWISE_CASES, ids=str)
def test_depthwise_conv2d(
    torch: Any, host: OpHost, case: tuple[Any, ...], zero_point: int, explicit_layout: bool
) -> None:
    batch, in_ch, in_h, in_w, depth_multiplier, kernel, stride, padding, dilation = case
    rng = rng_for("depthwise", case, zero_point)
    out_ch = in_ch * depth_multiplier
    image = int8s(rng, batch, in_ch, in_h, in_w)
    weights = int8s(rng, 1, *kernel, out_ch)
    bias = rng.integers(-2_000, 2_000, out_ch).astype(np.int32) if zero_point else None
    multipliers, shifts = scaling(rng, out_ch, kernel[0] * kernel[1])
    output_zero_point = int(rng.integers(-128, 128))

    expected = torch.ops.cortex_m.quantized_depthwise_conv2d(
        channels_last(torch, image),
        torch.from_numpy(dilated(weights, dilation, (1, 2))),
        None if bias is None else torch.from_numpy(bias),
        stride,
        padding,
        (1, 1),
        depth_multiplier,
        -zero_point,
        output_zero_point,
        torch.from_numpy(multipliers),
        torch.from_numpy(shifts),
        -120,
        121,
        torch.zeros(0, dtype=torch.uint8),
    ).numpy()
    name, tensors = (
        "quantized_depthwise_conv2d",
        [
            T(image, image_order(image.shape), misalignment=1),
            T(np.full_like(expected, 99), NHWC, misalignment=3),
        ],
    )
    if explicit_layout:
        name = "quantized_depthwise_conv2d_nhwc"
        expected = expected.transpose(0, 2, 3, 1)
        tensors = [T(image.transpose(0, 2, 3, 1)), T(np.full_like(expected, 99))]
    got = host.call(
        f"cortex_m::{name}.out",
        tensors[0],
        T(weights),
        None if bias is None else T(bias),
        list(stride),
        list(padding),
        list(dilation),
        depth_multiplier,
        -zero_point,
        output_zero_point,
        T(multipliers),
        T(shifts),
        -120,
        121,
        empty_scratch(),
        tensors[1],
    )

    np.testing.assert_array_equal(got, expected)


def test_a_window_far_outside_does_not_overflow(host: OpHost) -> None:
    """Index arithmetic must not touch what lies outside: its positions exceed 32 bits."""
    rng = rng_for("far outside")
    image, weights = int8s(rng, 1, 3, 1, 30_000), int8s(rng, 1, 30_001, 1, 3)
    weights[0, -1] = weights[0, -1] // 2  # the only taps that meet the image, at (0, 0)
    acc = (image[0, :, 0, 0].astype(int) * weights[0, -1, 0]).astype(int)
    one = [[32_767, 32_767], [30_000, 0], [1, 1]]
    scaling_args = [T(np.array([1 << 30] * 3, np.int32)), T(np.array([-6] * 3, np.int32))]

    depthwise = host.call(
        "cortex_m::quantized_depthwise_conv2d.out",
        *(T(image, NHWC), T(weights), None, *one, 1, 0, 0, *scaling_args),
        *(-128, 127, empty_scratch(), T(np.zeros((1, 3, 1, 1), np.int8))),
    )
    conv = host.call(
        "cortex_m::quantized_conv2d.out",
        *(T(image, NHWC), T(weights), None, *one, 0, 0),
        *(T(each.array[:1]) for each in scaling_args),
        *(-128, 127, empty_scratch(), T(np.zeros((1, 1, 1, 1), np.int8))),
    )

    def rescaled(value: int) -> int:
        high = (value * (1 << 30) + (1 << 30)) >> 31
        return int(np.clip(np.sign(high) * ((abs(high) + 32) >> 6), -128, 127))

    assert depthwise.ravel().tolist() == [rescaled(int(value)) for value in acc]
    assert conv.ravel().tolist() == [rescaled(int(acc.sum()))]


# batch, in_ch, in_h, in_w, out_ch, kernel, stride, padding, output padding, dilation
TRANSPOSE_CASES = [
    (1, 3, 4, 5, 2, (3, 3), (2, 2), (1, 1), (1, 1), (1, 1)),
    (1, 1, 3, 3, 1, (2, 2), (2, 2), (0, 0), (0, 0), (1, 1)),
    (2, 5, 3, 4, 7, (3, 2), (1, 3), (2, 0), (0, 2), (1, 1)),
    (1, 4, 5, 3, 3, (3, 3), (2, 1), (1, 2), (1, 0), (2, 3)),
]


@pytest.mark.parametrize("explicit_layout", [False, True], ids=["dim_order", "nhwc"])
@pytest.mark.parametrize("case", TRANSPOSE_CASES, ids=str)
def test_transpose_conv2d(
    torch: Any, host: OpHost, case: tuple[Any, ...], explicit_layout: bool
) -> None:
    """The reference sums in float: exact here, as all sums stay below 2^24."""
    batch, in_ch, in_h, in_w, out_ch, kernel, stride, padding, output_padding, dilation = case
    rng = rng_for("transpose", case)
    image = int8s(rng, batch, in_ch, in_h, in_w)
    weights = int8s(rng, out_ch, *kernel, in_ch)
    bias = rng.integers(-2_000, 2_000, out_ch).astype(np.int32)
    multipliers, shifts = scaling(rng, out_ch, weights[0].size)

    expected = torch.ops.cortex_m.quantized_transpose_conv2d(
        channels_last(torch, image),
        torch.from_numpy(weights),
        torch.from_numpy(bias),
        stride,
        padding,
        output_padding,
        dilation,
        7,
        -3,
        torch.from_numpy(multipliers),
        torch.from_numpy(shifts),
        -128,
        127,
        torch.zeros(0, dtype=torch.uint8),
        torch.zeros(0, dtype=torch.uint8),
    ).numpy()
    name, tensors = (
        "quantized_transpose_conv2d",
        [
            T(image, image_order(image.shape)),
            T(np.full_like(expected, 99), image_order(expected.shape)),
        ],
    )
    if explicit_layout:
        name = "quantized_transpose_conv2d_nhwc"
        expected = expected.transpose(0, 2, 3, 1)
        tensors = [T(image.transpose(0, 2, 3, 1)), T(np.full_like(expected, 99))]
    got = host.call(
        f"cortex_m::{name}.out",
        tensors[0],
        T(weights),
        T(bias),
        list(stride),
        list(padding),
        list(output_padding),
        list(dilation),
        7,
        -3,
        T(multipliers),
        T(shifts),
        -128,
        127,
        empty_scratch(),
        empty_scratch(),
        tensors[1],
    )

    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("form", ["bias", "kernel_sum", "neither", "both"])
@pytest.mark.parametrize("zero_point", [-128, 0, 127])
@pytest.mark.parametrize("shape", [(1, 640, 7), (4, 61, 37), (3, 1, 1), (2, 17, 130)], ids=str)
def test_linear(
    torch: Any, host: OpHost, shape: tuple[int, int, int], zero_point: int, form: str
) -> None:
    """`kernel_sum` is what files for Helium carry; any CPU must take it."""
    batch, in_ch, out_ch = shape
    rng = rng_for("linear", shape, zero_point, form)
    activations = int8s(rng, batch, in_ch)
    weights = int8s(rng, out_ch, in_ch)
    filter_offset = int(rng.choice([0, 0, 5, -128 + 1]))
    bias = rng.integers(-30_000, 30_000, out_ch).astype(np.int32)
    kernel_sum = (
        (weights.astype(np.int32) + filter_offset).sum(1, dtype=np.int32) * -zero_point + bias
    ).astype(np.int32)[None]
    bias_arg = bias if form in ("bias", "both") else None
    sum_arg = kernel_sum if form in ("kernel_sum", "both") else None
    multiplier = int(rng.integers(1 << 30, 1 << 31))
    arguments = [-zero_point, filter_offset, 4, [multiplier], [-9], 120, -110]

    expected = torch.ops.cortex_m.quantized_linear(
        torch.from_numpy(activations),
        torch.from_numpy(weights),
        None if bias_arg is None else torch.from_numpy(bias_arg),
        None if sum_arg is None else torch.from_numpy(sum_arg),
        *arguments,
    ).numpy()
    got = host.call(
        "cortex_m::quantized_linear.out",
        T(activations, misalignment=1),
        T(weights, misalignment=2),
        None if bias_arg is None else T(bias_arg),
        None if sum_arg is None else T(sum_arg),
        *arguments,
        T(np.full_like(expected, 99)),
    )

    np.testing.assert_array_equal(got, expected)


def test_linear_per_channel_equals_single_channels(torch: Any, host: OpHost) -> None:
    """The reference reads entry 0 only; the schema allows one multiplier per channel."""
    rng = rng_for("per channel")
    activations, weights = int8s(rng, 2, 3, 20), int8s(rng, 5, 20)
    multipliers, shifts = scaling(rng, 5, 20)

    got = host.call(
        "cortex_m::quantized_linear.out",
        *(T(activations), T(weights), None, None, 3, 0, -7),
        *(multipliers.tolist(), shifts.tolist(), 127, -128),
        T(np.zeros((2, 3, 5), np.int8)),
    )

    for channel in range(5):
        expected = torch.ops.cortex_m.quantized_linear(
            torch.from_numpy(activations),
            torch.from_numpy(weights[channel : channel + 1]),
            *(None, None, 3, 0, -7),
            [int(multipliers[channel])],
            [int(shifts[channel])],
            *(127, -128),
        ).numpy()
        np.testing.assert_array_equal(got[..., channel : channel + 1], expected)


def test_batch_matmul(torch: Any, host: OpHost) -> None:
    """The reference sums in float: exact here, as all sums stay below 2^24."""
    rng = rng_for("bmm")
    for batch, rows, inner, columns in [(1, 1, 1, 1), (3, 5, 33, 7), (2, 4, 100, 1)]:
        lhs, rhs = int8s(rng, batch, rows, inner), int8s(rng, batch, columns, inner)
        arguments = [11, T(rhs), -128 + 1, -5, 1_500_000_000, -8, empty_scratch()]

        expected = torch.ops.cortex_m.quantized_batch_matmul(
            torch.from_numpy(lhs),
            *[torch.from_numpy(each.array) if isinstance(each, T) else each for each in arguments],
        ).numpy()
        got = host.call(
            "cortex_m::quantized_batch_matmul.out", T(lhs), *arguments, T(np.zeros_like(expected))
        )

        np.testing.assert_array_equal(got, expected)


# self, self scaling, other scaling, output scaling (multiplier, shift)
ADD_SCALINGS = [
    ((1 << 30, 0), (1_820_670_122, -1), (1_692_269_638, -19)),
    ((1 << 30, 0), (-1_820_670_122, -1), (1_692_269_638, -18)),  # subtraction
    ((1 << 30, -31), ((1 << 31) - 1, 0), ((1 << 31) - 1, -20)),
    ((1 << 30, 3), ((1 << 31) - 1, 2), (1 << 30, -14)),  # sums that wrap
    ((1 << 30, 0), (1 << 30, 0), (1 << 30, 5)),
]
ADD_SHAPES = [
    ((1, 4, 3, 5), (1, 4, 3, 5)),
    ((1, 1, 7, 6), (1, 1, 7, 6)),
    ((2, 5, 3, 3), (1, 5, 1, 1)),
    ((1, 5, 1, 1), (2, 5, 3, 3)),
    ((3, 7), (3, 7)),
    ((1, 16, 32, 32), (1, 16, 32, 32)),
]


def elementwise_tensor(array: np.ndarray) -> T:
    return T(array, image_order(array.shape) if array.ndim == 4 else None, misalignment=1)


def torch_like(torch: Any, tensor: T) -> Any:
    if tensor.array.ndim == 4:
        return channels_last(torch, tensor.array)
    return torch.from_numpy(tensor.array.copy())


@pytest.mark.parametrize("scalings", ADD_SCALINGS, ids=str)
@pytest.mark.parametrize("shapes", ADD_SHAPES, ids=str)
def test_add(torch: Any, host: OpHost, shapes: Any, scalings: Any) -> None:
    rng = rng_for("add", shapes, scalings)
    for zero_points in ((-128, 127, 0), (3, -46, -128), (127, -128, 127)):
        a, b = (elementwise_tensor(int8s(rng, *shape)) for shape in shapes)
        first = [zero_points[0], *scalings[0]]
        second = [zero_points[1], *scalings[1]]
        rest = [zero_points[2], *scalings[2], -100, 101]

        expected = torch.ops.cortex_m.quantized_add(
            torch_like(torch, a), *first, torch_like(torch, b), *second, *rest
        ).numpy()
        got = host.call(
            "cortex_m::quantized_add.out",
            *(a, *first, b, *second, *rest),
            elementwise_tensor(np.full_like(expected, 99)),
        )

        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("shapes", ADD_SHAPES, ids=str)
@pytest.mark.parametrize("b_zero_point", [-1518, -128, 127, 100_000, -(1 << 31)])
def test_mul(torch: Any, host: OpHost, shapes: Any, b_zero_point: int) -> None:
    rng = rng_for("mul", shapes, b_zero_point)
    for shift in (-10, -7, -31, 0, 4):
        a, b = (elementwise_tensor(int8s(rng, *shape)) for shape in shapes)
        rest = [-41, 1_401_316_199, shift]

        expected = torch.ops.cortex_m.quantized_mul(
            torch_like(torch, a), 127, torch_like(torch, b), b_zero_point, *rest
        ).numpy()
        got = host.call(
            "cortex_m::quantized_mul.out",
            *(a, 127, b, b_zero_point, *rest),
            elementwise_tensor(np.full_like(expected, 99)),
        )

        np.testing.assert_array_equal(got, expected)


def test_div(torch: Any, host: OpHost) -> None:
    rng = rng_for("div")
    for scale, zero_points in itertools.product(
        (0.37, 41.5, 1 / 3, 1e-6, 3e38), ((0, 0, 0), (-128, 5, 127), (127, -128, -128))
    ):
        a, b = (elementwise_tensor(int8s(rng, 1, 5, 13, 11)) for _ in range(2))
        arguments = [zero_points[0], b, zero_points[1], zero_points[2], scale]

        expected = torch.ops.cortex_m.quantized_div(
            torch_like(torch, a), zero_points[0], torch_like(torch, b), *arguments[2:]
        ).numpy()
        got = host.call(
            "cortex_m::quantized_div.out",
            a,
            *arguments,
            elementwise_tensor(np.zeros_like(expected)),
        )

        np.testing.assert_array_equal(got, expected)


def test_div_int16(torch: Any, host: OpHost) -> None:
    rng = rng_for("div int16")
    for scale, zero_points in itertools.product(
        (0.37, 1 / 3, 7000.5, 1e-6, 3e38), ((0, 0, 0), (-32768, 5, 32767), (32767, -32768, -1))
    ):
        a, b = (
            T(rng.integers(-32768, 32768, (1, 5, 13, 11)).astype(np.int16), NHWC) for _ in range(2)
        )
        b.array.flat[:9] = zero_points[1]
        arguments = [zero_points[0], b, zero_points[1], zero_points[2], scale]

        expected = torch.ops.cortex_m.quantized_div(
            torch_like(torch, a), zero_points[0], torch_like(torch, b), *arguments[2:]
        ).numpy()
        got = host.call(
            "cortex_m::quantized_div.out",
            a,
            *arguments,
            T(np.zeros_like(expected), NHWC),
        )

        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("operator", ["minimum", "maximum"])
@pytest.mark.parametrize("namespace", ["cortex_m", "aten"])
@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.float32])
def test_minimum_maximum(
    torch: Any, host: OpHost, namespace: str, operator: str, dtype: type
) -> None:
    rng = rng_for("minmax", operator, dtype)
    for shape, other in [
        ((1, 4, 3, 5), (1, 4, 3, 5)),
        ((1, 4, 3, 5), ()),
        ((), (1, 4, 3, 5)),
        ((2, 3, 4), (3, 1)),
        ((4, 1), (1, 5)),
        ((2, 4, 3, 5), (1, 4, 1, 1)),
        ((7,), (1,)),
        ((0, 3), (0, 3)),
        ((), ()),
    ]:
        a, b = (int8s(rng, *each).astype(dtype) for each in (shape, other))
        if dtype == np.float32 and a.size > 3:
            a.flat[1] = b.flat[0] = np.nan
        expected = getattr(torch, operator)(torch.from_numpy(a), torch.from_numpy(b)).numpy()
        out = np.full_like(expected, 99)

        got = host.call(
            f"{namespace}::{operator}.out",
            *(T(each, NHWC if each.ndim == 4 else None) for each in (a, b, out)),
        )

        np.testing.assert_array_equal(got, expected)


def test_activation(host: OpHost) -> None:
    rng = rng_for("lut")
    table = rng.permutation(256).astype(np.uint8).view(np.int8)
    values = np.arange(-128, 128).astype(np.int8).reshape(1, 4, 8, 8)

    got = host.call(
        "cortex_m::quantized_activation.out",
        T(values, NHWC),
        T(table),
        T(np.zeros_like(values), NHWC),
    )

    np.testing.assert_array_equal(got, table[values.astype(int) + 128])


def average(image: np.ndarray, case: dict[str, Any], out_shape: tuple[int, ...]) -> np.ndarray:
    """Integer average pooling, halves away from zero."""
    (kernel_h, kernel_w), (stride_h, stride_w) = case["kernel"], case["stride"]
    pad_h, pad_w = case["padding"]
    out = np.zeros(out_shape, np.int8)
    for y, x in np.ndindex(out_shape[2:]):
        top, left = y * stride_h - pad_h, x * stride_w - pad_w
        window = image[:, :, max(top, 0) : top + kernel_h, max(left, 0) : left + kernel_w].astype(
            np.int64
        )
        count = window.shape[2] * window.shape[3]
        total = window.sum((2, 3))
        out[:, :, y, x] = np.sign(total) * ((np.abs(total) + count // 2) // count)
    return out


POOL_CASES = [
    dict(shape=(1, 64, 25, 5), kernel=(24, 5), stride=(24, 5), padding=(0, 0)),
    dict(shape=(1, 1, 9, 7), kernel=(2, 2), stride=(1, 1), padding=(0, 0)),
    dict(shape=(2, 5, 8, 9), kernel=(3, 3), stride=(2, 2), padding=(1, 1)),
    dict(shape=(1, 3, 7, 5), kernel=(2, 3), stride=(3, 1), padding=(1, 0)),
    dict(shape=(1, 17, 3, 3), kernel=(3, 3), stride=(1, 1), padding=(0, 0)),
    dict(shape=(1, 4, 10, 11), kernel=(3, 2), stride=(2, 2), padding=(0, 1), ceil=True),
    dict(shape=(1, 4, 6, 7), kernel=(2, 2), stride=(3, 3), padding=(1, 1), ceil=True),
    dict(shape=(1, 3, 2, 2), kernel=(3, 3), stride=(2, 2), padding=(0, 0), ceil=True),
]


@pytest.mark.parametrize("explicit_layout", [False, True], ids=["dim_order", "nhwc"])
@pytest.mark.parametrize("case", POOL_CASES, ids=str)
def test_avg_pool2d(torch: Any, host: OpHost, case: dict[str, Any], explicit_layout: bool) -> None:
    rng = rng_for("avg", case)
    image = int8s(rng, *case["shape"])
    for zero_point in (-128, 0, 127):
        window = [case["kernel"], case["stride"], case["padding"], case.get("ceil", False)]
        rest = [zero_point, 1_330_652_416, -6]
        reference = torch.ops.cortex_m.quantized_avg_pool2d(
            channels_last(torch, image), *window, *rest, torch.zeros(0, dtype=torch.uint8)
        ).numpy()
        expected = average(image, case, reference.shape)
        name, tensors = (
            "quantized_avg_pool2d",
            [
                T(image, image_order(image.shape), misalignment=1),
                T(np.full_like(expected, 99), image_order(expected.shape), misalignment=1),
            ],
        )
        if explicit_layout:
            name = "quantized_avg_pool2d_nhwc"
            expected, reference = (each.transpose(0, 2, 3, 1) for each in (expected, reference))
            tensors = [T(image.transpose(0, 2, 3, 1)), T(np.full_like(expected, 99))]
        got = host.call(
            f"cortex_m::{name}.out", tensors[0], *window, *rest, empty_scratch(), tensors[1]
        )

        np.testing.assert_array_equal(got, expected)
        assert np.abs(got.astype(int) - reference).max() <= 1


@pytest.mark.parametrize("explicit_layout", [False, True], ids=["dim_order", "nhwc"])
@pytest.mark.parametrize("case", [case for case in POOL_CASES if not case.get("ceil")], ids=str)
def test_max_pool2d(torch: Any, host: OpHost, case: dict[str, Any], explicit_layout: bool) -> None:
    rng = rng_for("max", case)
    image = int8s(rng, *case["shape"])
    rest = [case["kernel"], case["stride"], case["padding"], [1, 1], False, 3, 3, -100, 101]
    expected = torch.ops.cortex_m.quantized_max_pool2d(channels_last(torch, image), *rest).numpy()
    name, tensors = (
        "quantized_max_pool2d",
        [
            T(image, image_order(image.shape), misalignment=1),
            T(np.full_like(expected, 99), image_order(expected.shape), misalignment=1),
        ],
    )
    if explicit_layout:
        name, expected = "quantized_max_pool2d_nhwc", expected.transpose(0, 2, 3, 1)
        tensors = [T(image.transpose(0, 2, 3, 1)), T(np.full_like(expected, 99))]

    got = host.call(f"cortex_m::{name}.out", tensors[0], *rest, tensors[1])

    np.testing.assert_array_equal(got, expected)


def softmax_parameters(scale: float) -> list[int]:
    from executorch.backends.cortex_m.passes.aten_to_cortex_m_pass import _compute_softmax_params

    return list(_compute_softmax_params(scale))


@pytest.mark.parametrize("scale", [1e-9, 0.004, 0.07, 0.25, 1.9, 30.0])
def test_softmax(torch: Any, host: OpHost, scale: float) -> None:
    """Fixed point against float: within one step. Exact bytes: tests/golden."""
    rng = rng_for("softmax", scale)
    for shape, dim, order in [
        ((1, 12), -1, None),
        ((3, 1), 1, None),
        ((2, 5000), -1, None),  # more than the accumulator's 12 integer bits
        ((4, 7, 3), 1, None),
        ((1, 5, 4, 3), 1, NHWC),
        ((1, 5, 4, 3), -1, NHWC),
    ]:
        values = int8s(rng, *shape)
        if shape[1] == 5000:
            values[0] = 5
        arguments = [dim, -20, -128, *softmax_parameters(scale)]
        expected = torch.ops.cortex_m.softmax(torch.from_numpy(values), *arguments).numpy()

        got = host.call(
            "cortex_m::softmax.out", T(values, order), *arguments, T(np.zeros_like(values), order)
        )

        assert np.abs(got.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize(
    "shape,pre,post",
    [
        ((1, 64, 25, 5), (0, 0, 0, 0), (0, 0, 0, 0)),
        ((1, 3, 4, 5), (0, 0, 2, 1), (0, 0, 0, 3)),
        ((2, 3, 4, 5), (1, 2, 0, 1), (0, 1, 2, 0)),
        ((1, 1, 4, 5), (0, 0, 1, 2), (0, 0, 3, 4)),
        ((1, 6, 1, 1), (0, 1, 1, 0), (0, 0, 1, 2)),
        ((3, 4), (0, 0, 1, 2), (0, 0, 3, 0)),
        ((5,), (0, 0, 0, 2), (0, 0, 0, 1)),
        ((2, 3, 4), (0, 1, 0, 2), (0, 0, 1, 1)),
    ],
    ids=str,
)
def test_pad(torch: Any, host: OpHost, shape: Any, pre: Any, post: Any, memory_format: str) -> None:
    """The lists are in the order the exporter's own `to_physical_order` gives."""
    from executorch.backends.cortex_m.passes.passes_utils import is_channels_last, to_physical_order

    values = int8s(rng_for("pad", shape), *shape)
    tensor = torch.from_numpy(values.copy())
    if len(shape) == 4 and memory_format == "channels_last":
        tensor = tensor.to(memory_format=torch.channels_last)
    arguments = [to_physical_order(list(each), tensor) for each in (pre, post)]
    expected = torch.ops.cortex_m.pad(tensor, *arguments, -77).numpy()
    order = NHWC if is_channels_last(tensor) else None

    got = host.call(
        "cortex_m::pad.out",
        *(T(values, order), *arguments, -77),
        T(np.full_like(expected, 99), order),
    )

    np.testing.assert_array_equal(got, expected)


def float_samples(rng: np.random.Generator, scale: float) -> np.ndarray:
    """Values around every rounding boundary of int8, and what lies far outside."""
    steps = np.arange(-300, 300, dtype=np.float64) + 0.5
    near = (steps * scale).astype(np.float32)
    special = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1e38, -1e38, 1e-45], np.float32)
    return np.concatenate(
        [
            near,
            np.nextafter(near, np.float32(np.inf)),
            np.nextafter(near, np.float32(-np.inf)),
            special,
            rng.normal(0, 100 * scale, 400).astype(np.float32),
        ]
    )


@pytest.mark.parametrize("zero_point", [-128, -3, 0, 127])
def test_quantize_and_dequantize(torch: Any, host: OpHost, zero_point: int) -> None:
    rng = rng_for("quantize", zero_point)
    scales = [0.00783904455602169, 1 / 256, 1.0, 3, 1e-30, 1e30, *(2.0 ** rng.uniform(-9, 3, 12))]
    for scale in scales:
        values = float_samples(rng, scale)
        arguments = [scale, zero_point, -128, 127]
        expected = torch.ops.cortex_m.quantize_per_tensor(
            torch.from_numpy(values), float(scale), *arguments[1:], torch.int8
        ).numpy()

        got = host.call(
            "cortex_m::quantize_per_tensor.out",
            *(T(values), *arguments, 1, T(np.full(values.shape, 99, np.int8))),
        )

        np.testing.assert_array_equal(got, expected)

        levels = np.arange(-128, 128).astype(np.int8)
        expected = torch.ops.cortex_m.dequantize_per_tensor(
            torch.from_numpy(levels), float(scale), *arguments[1:], torch.int8
        ).numpy()

        got = host.call(
            "cortex_m::dequantize_per_tensor.out",
            *(T(levels), *arguments, 1, T(np.zeros(256, np.float32))),
        )

        np.testing.assert_array_equal(got.view(np.int32), expected.view(np.int32))


@pytest.mark.parametrize("zero_point", [-32768, -3, 0, 32767])
def test_quantize_and_dequantize_int16(torch: Any, host: OpHost, zero_point: int) -> None:
    rng = rng_for("quantize int16", zero_point)
    for scale in [0.00783904455602169, 1 / 256, 3, 1e-30, 1e30, *(2.0 ** rng.uniform(-9, 3, 4))]:
        values = np.concatenate([float_samples(rng, scale), float_samples(rng, scale) * 200])
        arguments = [scale, zero_point, -32768, 32767]
        expected = torch.ops.cortex_m.quantize_per_tensor(
            torch.from_numpy(values), float(scale), *arguments[1:], torch.int16
        ).numpy()

        got = host.call(
            "cortex_m::quantize_per_tensor.out",
            *(T(values), *arguments, 2, T(np.full(values.shape, 99, np.int16))),
        )

        np.testing.assert_array_equal(got, expected)

        levels = np.arange(-32768, 32768).astype(np.int16)
        expected = torch.ops.cortex_m.dequantize_per_tensor(
            torch.from_numpy(levels), float(scale), *arguments[1:], torch.int16
        ).numpy()

        got = host.call(
            "cortex_m::dequantize_per_tensor.out",
            *(T(levels), *arguments, 2, T(np.zeros(levels.shape, np.float32))),
        )

        np.testing.assert_array_equal(got.view(np.int32), expected.view(np.int32))


def test_quantize_with_a_narrow_range(torch: Any, host: OpHost) -> None:
    values = float_samples(rng_for("narrow"), 0.1)
    expected = torch.ops.cortex_m.quantize_per_tensor(
        torch.from_numpy(values), 0.1, 5, -100, 90, torch.int8
    ).numpy()

    got = host.call(
        "cortex_m::quantize_per_tensor.out",
        *(T(values), 0.1, 5, -100, 90, 1, T(np.zeros(values.shape, np.int8))),
    )

    # The reference leaves a NaN to the conversion to int8: 0.
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    "operator", ["dim_order_ops::_clone_dim_order.out", "dim_order_ops::_to_dim_order_copy.out"]
)
@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.float32, np.int64])
def test_copies_between_dim_orders(host: OpHost, operator: str, dtype: type) -> None:
    rng = rng_for("clone", dtype)
    for shape in [(1, 3, 4, 5), (2, 5, 1, 7), (1, 1, 49, 10), (1, 6, 1, 1), (0, 2, 3, 4)]:
        values = rng.integers(-100, 100, shape).astype(dtype)
        for source, target in itertools.product(((0, 1, 2, 3), NHWC, (3, 1, 0, 2)), repeat=2):
            for listed in (None, list(target)):
                got = host.call(
                    operator,
                    *(T(values, source), False, listed, T(np.zeros_like(values), target)),
                )

                np.testing.assert_array_equal(got, values)


def test_permutes(host: OpHost) -> None:
    rng = rng_for("permute")
    for operator in ("cortex_m::transpose.out", "aten::permute_copy.out"):
        for shape in [(3, 4), (2, 3, 4), (1, 5, 2, 3), (2, 3, 1, 2, 4), (7,), ()]:
            values = int8s(rng, *shape)
            for _ in range(4):
                perm = [int(axis) for axis in rng.permutation(len(shape))]
                given = [axis - len(shape) if rng.random() < 0.5 else axis for axis in perm]
                expected = values.transpose(perm)

                got = host.call(operator, T(values), given, T(np.zeros_like(expected)))

                np.testing.assert_array_equal(got, expected)


def test_views_and_clones(host: OpHost) -> None:
    values = int8s(rng_for("view"), 2, 3, 4)

    viewed = host.call("aten::view_copy.out", T(values), [4, -1], T(np.zeros((4, 6), np.int8)))
    cloned = host.call("aten::clone.out", T(values), None, T(np.zeros_like(values)))

    np.testing.assert_array_equal(viewed, values.reshape(4, 6))
    np.testing.assert_array_equal(cloned, values)


def test_clamps(torch: Any, host: OpHost) -> None:
    rng = rng_for("clamp")
    floats = np.concatenate([rng.normal(0, 5, 50), [np.nan, np.inf, -np.inf]]).astype(np.float32)
    bytes_ = int8s(rng, 1, 3, 5, 4)
    for low, high in [(0, 6), (None, 2.5), (-1.25, None), (3, -3), (0.1, 0.2)]:
        expected = torch.clamp(torch.from_numpy(floats), low, high).numpy()
        got = host.call("aten::clamp.out", T(floats), low, high, T(np.zeros_like(floats)))
        np.testing.assert_array_equal(got, expected)
    for low, high in [(105, None), (None, -3), (-200, 300), (7, -7), (-5, 5)]:
        # torch computes in the wider type; on int8 it refuses limits outside.
        wide = torch.from_numpy(bytes_).to(torch.int32)
        expected = torch.clamp(wide, low, high).numpy().astype(np.int8)
        got = host.call(
            "aten::clamp.out", T(bytes_, NHWC), low, high, T(np.zeros_like(bytes_), NHWC)
        )
        np.testing.assert_array_equal(got, expected)

    expected = torch.nn.functional.hardtanh(torch.from_numpy(floats), 0, 6).numpy()
    got = host.call("aten::hardtanh.out", T(floats), 0, 6, T(np.zeros_like(floats)))
    np.testing.assert_array_equal(got, expected)

    for values in (floats, bytes_):
        got = host.call("aten::relu.out", T(values), T(np.zeros_like(values)))
        np.testing.assert_array_equal(got, torch.relu(torch.from_numpy(values)).numpy())


def test_requantize_equals_the_reference(torch: Any, host: OpHost) -> None:
    """Every shift, both ends of every range, also where the reference wraps."""
    from executorch.backends.cortex_m.passes.passes_utils import requantize_cmsis

    rng = rng_for("requantize")
    ends = [-(1 << 31), -(1 << 31) + 1, -(1 << 30), -3, -2, -1, 0, 1, 2, 3, 1 << 30, (1 << 31) - 1]
    values = np.array([*ends, *rng.integers(-(1 << 31), 1 << 31, 60)], np.int32)
    for shift in range(-62, 31):
        for multiplier in (*MULTIPLIERS, -(1 << 31) + 1, -1_200_000_000, 1, -1):
            expected = requantize_cmsis(torch.from_numpy(values), multiplier, shift).numpy()

            got = host.raw(
                "test::requantize",
                [
                    T(values),
                    T(np.full_like(values, multiplier)),
                    T(np.full_like(values, shift)),
                    T(np.zeros_like(values)),
                ],
            ).out

            np.testing.assert_array_equal(got, expected, err_msg=f"{multiplier} {shift}")


def test_reciprocal_is_correctly_rounded(host: OpHost) -> None:
    rng = rng_for("reciprocal")
    values = np.concatenate(
        [
            2.0 ** rng.uniform(-900, 900, 100_000),
            2.0 ** np.arange(-900, 900.0),
            np.nextafter(2.0 ** np.arange(-50, 50.0), 0),
            np.nextafter(2.0 ** np.arange(-50, 50.0), np.inf),
            rng.uniform(0, 1, 100_000).astype(np.float32).astype(np.float64) + 1e-7,
        ]
    )

    got = host.raw("test::reciprocal", [T(values), T(np.zeros_like(values))]).out

    np.testing.assert_array_equal(got, 1.0 / values)
