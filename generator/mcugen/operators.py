# SPDX-License-Identifier: BSD-3-Clause
"""Which operators the firmware has, and whether a program's calls fit them.

A `.pte` from another ExecuTorch release calls operators with other argument lists: it would load
and then fail on the device, so every call is checked here, against the schemas of the installed
release, before anything is compiled.
"""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from mcugen.errors import PteError, UnsupportedOperatorError
from mcugen.resources import executorch_dir

#: Operators of ExecuTorch's Cortex-M library that the firmware has, by source file in
#: firmware/ops; their schemas come with the executorch wheel.
_CORTEX_M_FILES = {
    "dequantize_per_tensor": "op_dequantize_per_tensor.cpp",
    "maximum": "op_maximum.cpp",
    "minimum": "op_minimum.cpp",
    "pad": "op_pad.cpp",
    "quantize_per_tensor": "op_quantize_per_tensor.cpp",
    "quantized_activation": "op_quantized_activation.cpp",
    "quantized_add": "op_quantized_add.cpp",
    "quantized_avg_pool2d": "op_quantized_avg_pool2d.cpp",
    "quantized_avg_pool2d_nhwc": "op_quantized_avg_pool2d.cpp",
    "quantized_batch_matmul": "op_quantized_batch_matmul.cpp",
    "quantized_conv2d": "op_quantized_conv2d.cpp",
    "quantized_conv2d_nhwc": "op_quantized_conv2d.cpp",
    "quantized_depthwise_conv2d": "op_quantized_depthwise_conv2d.cpp",
    "quantized_depthwise_conv2d_nhwc": "op_quantized_depthwise_conv2d.cpp",
    "quantized_div": "op_quantized_div.cpp",
    "quantized_linear": "op_quantized_linear.cpp",
    "quantized_max_pool2d": "op_quantized_max_pool2d.cpp",
    "quantized_max_pool2d_nhwc": "op_quantized_max_pool2d.cpp",
    "quantized_mul": "op_quantized_mul.cpp",
    "quantized_transpose_conv2d": "op_quantized_transpose_conv2d.cpp",
    "quantized_transpose_conv2d_nhwc": "op_quantized_transpose_conv2d.cpp",
    "softmax": "op_softmax.cpp",
    "transpose": "op_transpose.cpp",
}

#: The other operators: source file and schema. In the schema, as everywhere, `out` comes last.
_OTHERS = {
    "aten::clamp.out": (
        "op_clamp.cpp",
        "(Tensor self, Scalar? min=None, Scalar? max=None, *, Tensor(a!) out)",
    ),
    "aten::clone.out": (
        "op_clone.cpp",
        "(Tensor self, *, MemoryFormat? memory_format=None, Tensor(a!) out)",
    ),
    "aten::hardtanh.out": (
        "op_clamp.cpp",
        "(Tensor self, Scalar min_val=-1, Scalar max_val=1, *, Tensor(a!) out)",
    ),
    "aten::maximum.out": ("op_maximum.cpp", "(Tensor self, Tensor other, *, Tensor(a!) out)"),
    "aten::minimum.out": ("op_minimum.cpp", "(Tensor self, Tensor other, *, Tensor(a!) out)"),
    "aten::permute_copy.out": ("op_transpose.cpp", "(Tensor self, int[] dims, *, Tensor(a!) out)"),
    "aten::relu.out": ("op_clamp.cpp", "(Tensor self, *, Tensor(a!) out)"),
    "aten::view_copy.out": ("op_view_copy.cpp", "(Tensor self, int[] size, *, Tensor(a!) out)"),
    "dim_order_ops::_clone_dim_order.out": (
        "op_clone_dim_order.cpp",
        "(Tensor self, *, bool non_blocking=False, int[]? dim_order=None, Tensor(a!) out)",
    ),
    "dim_order_ops::_to_dim_order_copy.out": (
        "op_clone_dim_order.cpp",
        "(Tensor self, *, bool non_blocking=False, int[]? dim_order=None, Tensor(a!) out)",
    ),
}

#: What a program may hold where a schema asks for a type. A number may be written either way.
_VALUE_KINDS = {
    "Tensor": {"Tensor"},
    "MemoryFormat": {"Int"},
    "Scalar": {"Int", "Double", "Bool"},
    "ScalarType": {"Int"},
    "bool": {"Bool"},
    "float": {"Double", "Int"},
    "int": {"Int"},
    "int[]": {"IntList"},
}

_OTHER_RELEASE = "the file is from another ExecuTorch release; export it again with 1.5.1"


