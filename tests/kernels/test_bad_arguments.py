# SPDX-License-Identifier: BSD-3-Clause
"""A call that does not fit is refused with one line that names the thing, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import good_calls_network
import good_calls_norm
import good_calls_packed
import good_calls_pointwise
import good_calls_prim
import good_calls_recurrent
import good_calls_shape
import numpy as np
import pytest
from op_host import NHWC, Again, OpHost, T

from mcugen.program import operator_table

INVALID_ARGUMENT = 0x12


def image(*shape: int) -> T:
    return T(np.ones(shape, np.int8), NHWC)


def s32(*values: int) -> T:
    return T(np.array(values, np.int32))


SCRATCH = T(np.zeros(0, np.uint8))

#: A good call of each operator.
CALLS: dict[str, Callable[[], list[Any]]] = {
    "cortex_m::quantized_conv2d.out": lambda: [
        *(image(1, 4, 5, 6), T(np.ones((2, 3, 3, 4), np.int8)), s32(1, 2)),
        *([1, 1], [1, 1], [1, 1], 0, 0, s32(1 << 30, 1 << 30), s32(-1, -1)),
        *(-128, 127, SCRATCH, image(1, 2, 5, 6)),
    ],
    "cortex_m::quantized_depthwise_conv2d.out": lambda: [
        *(image(1, 4, 5, 6), T(np.ones((1, 3, 3, 8), np.int8)), None),
        *([1, 1], [1, 1], [1, 1], 2, 0, 0, s32(*[1 << 30] * 8), s32(*[-1] * 8)),
        *(-128, 127, SCRATCH, image(1, 8, 5, 6)),
    ],
    "cortex_m::quantized_transpose_conv2d.out": lambda: [
        *(image(1, 4, 5, 6), T(np.ones((2, 2, 2, 4), np.int8)), None),
        *([2, 2], [0, 0], [0, 0], [1, 1], 0, 0, s32(1 << 30, 1 << 30), s32(-1, -1)),
        *(-128, 127, SCRATCH, SCRATCH, image(1, 2, 10, 12)),
    ],
    "cortex_m::quantized_linear.out": lambda: [
        *(T(np.ones((2, 4), np.int8)), T(np.ones((3, 4), np.int8)), s32(1, 2, 3), None),
        *(0, 0, 0, [1 << 30], [-1], 127, -128, T(np.ones((2, 3), np.int8))),
    ],
    **{
        f"mcugen::{kind}_in_place.out": lambda kind=kind: CALLS[f"cortex_m::quantized_{kind}.out"]()
        for kind in ("conv2d", "depthwise_conv2d")
    },
    "mcugen::quantized_linear.out": lambda: [
        *(T(np.ones((2, 4), np.int8)), T(np.ones((3, 4), np.int8)), s32(1, 2, 3), None),
        *(0, 0, 0, s32(*[1 << 30] * 3), s32(-1, -2, -3), 127, -128, T(np.ones((2, 3), np.int8))),
    ],
    "cortex_m::quantized_batch_matmul.out": lambda: [
        *(T(np.ones((2, 3, 4), np.int8)), 0, T(np.ones((2, 5, 4), np.int8)), 0),
        *(0, 1 << 30, -1, SCRATCH, T(np.ones((2, 3, 5), np.int8))),
    ],
    "cortex_m::quantized_avg_pool2d.out": lambda: [
        *(image(1, 4, 6, 6), [2, 2], [2, 2], [0, 0], False),
        *(0, 1 << 30, -1, SCRATCH, image(1, 4, 3, 3)),
    ],
    "cortex_m::quantized_max_pool2d.out": lambda: [
        *(image(1, 4, 6, 6), [2, 2], [2, 2], [0, 0], [1, 1], False),
        *(0, 0, -128, 127, image(1, 4, 3, 3)),
    ],
    "cortex_m::quantized_add.out": lambda: [
        *(image(1, 4, 3, 3), 0, 1 << 30, 0, image(1, 4, 3, 3), 0, 1 << 30, 0),
        *(0, 1 << 30, -19, -128, 127, image(1, 4, 3, 3)),
    ],
    "cortex_m::quantized_mul.out": lambda: [
        *(image(1, 4, 3, 3), 0, image(1, 4, 3, 3), 0, 0, 1 << 30, -5, image(1, 4, 3, 3))
    ],
    "cortex_m::quantized_div.out": lambda: [
        *(image(1, 4, 3, 3), 0, image(1, 4, 3, 3), 0, 0, 0.5, image(1, 4, 3, 3))
    ],
    "cortex_m::quantized_activation.out": lambda: [
        *(image(1, 4, 3, 3), T(np.ones(256, np.int8)), image(1, 4, 3, 3))
    ],
    "cortex_m::minimum.out": lambda: [image(1, 4, 3, 3), image(1, 4, 1, 1), image(1, 4, 3, 3)],
    "cortex_m::softmax.out": lambda: [
        *(T(np.ones((2, 5), np.int8)), -1, 0, -128, 1 << 30, 20, -248),
        T(np.ones((2, 5), np.int8)),
    ],
    "cortex_m::pad.out": lambda: [
        *(image(1, 4, 3, 3), [0, 1, 1, 0], [0, 0, 0, 0], 0, image(1, 4, 4, 4))
    ],
    "cortex_m::transpose.out": lambda: [
        *(T(np.ones((2, 3), np.int8)), [1, 0], T(np.ones((3, 2), np.int8)))
    ],
    "cortex_m::quantize_per_tensor.out": lambda: [
        *(T(np.ones(5, np.float32)), 0.5, 0, -128, 127, 1, T(np.ones(5, np.int8)))
    ],
    "cortex_m::dequantize_per_tensor.out": lambda: [
        *(T(np.ones(5, np.int8)), 0.5, 0, -128, 127, 1, T(np.ones(5, np.float32)))
    ],
    "dim_order_ops::_clone_dim_order.out": lambda: [
        *(image(1, 4, 3, 3), False, [0, 1, 2, 3], T(np.ones((1, 4, 3, 3), np.int8)))
    ],
    "dim_order_ops::_to_dim_order_copy.out": lambda: [
        *(image(1, 4, 3, 3), False, None, T(np.ones((1, 4, 3, 3), np.int8)))
    ],
    "aten::view_copy.out": lambda: [*(T(np.ones((2, 3), np.int8)), [6], T(np.ones(6, np.int8)))],
    "aten::clone.out": lambda: [image(1, 4, 3, 3), None, image(1, 4, 3, 3)],
    "aten::clamp.out": lambda: [image(1, 4, 3, 3), 0, 5, image(1, 4, 3, 3)],
    "aten::hardtanh.out": lambda: [*(T(np.ones(5, np.float32)), 0, 6.0, T(np.ones(5, np.float32)))],
    "aten::relu.out": lambda: [image(1, 4, 3, 3), image(1, 4, 3, 3)],
}

#: The families of operators have theirs in a file each.
FAMILIES = (
    good_calls_pointwise,
    good_calls_shape,
    good_calls_network,
    good_calls_norm,
    good_calls_packed,
    good_calls_prim,
    good_calls_recurrent,
)
for family in FAMILIES:
    assert not set(CALLS) & set(family.CALLS)
    CALLS.update(family.CALLS)

#: Operators that share a function with one of CALLS, but for its argument layout or name.
SAME_CODE = {
    "aten::maximum.out",
    "aten::minimum.out",
    "aten::permute_copy.out",
    "cortex_m::maximum.out",
    # Return a tensor's memory, or a tensor of another size: see test_resized_tensors.py.
    "executorch_prim::et_copy_index.tensor",
    "executorch_prim::et_view.default",
    *(name for name in operator_table.names() if name.endswith("_nhwc.out")),
}


def returning(operator: str, arguments: list[Any]) -> list[Any]:
    """The exporter's call: the return value is the output again, or a number with its own place."""
    if operator_table.operator(operator).outputs:
        return [*arguments, Again(len(arguments) - 1)]
    return [*arguments, 0]


