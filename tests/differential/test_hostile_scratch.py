# SPDX-License-Identifier: BSD-3-Clause
"""Working memory that a file lays over what a call reads or writes changes no byte of a result.

A kernel keeps sums, copies and addresses in it. A plan of mcugen lays no more over it than an input
that is widened into it; a hostile file may. The kernels of the host use none: there the sanitizers
watch the operators alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from build_pte import Batch, Builder
from harness import HostProgram, OnDevice, Ran, Reference, stream
from op_case import OpCase, Out, T

from mcugen.device.runner import Runner

pytestmark = [pytest.mark.torch, pytest.mark.toolchain]

#: Operators whose kernels work in it, by the family of their cases.
FAMILIES = {
    "cortex_m": (
        *("cortex_m::quantized_conv2d.out", "cortex_m::quantized_conv2d_nhwc.out"),
        *("mcugen::conv2d_in_place.out", "mcugen::depthwise_conv2d_in_place.out"),
        "cortex_m::quantized_depthwise_conv2d.out",
        "cortex_m::quantized_depthwise_conv2d_nhwc.out",
    ),
    "packed": (
        *("mcugen::packed_linear.out", "mcugen::packed_linear_5x4.out"),
        *("mcugen::packed_conv2d.out", "mcugen::packed_conv_depthwise.out"),
    ),
}
#: Of which the input may lie in the second half of it, and the first half be anywhere.
WIDENING = ("mcugen::packed_linear.out", "mcugen::packed_linear_5x4.out")
CALLS = 6  #: of each
SEED = 5
#: More than any of these calls asks for.
SCRATCH = T(np.zeros(16_384, np.uint8))
#: What it is laid over, and where it begins there; its last byte only: "end".
PLACES = [("input", 0), ("input", 5), ("input", "end"), ("out", 0), ("out", 3), ("out", "end")]
#: A core of each set of kernels.
BOARDS = ("qemu-m4", "qemu-m55", "qemu-m3", "qemu-m0")


@pytest.fixture(scope="module")
def calls(reference: Reference) -> list[OpCase]:
    found: list[OpCase] = []
    for family, names in FAMILIES.items():
        drawn = [*itertools.islice(stream(family, SEED), 40 * CALLS)]
        for name in names:
            some = [case for case in drawn if case.op == name][:CALLS]
            assert len(some) == CALLS, name
            # The last argument that is read.
            found += [replace(case, args=(*case.args[:-1], SCRATCH)) for case in some]
    return [case for case, _ in reference.expect(found)]


def program(calls: Sequence[OpCase], place: tuple[str, int | str] | None) -> Batch:
    """Return the calls as a program, each input copied to planned memory first.

    place: where each call's working memory lies; None: behind all else.
    """
    builder = Builder()
    for call in calls:
        given: T = call.args[0]
        if call.op in WIDENING:
            builder.planned += SCRATCH.array.nbytes  # of no other call
        copy = Out(given.array.dtype.name, given.array.shape, given.order)
        builder.case(OpCase("aten::clone.out", (given, None), (copy,)))
        copied = builder.instructions[-1].instr_args.args[-1]
        builder.case(call)
        arguments = builder.instructions[-1].instr_args.args
        arguments[0] = copied
        if place is not None:
            scratch = builder.scratch.pop()
            target = builder.values[copied if place[0] == "input" else arguments[-1]].val
            by = 1 - SCRATCH.array.nbytes if place[1] == "end" else int(place[1])
            at = max(target.allocation_info.memory_offset_low + by, 0)
            builder.values[scratch].val.allocation_info.memory_offset_low = at
    return builder.batch()


def results(run: Callable[[bytes], Ran], batch: Batch) -> list[list[bytes]]:
    ran = run(batch.pte)
    assert not ran.error, ran.error
    return batch.split(ran.output)


def check(run: Callable[[bytes], Ran], calls: Sequence[OpCase]) -> None:
    apart = results(run, program(calls, None))
    for place in PLACES:
        over = results(run, program(calls, place))
        wrong = {
            call.op
            for number, call in enumerate(calls)
            if over[2 * number : 2 * number + 2] != apart[2 * number : 2 * number + 2]
        }
        assert not wrong, place


def test_on_the_host(our_host: HostProgram, calls: list[OpCase]) -> None:
    check(our_host, calls)


@pytest.mark.qemu
@pytest.mark.parametrize("board", BOARDS)
def test_on_a_core(runners: Callable[[str], Runner], board: str, calls: list[OpCase]) -> None:
    check(OnDevice(runners(board)), calls)