@dataclass(frozen=True)
class Argument:
    """One argument of an operator's schema."""

    name: str
    type: str  #: as in the schema, without alias marks: "Tensor", "int[]?"

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of value of a program that fit."""
        optional = self.type.endswith("?")
        kinds = _VALUE_KINDS[self.type.removesuffix("?")]
        return frozenset(kinds | {"Null"} if optional else kinds)


@dataclass(frozen=True)
class Operator:
    """One operator of the firmware."""

    name: str  #: "cortex_m::quantized_conv2d.out"
    arguments: tuple[Argument, ...]  #: the last is `out`
    file: str  #: in firmware/ops

    @property
    def function(self) -> str:
        """The C++ function in namespace mcugen::ops."""
        return self.name.replace("::", "__").replace(".", "_")


def names() -> tuple[str, ...]:
    """Return the names of all operators of the firmware, sorted."""
    return tuple(sorted([f"cortex_m::{name}.out" for name in _CORTEX_M_FILES] + list(_OTHERS)))


def supported(name: str) -> bool:
    """Return whether the firmware has the operator `name` ("cortex_m::pad.out")."""
    return name in names()


def function_for(name: str) -> str:
    """Return the C++ function of operator `name`, without its namespace mcugen::ops.

    Raises UnsupportedOperatorError, with the nearest names as its hint.
    """
    return operator(name).function


@cache
def operator(name: str) -> Operator:
    """Return what is known about operator `name`; raises UnsupportedOperatorError."""
    if not supported(name):
        raise _unsupported(name, "")
    if name in _OTHERS:
        file, schema = _OTHERS[name]
    else:
        file = _CORTEX_M_FILES[name.removeprefix("cortex_m::").removesuffix(".out")]
        schema = _cortex_m_schemas()[name]
    return Operator(name, _parse_arguments(schema), file)


def check_calls(plan: Any) -> None:
    """Check every operator call of an ExecutionPlan of executorch.exir.schema.

    Raises UnsupportedOperatorError for an operator the firmware lacks, PteError for a call whose
    arguments do not fit the operator's schema. Indices must have been checked before.
    """
    calls = list(_calls(plan))
    missing = Counter(name for _, name, _ in calls if not supported(name))
    if missing:
        name = next(name for _, name, _ in calls if name in missing)
        instruction = next(index for index, each, _ in calls if each == name)
        others = ", ".join(f"{each} ({count} calls)" for each, count in missing.items())
        raise _unsupported(
            name, f" (instruction {instruction})" + (f": {others}" if len(missing) > 1 else "")
        )
    for index, name, args in calls:
        _check_call(plan, index, operator(name), args)


def temp_bytes(plan: Any) -> int:
    """Return the most bytes a call takes from the temp allocator: the kernels need none."""
    del plan
    return 0


def macs(plan: Any) -> int:
    """Return the multiply-accumulates of one inference, padding counted as if it were image."""
    return sum(_call_macs(plan, name, args) for _, name, args in _calls(plan))


def _call_macs(plan: Any, name: str, args: list[int]) -> int:
    kind = name.removeprefix("cortex_m::").removesuffix(".out").removesuffix("_nhwc")
    if kind not in (
        "quantized_conv2d",
        "quantized_depthwise_conv2d",
        "quantized_transpose_conv2d",
        "quantized_linear",
        "quantized_batch_matmul",
    ):
        return 0
    outputs = math.prod(plan.values[args[-1]].val.sizes)
    if kind == "quantized_batch_matmul":
        return outputs * int(plan.values[args[0]].val.sizes[-1])
    weights = plan.values[args[1]].val.sizes
    if kind == "quantized_depthwise_conv2d":  # [1, height, width, out]
        return outputs * math.prod(weights[1:3])
    if kind == "quantized_transpose_conv2d":  # [out, height, width, in]: each input meets them all
        return math.prod(plan.values[args[0]].val.sizes) * math.prod(weights[:3])
    return outputs * math.prod(weights[1:])  # [out, …]


def _calls(plan: Any) -> Iterator[tuple[int, str, list[int]]]:
    """Yield (instruction, operator name, argument value indices) of each kernel call."""
    for chain in plan.chains:
        for index, instruction in enumerate(chain.instructions):
            call = instruction.instr_args
            if type(call).__name__ == "KernelCall":
                called = plan.operators[call.op_index]
                name = f"{called.name}.{called.overload}" if called.overload else called.name
                yield index, name, list(call.args)


def _check_call(plan: Any, index: int, called: Operator, args: list[int]) -> None:
    where = f"instruction {index} ({called.name})"
    # The exporter appends the return value, which is `out` again.
    expected = len(called.arguments) + 1
    if len(args) != expected:
        raise PteError(
            f"{where} has {len(args)} arguments, the operator takes {expected}",
            hint=f"{_OTHER_RELEASE[0].upper()}{_OTHER_RELEASE[1:]}.",
        )
    if args[-1] != args[-2]:
        raise PteError(f"{where} returns another value than its 'out' argument")
    for position, (argument, value_index) in enumerate(zip(called.arguments, args, strict=False)):
        value = plan.values[value_index].val
        kind = type(value).__name__
        if kind not in argument.kinds:
            raise PteError(
                f"{where}: argument {position} '{argument.name}' is {kind}, "
                f"expected {argument.type}",
                hint=f"If it is not damaged, {_OTHER_RELEASE}.",
            )
        if kind == "IntList":
            for item in value.items:
                if type(plan.values[item].val).__name__ != "Int":
                    raise PteError(f"{where}: argument {position} '{argument.name}' is no int[]")
    out = plan.values[args[-1]].val
    if out.allocation_info is None and out.data_buffer_idx:
        raise PteError(f"{where} writes to a constant")


def _unsupported(name: str, where: str) -> UnsupportedOperatorError:
    near = difflib.get_close_matches(name, names(), n=2, cutoff=0.7)
    return UnsupportedOperatorError(
        f"operator {name} is not in the firmware{where}",
        hint=(f"The firmware has {' and '.join(near)}. " if near else "")
        + "Replace the layer it comes from, or see firmware/ops/README.md on adding an operator.",
    )


@cache
def _cortex_m_schemas() -> dict[str, str]:
    """Return the argument list of each operator in the wheel's operators.yaml."""
    path = executorch_dir() / "backends" / "cortex_m" / "ops" / "operators.yaml"
    found = re.findall(r"^- func: ([\w:.]+)(\(.*\)) ->", path.read_text("utf-8"), re.MULTILINE)
    return dict(found)


def _parse_arguments(schema: str) -> tuple[Argument, ...]:
    """Parse "(Tensor self, int[]? dim_order=None, *, Tensor(a!) out)"."""
    arguments = []
    for part in schema[1:-1].split(", "):
        if part != "*":
            kind, name = part.replace("(a!)", "").split(" ")
            arguments.append(Argument(name.split("=")[0], kind))
    return tuple(arguments)