def refused(host: OpHost, operator: str, arguments: list[Any]) -> str:
    """Call, check that it is refused and that nothing was written; return the log line."""
    reply = host.raw(operator, returning(operator, arguments))
    assert reply.error == INVALID_ARGUMENT, f"{arguments}: 0x{reply.error:x}"
    assert reply.untouched and reply.out_untouched
    assert reply.log.count("\n") == 1, reply.log
    assert reply.log.startswith(f"{operator}: "), reply.log
    return reply.log


def test_every_operator_is_covered() -> None:
    assert set(operator_table.names()) == set(CALLS) | SAME_CODE


@pytest.mark.parametrize("operator", CALLS)
def test_the_good_call_is_good(host: OpHost, operator: str) -> None:
    reply = host.raw(operator, returning(operator, CALLS[operator]()))

    assert reply.error == 0, reply.log
    # What is written before the last output has the bytes that were there.
    assert reply.untouched or len(operator_table.operator(operator).outputs) > 1


@pytest.mark.parametrize("operator", CALLS)
def test_refuses_another_argument_count(host: OpHost, operator: str) -> None:
    arguments = CALLS[operator]()
    for wrong in (arguments[1:], [arguments[0], *arguments], []):
        given = [*wrong, Again(len(wrong) - 1)] if wrong else [arguments[-1]]

        reply = host.raw(operator, given)

        assert reply.error == INVALID_ARGUMENT and reply.out_untouched
        assert "arguments" in reply.log and "release" in reply.log


