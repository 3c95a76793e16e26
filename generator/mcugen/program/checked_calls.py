# SPDX-License-Identifier: BSD-3-Clause
"""Whether the operators' checks of a program's calls can be left out of an image.

An operator checks every argument of every call, because a `.pte` is not trusted. Of a program that
is built into an image, `calls.check_calls` has made most of these checks; here are those that are
left: of constants' values, of numbers without limits in the tables, and of where tensors lie. Where
one fails, or is not known, the image keeps the checks, and the operator says what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mcugen.program import call_tensors
from mcugen.program.aliases import joins, tensors_of
from mcugen.program.artifact import PteArtifact
from mcugen.program.calls import changed_values
from mcugen.program.container import deserialize, find_method
from mcugen.program.conv_words import ConvForm, of_pair
from mcugen.program.kept import kept
from mcugen.program.operator_table import operator
from mcugen.program.packing.edit import Call, Method
from mcugen.program.planning.overlap import (
    IN_PLACE,
    WIDENS,
    in_place_distance,
    in_place_unit,
    widened_distance,
)
from mcugen.program.values import call_name, instructions, kernel_calls, tensor_bytes

#: As firmware/kernels/requantize.h and firmware/ops/common/op_args.h have them.
_LEAST_SHIFT, _MOST_SHIFT = -62, 30
_MOST_WINDOW = 32767
_MOST_EXTENT = 1 << 24
_MOST_POOLED = 1 << 23
#: Of a window, and of kinds of rounding: as firmware/ops/packed and packed_conv_form.h have them.
_MOST_TAPS = 1 << 26
_ROUNDINGS = 9
_PLAIN = {"Tensor", "Int", "Bool", "Double", "Null", "IntList"}
_INT32_MIN, _INT32_MAX = -(1 << 31), (1 << 31) - 1


_SWITCHES = ("MCUGEN_ANY_PROGRAM", "MCUGEN_CHECK_CALLS")


def left_out(artifact: PteArtifact) -> tuple[str, ...]:
    """Return which switches of the firmware may be off in an image of a checked program."""
    if not CHECKED.keys() >= {use.name for use in artifact.operators}:
        return ()

    def make() -> list[str]:
        file = deserialize(artifact.pte, name=artifact.name)
        plan = find_method(file.program, name=artifact.name)
        off = (is_plain(plan), are_checked(file.program, plan))
        return [name for name, each in zip(_SWITCHES, off, strict=True) if each]

    return kept("checked", artifact, make, lambda found: tuple(n for n in _SWITCHES if n in found))


def is_plain(plan: Any) -> bool:
    """Return whether a method calls kernels with tensors, numbers and lists of ints, no more."""
    kinds = {type(each).__name__ for each in instructions(plan)}
    return kinds <= {"KernelCall"} and {type(each.val).__name__ for each in plan.values} <= _PLAIN


def are_checked(program: Any, plan: Any) -> bool:
    """Return the same of an ExecutionPlan that `calls.check_calls` has passed."""
    method = Method(program, plan)
    if any(joins(plan, each) for each in instructions(plan)):
        return False
    changed = changed_values(plan)
    return all(
        changed.isdisjoint(call.args)
        and call_name(plan, call) in CHECKED
        and is_checked(Call(method, call))
        for call in kernel_calls(plan)
    )


def is_checked(call: Call) -> bool:
    """Return whether nothing is left to check of a call of one of CHECKED."""
    return call.is_static and CHECKED[call.name](call) and _scratch_lies_apart(call)


def _convolution(call: Call) -> bool:
    sizes = [*call.sizes("input"), *call.sizes("out")]
    return (
        max(sizes) <= _MOST_EXTENT
        and _windows(call, stride=1, padding=0, dilation=1)
        and all(1 <= side <= _MOST_WINDOW for side in call.sizes("weight")[1:3])
        and (not call.has("depth_multiplier") or call.integer("depth_multiplier") >= 1)
        and _scales(call)
        and (call.name not in IN_PLACE.values() or _is_in_place(call))
    )


def _windows(call: Call, **least: int) -> bool:
    return all(
        len(call.ints(name)) in (1, 2)
        and all(low <= each <= _MOST_WINDOW for each in call.ints(name))
        for name, low in least.items()
    )


def _scales(call: Call) -> bool:
    """Return whether all multipliers and shifts are what requantize() takes."""
    multipliers = call.constant("requantize_multipliers")
    shifts = call.constant("requantize_shifts")
    return multipliers is not None and shifts is not None and _in_range(multipliers, shifts)


def _in_range(multipliers: Any, shifts: Any) -> bool:
    multipliers, shifts = np.asarray(multipliers, np.int64), np.asarray(shifts, np.int64)
    return bool(
        ((multipliers > _INT32_MIN) & (multipliers <= _INT32_MAX)).all()
        and ((shifts >= _LEAST_SHIFT) & (shifts <= _MOST_SHIFT)).all()
    )


def _linear(call: Call) -> bool:
    if min(*call.sizes("weights"), *call.sizes("input")) < 1:
        return False
    if type(call.value("requantize_multipliers")).__name__ == "IntList":
        return _in_range(call.ints("requantize_multipliers"), call.ints("requantize_shifts"))
    return _scales(call)


def _packed(numbers: int) -> Callable[[Call], bool]:
    """Words begin with so many numbers: the rows of the output, then others in int8."""

    def check(call: Call) -> bool:
        words = call.constant("words")
        if words is None or min(call.sizes("input")) < 1:
            return False
        rows, *others = (int(each) for each in words[:numbers])
        return rows == call.sizes("out")[-1] <= _MOST_EXTENT and all(
            -128 <= each <= 127 for each in others
        )

    return check


def _packed_conv(call: Call) -> bool:
    """Return whether words, kernel and padding are what packed_conv2d and the like check."""
    words, sizes = call.constant("words"), [*call.sizes("input"), *call.sizes("out")]
    read = call_tensors.Call(call.method.plan, operator(call.name), call.call.args)
    in_ch, out_ch = read.nhwc("input")[3], read.nhwc("out")[3]
    if (
        words is None
        or max(sizes) > _MOST_EXTENT
        or not _windows(call, stride=1, padding=0, dilation=1, kernel=1)
        or math.prod(read.pair("kernel")) > _MOST_TAPS // in_ch
    ):
        return False
    if call.has("turned"):
        return _windows(call, depthwise_padding=0) and not _overlap(
            call.method.plan, call.index("input"), call.index("out")
        )
    if not _is_in_place(call):
        return False
    if call.integer("form") != ConvForm.PAIRS:
        return True
    rows = words.reshape(-1, of_pair(0, in_ch, read.pair("kernel"), read.pair("dilation")))
    channels = np.stack([rows[:, 0] & 0xFFFF, rows[:, 0] >> 16 & 0xFFFF])
    return bool(
        channels.max() == out_ch - 1 and ((rows[:, 1] >= 0) & (rows[:, 1] < _ROUNDINGS)).all()
    )


def _pool(call: Call) -> bool:
    sizes = call_tensors.Call(call.method.plan, operator(call.name), call.call.args)
    kernel, image = sizes.pair("kernel_size"), sizes.nhwc("input")[1:3]
    return (
        max(*call.sizes("input"), *call.sizes("out")) <= _MOST_EXTENT
        and _windows(call, kernel_size=1, stride=1, padding=0)
        and min(kernel[0], image[0]) * min(kernel[1], image[1]) <= _MOST_POOLED
        and (not call.has("multiplier") or _in_range(*map(call.integer, ("multiplier", "shift"))))
    )


def _numbers(call: Call) -> bool:
    """All is in tensors, and in numbers with limits in the tables."""
    del call
    return True


def _is_in_place(call: Call) -> bool:
    """Return whether the output lies apart from the input, or as far before as it must."""
    plan = call.method.plan
    source, out = call.value("input"), call.value("out")
    if source.allocation_info is None or out.allocation_info is None:
        return False
    if not _overlap(plan, call.index("input"), call.index("out")):
        return True
    read = call_tensors.Call(plan, operator(call.name), call.call.args)
    unit = in_place_unit(read)
    before = source.allocation_info.memory_offset - out.allocation_info.memory_offset
    return bool(unit) and before >= in_place_distance(read) and before % unit == 0


def _scratch_lies_apart(call: Call) -> bool:
    plan = call.method.plan
    return not any(
        _overlap(plan, scratch, other) and not _is_widened(call, scratch, other)
        for scratch in _scratches(call)
        for other in tensors_of(plan, call.call.args)
        if other != scratch
    )


def _is_widened(call: Call, scratch: int, other: int) -> bool:
    """Return whether a tensor is the input of a call that may lie in its scratch, and as it may."""
    if call.name not in WIDENS or other != call.index("input"):
        return False
    plan = call.method.plan
    at, of = (plan.values[index].val.allocation_info.memory_offset for index in (scratch, other))
    distance = widened_distance(call_tensors.Call(plan, operator(call.name), call.call.args))
    return bool(distance) and of >= at + distance


def _scratches(call: Call) -> Iterator[int]:
    for name in ("scratch", "output_scratch"):
        if call.has(name):
            yield call.index(name)


def _overlap(plan: Any, one: int, other: int) -> bool:
    """Return whether two tensors share bytes of planned memory."""
    a, b = (plan.values[index].val for index in (one, other))
    if a.allocation_info is None or b.allocation_info is None:
        return False
    if a.allocation_info.memory_id != b.allocation_info.memory_id:
        return False
    at, of = a.allocation_info.memory_offset, b.allocation_info.memory_offset
    return bool(at < of + tensor_bytes(b) and of < at + tensor_bytes(a))


#: What is left to check of the calls of each operator; of other operators, too much.
CHECKED: dict[str, Callable[[Call], bool]] = {
    **dict.fromkeys((*IN_PLACE, *IN_PLACE.values()), _convolution),
    "cortex_m::quantized_linear.out": _linear,
    "mcugen::quantized_linear.out": _linear,
    "mcugen::packed_linear.out": _packed(5),
    "mcugen::packed_linear_4x4.out": _packed(4),
    "mcugen::packed_linear_5x4.out": _packed(5),
    "mcugen::packed_linear_8x16.out": _packed(4),
    **{
        f"mcugen::{kind}{layout}.out": _packed_conv
        for kind in ("packed_conv2d", "packed_conv_depthwise")
        for layout in ("", "_nhwc")
    },
    "mcugen::scaled_add.out": _numbers,
    "cortex_m::quantized_avg_pool2d.out": _pool,
    "cortex_m::quantized_avg_pool2d_nhwc.out": _pool,
    "cortex_m::quantized_max_pool2d.out": _pool,
    "cortex_m::quantized_max_pool2d_nhwc.out": _pool,
    "cortex_m::quantized_activation.out": _numbers,
}
