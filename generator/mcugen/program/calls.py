# SPDX-License-Identifier: BSD-3-Clause
"""Whether a program's calls fit the firmware's operators, and what they cost.

A `.pte` from another ExecuTorch release calls operators with other argument lists: it would load
and then fail on the device, so every call is checked here, against the schemas of the installed
release, before anything is compiled.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from mcugen.base.errors import PteError, UnsupportedOperatorError
from mcugen.program import call_tensors
from mcugen.program.aliases import joined_tensors
from mcugen.program.artifact import DTYPES
from mcugen.program.operator_table import (
    OTHER_RELEASE,
    PRIM,
    Operator,
    operator,
    supported,
    unsupported,
)
from mcugen.program.reference.numbers import NUMBERS
from mcugen.program.values import instructions, numbered_calls
from mcugen.program.window import Window

#: Operators that give the same float bits wherever they run: they select, they do not compute.
_SELECT = frozenset({"clamp", "hardtanh", "maximum", "minimum", "relu", "max_pool2d_with_indices"})

#: Namespaces of operators on quantized tensors.
_INT8 = ("cortex_m::", "mcugen::")
_RECURRENT = frozenset(f"mcugen::quantized_{kind}.out" for kind in ("lstm", "gru", "rnn"))
_RECURRENT_WEIGHTS = ("weight_ih", "weight_hh")


class CallRefusedError(UnsupportedOperatorError):
    """A call that the device would refuse when it is reached.

    call: which of the program's calls it is, those of executorch_prim not counted.
    """

    call: int | None = None


def rounds(name: str) -> bool:
    """Return whether operator `name` computes in float, so that another library may round apart.

    Copies and selections do not, nor does what stays in integers.
    """
    operation = name.partition("::")[2].partition(".")[0]
    return (
        not name.startswith(_INT8)
        and operation not in _SELECT
        and "float32" in operator(name).dtypes
    )


def check_calls(plan: Any) -> None:
    """Check every operator call of an ExecutionPlan of executorch.exir.schema.

    Raises UnsupportedOperatorError for an operator the firmware lacks or a call that it would
    refuse, PteError for a call whose arguments do not fit the operator's schema. Indices must have
    been checked before.
    """
    calls = list(numbered_calls(plan))
    missing = Counter(name for _, name, _ in calls if not supported(name))
    if missing:
        name = next(name for _, name, _ in calls if name in missing)
        instruction, args = next((index, args) for index, each, args in calls if each == name)
        others = ", ".join(f"{each} ({count} calls)" for each, count in missing.items())
        where = f" (instruction {instruction}{_computed(plan, args)})"
        raise unsupported(name, where + (f": {others}" if len(missing) > 1 else ""))
    joined = joined_tensors(plan)
    changed = changed_values(plan)
    own = 0
    for index, name, args in calls:
        called = operator(name)
        _check_call(plan, index, called, args, joined)
        try:
            call_tensors.check(plan, called, args, changed=changed)
        except call_tensors.Refused as refused:
            error = CallRefusedError(
                f"the device would refuse instruction {index}, {name}"
                f"{_computed(plan, args)}: {refused.why}",
                hint="Write the layer in another way, or give it a copy: x.contiguous().",
            )
            error.call = own
            raise error from None
        own += not name.startswith(PRIM)


def changed_values(plan: Any) -> frozenset[int]:
    """Return the values that are others when a call is reached than they are in the file."""
    moved = {each.move_to for each in instructions(plan) if type(each).__name__ == "MoveCall"}
    computed = {args[-1] for _, name, args in numbered_calls(plan) if args and name in NUMBERS}
    return frozenset(moved | computed)


def macs(plan: Any) -> int:
    """Return the multiply-accumulates of one inference, in int8 and in float.

    Those of convolutions, linear layers and matrix products; padding is counted as if it were
    image.
    """
    return sum(call_macs(plan, name, args) for _, name, args in numbered_calls(plan))


#: Matrix products: which argument's last axis is what is summed over.
_SUMMED_OVER = {
    "cortex_m::quantized_batch_matmul": 0,
    "aten::addmm": 1,
    "aten::bmm": 0,
    "aten::linear": 0,
    "aten::mm": 0,
}


_WEIGHTS_BY_OUTPUT = (
    "cortex_m::quantized_conv2d",
    "cortex_m::quantized_linear",
    "mcugen::conv2d_in_place",
    "mcugen::quantized_linear",
)


_DEPTHWISE = ("cortex_m::quantized_depthwise_conv2d", "mcugen::depthwise_conv2d_in_place")


def call_macs(plan: Any, name: str, args: list[int]) -> int:
    """Return the multiply-accumulates of one call of operator `name`, 0 where it has none."""
    if name in _RECURRENT:
        return _recurrent_macs(plan, name, args)
    kind = name.removesuffix(".out").removesuffix("_nhwc")
    if kind in _SUMMED_OVER:
        return _elements(plan, args[-1]) * int(_sizes(plan, args[_SUMMED_OVER[kind]])[-1])
    if kind in _WEIGHTS_BY_OUTPUT:  # [out, …]
        return _elements(plan, args[-1]) * math.prod(_sizes(plan, args[1])[1:])
    if kind == "mcugen::packed_conv2d":
        read = call_tensors.Call(plan, operator(name), args)
        taps = math.prod(read.pair("kernel")) * read.nhwc("input")[3]
        return _elements(plan, args[-1]) * taps // (read.integer("groups") or 1)
    if kind == "mcugen::packed_conv_depthwise":
        conv, depthwise = Window.of_joined(call_tensors.Call(plan, operator(name), args))
        taps = conv.kernel_h * conv.kernel_w * conv.in_ch
        return conv.pixels * conv.out_ch * taps + depthwise.pixels * depthwise.out_ch * 9
    if kind.startswith("mcugen::packed_linear"):
        return _elements(plan, args[-1]) * int(_sizes(plan, args[0])[-1])
    if kind in _DEPTHWISE:  # [1, height, width, out]
        return _elements(plan, args[-1]) * math.prod(_sizes(plan, args[1])[1:3])
    # Where it is transposed, each input meets all of the kernel.
    if kind == "cortex_m::quantized_transpose_conv2d":  # [out, height, width, in]
        return _elements(plan, args[0]) * math.prod(_sizes(plan, args[1])[:3])
    if kind == "aten::convolution":  # [out, in of a group, …]; transposed [in, out of a group, …]
        transposed = plan.values[args[6]].val.bool_val
        return _elements(plan, args[0 if transposed else -1]) * math.prod(_sizes(plan, args[1])[1:])
    return 0


def _sizes(plan: Any, index: int) -> list[int]:
    return list(plan.values[index].val.sizes)


def _elements(plan: Any, index: int) -> int:
    return math.prod(_sizes(plan, index))


def _recurrent_macs(plan: Any, name: str, args: list[int]) -> int:
    """Return those of both matrices, in each step."""
    names = [argument.name for argument in operator(name).arguments]
    steps, batch, _ = plan.values[args[0]].val.sizes
    weights = (plan.values[args[names.index(each)]].val.sizes for each in _RECURRENT_WEIGHTS)
    return int(steps * batch * sum(math.prod(sizes) for sizes in weights))


def _check_call(
    plan: Any, index: int, called: Operator, args: list[int], joined: frozenset[int]
) -> None:
    where = f"instruction {index} ({called.name})"
    # The exporter appends the return value, which is `out` again.
    expected = len(called.arguments) + 1
    if len(args) != expected:
        raise PteError(
            f"{where} has {len(args)} arguments, the operator takes {expected}",
            hint=f"{OTHER_RELEASE[0].upper()}{OTHER_RELEASE[1:]}.",
        )
    for position, (argument, value_index) in enumerate(zip(called.arguments, args, strict=False)):
        value = plan.values[value_index].val
        kind = type(value).__name__
        if kind not in argument.kinds:
            raise PteError(
                f"{where}: argument {position} '{argument.name}' is {kind}, "
                f"expected {argument.type}",
                hint=f"If it is not damaged, {OTHER_RELEASE}.",
            )
        if kind == "IntList":
            for item in value.items:
                if type(plan.values[item].val).__name__ != "Int":
                    raise PteError(f"{where}: argument {position} '{argument.name}' is no int[]")
    _check_element_type(plan, where, called, args)
    _check_outputs(plan, where, called, args, joined)


def _check_element_type(plan: Any, where: str, called: Operator, args: list[int]) -> None:
    """Refuse integers where an operator computes with floats only.

    The exporter leaves float operators on quantized tensors where it finds no int8 operator: their
    scale is lost, so there is nothing right to compute.
    """
    tensor = plan.values[args[0]].val
    if type(tensor).__name__ != "Tensor" or called.name.startswith(
        ("cortex_m::", "mcugen::", PRIM)
    ):
        return
    dtype = DTYPES[int(tensor.scalar_type)][0]
    if dtype not in called.dtypes and all(each.startswith("float") for each in called.dtypes):
        raise UnsupportedOperatorError(
            f"operator {called.name} is called with {dtype} values, it computes with "
            f"{' and '.join(called.dtypes)} (at {where.partition(' (')[0]}{_computed(plan, args)})",
            hint="The exporter found no int8 operator for a quantized layer, and left it without "
            "its scale. Replace the layer, or keep it out of quantization.",
        )


def _check_outputs(
    plan: Any, where: str, called: Operator, args: list[int], joined: frozenset[int]
) -> None:
    """Check that a call returns what it writes to, and writes to nothing that may be constant."""
    written = [args[position] for position in called.outputs]
    if not written:
        return
    returned = plan.values[args[-1]].val
    out = plan.values[written[0]].val
    if len(written) > 1:
        same = type(returned).__name__ == "TensorList" and list(returned.items) == written
    elif type(out).__name__ == "TensorList":  # the exporter writes such a list twice
        same = returned == out
    else:
        same = args[-1] == written[0]
    if not same:
        raise PteError(f"{where} returns another value than its 'out' argument")
    for value_index in written:
        value = plan.values[value_index].val
        for item in value.items if type(value).__name__ == "TensorList" else [value_index]:
            tensor = plan.values[item].val
            if tensor.allocation_info is None and tensor.data_buffer_idx:
                raise PteError(f"{where} writes to a constant")
            if item in joined:
                raise PteError(f"{where} writes to value {item}, the target of a move or view")


def _computed(plan: Any, args: list[int]) -> str:
    """Return ", which computes a tensor [1, 10]": what to find the call in a model by."""
    value: Any = plan.values[args[-1]].val if args else None
    if type(value).__name__ != "Tensor":
        return ""
    return f", which computes a tensor {list(value.sizes)}"