def variants(argument: Any) -> list[Any]:
    """Values that are wrong wherever `argument` is right."""
    if isinstance(argument, T):
        other = np.float32 if argument.array.dtype != np.float32 else np.int8
        bad = [1, None, [1, 2], T(argument.array.astype(other), argument.order)]
        bad.append(T(argument.array.astype(np.int16), argument.order))
        if argument.array.size:
            bad.append(replace(argument, null_data=True))
            if argument.array.dtype.itemsize > 1:
                bad.append(replace(argument, misalignment=1))
            rank = argument.array.ndim
            bad.append(T(argument.array.reshape(argument.array.shape + (1,) * (9 - rank))))
            bad.append(T(argument.array, (0,) * rank) if rank > 1 else 1)
            bad.append(T(argument.array, tuple(range(1, rank + 1))))
        return bad
    if isinstance(argument, list) and any(isinstance(each, T) for each in argument):
        *front, last = argument
        wrong = [[*front, each] for each in variants(last) if isinstance(each, T)]
        return [1, None, [1, 2], [], *wrong]
    if isinstance(argument, bool):
        return [1, None]
    if isinstance(argument, int):
        return [None, [argument], 1 << 40, -(1 << 40)]
    if isinstance(argument, float):
        return [None, [1], float("nan"), float("inf")]
    if isinstance(argument, list):
        return [1, [], [*argument, 1, 1], [1 << 40] * len(argument), [-5] * len(argument)]
    return []


#: Right after all: what an operator ignores, or takes either way.
ALLOWED: dict[tuple[str, int], Callable[[Any], bool]] = {
    ("cortex_m::quantized_conv2d.out", 2): lambda value: value is None,
    ("mcugen::conv2d_in_place.out", 2): lambda value: value is None,
    ("cortex_m::quantized_linear.out", 2): lambda value: value is None,
    ("mcugen::quantized_linear.out", 2): lambda value: value is None,
    ("dim_order_ops::_clone_dim_order.out", 2): lambda value: value is None,
    ("cortex_m::quantized_linear.out", 7): lambda value: value == [-5],
    ("cortex_m::quantized_linear.out", 8): lambda value: value == [-5],
    # A difference that small excludes nothing.
    ("cortex_m::softmax.out", 6): lambda value: value == -(1 << 40),
    # A limit may be absent, of another type, or limit nothing.
    ("aten::clamp.out", 1): lambda value: value is None or value == -(1 << 40),
    ("aten::clamp.out", 2): lambda value: value is None or value == 1 << 40,
    ("aten::hardtanh.out", 1): lambda value: isinstance(value, int),
    ("aten::hardtanh.out", 2): lambda value: value == float("inf"),
}
for family in FAMILIES:
    ALLOWED.update(family.ALLOWED)


