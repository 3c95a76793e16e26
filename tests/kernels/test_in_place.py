# SPDX-License-Identifier: BSD-3-Clause
"""An operator's result where its operand was: the bytes that it gives elsewhere.

For each argument that a table calls `in_place`, in sizes around the width of a vector.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from op_host import NHWC, Again, OpHost, T
from test_bad_arguments import CALLS

from mcugen.program import operator_table

CASES = [
    (name, argument)
    for name in operator_table.names()
    for argument in operator_table.operator(name).in_place
]
SHAPES = [(1, 1, 1, 1), (1, 3, 1, 1), (2, 5, 3, 7), (1, 16, 2, 2), (1, 33, 5, 1)]
#: Share a function with one that test_bad_arguments.py calls.
_AS = {name: "cortex_m::minimum.out" for name in ("cortex_m::maximum.out", "aten::maximum.out")}
_AS["aten::minimum.out"] = "cortex_m::minimum.out"


def good_call(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> list[Any]:
    """A good call with random tensors of one shape, images in their order; tables as they are."""
    found: list[Any] = []
    called = operator_table.operator(name)
    for argument, value in zip(called.arguments, CALLS[_AS.get(name, name)](), strict=True):
        if isinstance(value, T) and argument.name in ("self", "other", "input", "out"):
            order = NHWC if value.order is not None else None
            if value.array.dtype == np.int8:
                value = T(rng.integers(-128, 128, shape, np.int8), order)
            else:
                value = T(rng.normal(0, 3, shape).astype(value.array.dtype), order)
        elif isinstance(value, T):
            value = T(rng.integers(-128, 128, value.array.shape).astype(value.array.dtype))
        found.append(value)
    return found


def tensors_before(arguments: list[Any], position: int) -> int:
    return sum(isinstance(each, T) for each in arguments[:position])


def calls(name: str) -> Iterator[list[Any]]:
    for seed, shape in enumerate(SHAPES):
        yield good_call(name, shape, np.random.default_rng(seed))


def test_there_are_such_operators() -> None:
    assert len(CASES) > 15
    for name, argument in CASES:
        assert argument in [each.name for each in operator_table.operator(name).arguments]


@pytest.mark.parametrize("name", ["conv2d", "depthwise_conv2d"])
def test_a_result_over_what_is_still_read_is_refused(host: OpHost, name: str) -> None:
    """A file that lays a convolution's result where its operand is, which it may not."""
    arguments = CALLS[f"mcugen::{name}_in_place.out"]()
    channels = 4
    arguments[0] = T(np.ones((1, channels, 5, 6), np.int8), NHWC)
    if name == "conv2d":
        arguments[1:3] = [T(np.ones((channels, 3, 3, channels), np.int8)), None]
        scaling = slice(8, 10)
    else:
        arguments[1:3] = [T(np.ones((1, 3, 3, channels), np.int8)), None]
        arguments[6] = 1
        scaling = slice(9, 11)
    arguments[scaling] = [T(np.full(channels, n, np.int32)) for n in (1 << 30, -1)]
    arguments[-1] = T(np.zeros((1, channels, 5, 6), np.int8), NHWC)

    apart = host.raw(f"mcugen::{name}_in_place.out", [*arguments, Again(len(arguments) - 1)])
    over = host.raw(f"mcugen::{name}_in_place.out", [*arguments[:-1], Again(0), Again(0)])

    assert apart.error == 0, apart.log
    assert over.error == 0x12
    assert over.log == f"mcugen::{name}_in_place.out: bad place of the output\n"
    assert over.untouched


@pytest.mark.parametrize(("name", "argument"), CASES, ids=lambda value: value)
def test_the_result_may_lie_where_the_operand_was(host: OpHost, name: str, argument: str) -> None:
    position = [each.name for each in operator_table.operator(name).arguments].index(argument)
    distinct = set()
    for arguments in calls(name):
        expected = host.call(name, *arguments)

        reply = host.raw(name, [*arguments[:-1], Again(position), Again(position)])

        assert reply.error == 0, reply.log
        got = reply.outs[tensors_before(arguments, position)]
        assert got.tobytes() == expected.tobytes()
        distinct.add(expected.tobytes())
    assert len(distinct) == len(SHAPES)