@pytest.mark.parametrize("operator", CALLS)
def test_refuses_each_argument_of_a_wrong_kind(host: OpHost, operator: str) -> None:
    names = [argument.name for argument in operator_table.operator(operator).arguments]
    tried = 0
    for index, argument in enumerate(CALLS[operator]()):
        if names[index] in ("scratch", "output_scratch", "memory_format"):
            continue  # never looked at
        for bad in variants(argument):
            if ALLOWED.get((operator, index), lambda _: False)(bad):
                continue
            arguments = CALLS[operator]()
            arguments[index] = bad
            refused(host, operator, arguments)
            tried += 1

    assert tried > 0


def with_output(operator: str) -> bool:
    """Whether the call ends in a tensor it writes, or in a list of them."""
    last = CALLS[operator]()[-1]
    return bool(operator_table.operator(operator).outputs) and isinstance(last, T | list)


@pytest.mark.parametrize("operator", [name for name in CALLS if with_output(name)])
def test_refuses_another_output_shape(host: OpHost, operator: str) -> None:
    given = CALLS[operator]()[-1]
    *others, out = given if isinstance(given, list) else [given]
    for axis in range(out.array.ndim):
        for change in (-1, 1):
            shape = list(out.array.shape)
            shape[axis] += change
            if shape[axis] < 0:
                continue
            wrong = T(np.full(shape, 99, out.array.dtype), out.order)
            arguments = CALLS[operator]()
            arguments[-1] = [*others, wrong] if isinstance(given, list) else wrong

            log = refused(host, operator, arguments)

            assert "shape" in log or "size" in log or "weight" in log or "multiplier" in log


def changed(operator: str, changes: dict[int, Any]) -> list[Any]:
    arguments = CALLS[operator]()
    for index, value in changes.items():
        arguments[index] = value
    return arguments


CONV = "cortex_m::quantized_conv2d.out"
DEPTHWISE = "cortex_m::quantized_depthwise_conv2d.out"
LINEAR = "cortex_m::quantized_linear.out"
ADD = "cortex_m::quantized_add.out"
AVERAGE = "cortex_m::quantized_avg_pool2d.out"


#: Good calls with some arguments that do not fit.
BAD_VALUES: list[tuple[str, dict[int, Any]]] = [
    (CONV, {1: T(np.ones((2, 3, 3, 3), np.int8))}),  # 4 channels by filters of 3
    (CONV, {1: T(np.ones((2, 3, 3, 0), np.int8))}),
    (CONV, {1: T(np.ones((2, 0, 3, 4), np.int8))}),
    (CONV, {1: T(np.ones((3, 3, 3, 4), np.int8))}),
    (CONV, {1: T(np.ones((2, 3, 3, 4), np.int8), NHWC)}),
    (CONV, {0: T(np.ones((1, 4, 5, 6), np.int8))}),  # NCHW
    (CONV, {0: image(0, 4, 5, 6), 13: image(0, 2, 5, 6)}),
    (CONV, {2: s32(1, 2, 3)}),
    (CONV, {3: [0, 1]}),
    (CONV, {4: [-1, 1]}),
    (CONV, {5: [1, 0]}),
    (CONV, {6: 129}),
    (CONV, {6: -128}),
    (CONV, {7: 128}),
    (CONV, {8: s32(1 << 30)}),
    (CONV, {8: s32(1 << 30, -(1 << 31))}),
    (CONV, {9: s32(-1, 31)}),
    (CONV, {9: s32(-63, -1)}),
    (CONV, {10: 5, 11: 4}),
    (CONV, {10: -129}),
    (CONV, {11: 128}),
    (DEPTHWISE, {6: 1}),
    (DEPTHWISE, {6: 0}),
    (DEPTHWISE, {6: -2}),
    (DEPTHWISE, {6: 4}),
    (LINEAR, {1: T(np.ones((3, 5), np.int8))}),
    (LINEAR, {1: T(np.ones(12, np.int8))}),
    (LINEAR, {3: s32(1, 2)}),
    (LINEAR, {7: [1 << 30, 1 << 30]}),
    (LINEAR, {7: [1 << 30] * 2, 8: [-1] * 2}),
    (LINEAR, {7: [], 8: []}),
    (LINEAR, {7: [1 << 31]}),
    (LINEAR, {8: [31]}),
    (LINEAR, {9: -128, 10: 127}),
    (ADD, {3: -63}),
    (ADD, {7: 31}),
    (ADD, {9: -(1 << 31)}),
    ("cortex_m::quantized_mul.out", {6: -63}),
    ("cortex_m::quantized_batch_matmul.out", {6: 31}),
    (ADD, {4: image(1, 3, 3, 3)}),
    (ADD, {4: image(1, 4, 3, 2)}),
    (ADD, {0: image(1, 4, 1, 1), 4: image(1, 4, 1, 1), 13: T(np.ones((4, 3, 3), np.int8))}),
    (AVERAGE, {1: [0, 2]}),
    (AVERAGE, {3: [2, 0]}),  # more than half of the window
    (AVERAGE, {1: [7, 2], 9: image(1, 4, 1, 3)}),
    ("cortex_m::quantized_max_pool2d.out", {4: [2, 1]}),
    ("cortex_m::quantized_max_pool2d.out", {7: 1}),
    ("cortex_m::softmax.out", {1: 2}),
    ("cortex_m::softmax.out", {1: -3}),
    ("cortex_m::softmax.out", {3: 0}),
    ("cortex_m::softmax.out", {5: 32}),
    ("cortex_m::softmax.out", {6: 1}),
    ("cortex_m::pad.out", {1: [0, 1, 1], 2: [0, 0, 0]}),
    ("cortex_m::pad.out", {1: [0, 2, 1, 0], 2: [0, -1, 0, 0]}),
    ("cortex_m::pad.out", {4: T(np.ones((1, 4, 4, 4), np.int8))}),
    ("cortex_m::quantized_activation.out", {1: T(np.ones(255, np.int8))}),
    ("cortex_m::quantized_activation.out", {2: T(np.ones((1, 4, 3, 3), np.int8))}),
    ("cortex_m::transpose.out", {1: [0, 0]}),
    ("cortex_m::transpose.out", {1: [0, 2]}),
    ("cortex_m::transpose.out", {1: [1, -3]}),
    ("cortex_m::quantize_per_tensor.out", {1: 0.0}),
    ("cortex_m::quantize_per_tensor.out", {1: -0.5}),
    ("cortex_m::quantize_per_tensor.out", {1: 1e-40}),
    ("cortex_m::quantize_per_tensor.out", {5: 2}),
    ("cortex_m::quantize_per_tensor.out", {3: 3, 4: 2}),
    ("dim_order_ops::_clone_dim_order.out", {2: [0, 2, 3, 1]}),
    ("aten::view_copy.out", {1: [7]}),
    ("aten::view_copy.out", {0: T(np.ones((2, 3), np.int8), (1, 0))}),
    ("aten::clamp.out", {1: 128}),
    ("aten::clamp.out", {2: -129}),
    ("aten::clamp.out", {1: 0.5}),
    *good_calls_norm.BAD_VALUES,
    *good_calls_packed.BAD_VALUES,
    *good_calls_recurrent.BAD_VALUES,
]


@pytest.mark.parametrize("operator,changes", BAD_VALUES, ids=str)
def test_refuses_values_that_do_not_fit(
    host: OpHost, operator: str, changes: dict[int, Any]
) -> None:
    refused(host, operator, changed(operator, changes))
