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
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from mcugen.errors import PteError, UnsupportedOperatorError
from mcugen.resources import executorch_dir, firmware_dir

#: Each family of operators has one or more: name of the operator → its source file beside the
#: table, its schema (operators of ExecuTorch's Cortex-M library have theirs in the wheel), the
#: element types it computes with, and the kernels in firmware/kernels that it calls.
_TABLES = "ops/*/*.toml"

#: What a program may hold where a schema asks for a type. A number may be written either way.
_VALUE_KINDS = {
    "Device": {"Int"},
    "Layout": {"Int"},
    "MemoryFormat": {"Int"},
    "Scalar": {"Int", "Double", "Bool"},
    "ScalarType": {"Int"},
    "Tensor": {"Tensor"},
    "Tensor[]": {"TensorList"},
    "Tensor?[]": {"TensorList", "OptionalTensorList"},
    "bool": {"Bool"},
    "bool[]": {"BoolList"},
    "float": {"Double", "Int"},
    "float[]": {"DoubleList"},
    "int": {"Int"},
    "int[]": {"IntList"},
    "str": {"String"},
}

_OTHER_RELEASE = "the file is from another ExecuTorch release; export it again with 1.5.1"


@dataclass(frozen=True)
class Argument:
    """One argument of an operator's schema."""

    name: str
    type: str  #: as in the schema, without alias marks and lengths: "Tensor", "int[]?"
    written: bool = False  #: marked in the schema as written to: `out`

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
    arguments: tuple[Argument, ...]  #: what is written to, as a rule `out`, comes last
    file: str  #: in firmware/ops: "shape/op_copy.cpp"
    dtypes: tuple[str, ...]  #: element types it computes with: "int8", "float32"; "any": copies
    kernels: tuple[str, ...]  #: in firmware/kernels, without "_scalar"; empty: computed in ops

    @property
    def outputs(self) -> tuple[int, ...]:
        """The positions of the arguments that are written to; none for symbolic arithmetic."""
        return tuple(i for i, argument in enumerate(self.arguments) if argument.written)

    @property
    def family(self) -> str:
        """The folder in firmware/ops."""
        return self.file.partition("/")[0]

    @property
    def function(self) -> str:
        """The C++ function in namespace mcugen::ops."""
        return self.name.replace("::", "__").replace(".", "_")


def names() -> tuple[str, ...]:
    """Return the names of all operators of the firmware, sorted."""
    return tuple(sorted(_table()))


def supported(name: str) -> bool:
    """Return whether the firmware has the operator `name` ("cortex_m::pad.out")."""
    return name in _table()


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
    entry = _table()[name]
    return Operator(
        name,
        _parse_arguments(entry["schema"] if "schema" in entry else _cortex_m_schemas()[name]),
        entry["file"],
        tuple(entry["dtypes"]),
        tuple(entry.get("kernels", ())),
    )


#: Arguments that are memory to work in: what they hold does not matter.
_NOT_READ = frozenset({"scratch"})

_MOST_PLANNED_BYTES = 1 << 30

_PRIM = "executorch_prim::"

#: Gives its result the memory of its argument.
_VIEW = "executorch_prim::et_view"

#: Operators that give the same float bits wherever they run: they select, they do not compute.
_SELECT = frozenset({"clamp", "hardtanh", "maximum", "minimum", "relu", "max_pool2d_with_indices"})


def rounds(name: str) -> bool:
    """Return whether operator `name` computes in float, so that another library may round apart.

    Copies and selections do not, nor does what stays in integers.
    """
    operation = name.partition("::")[2].partition(".")[0]
    return (
        not name.startswith("cortex_m::")
        and operation not in _SELECT
        and "float32" in operator(name).dtypes
    )


def check_calls(plan: Any) -> None:
    """Check every operator call of an ExecutionPlan of executorch.exir.schema.

    Raises UnsupportedOperatorError for an operator the firmware lacks, PteError for a call whose
    arguments do not fit the operator's schema. Indices must have been checked before.
    """
    calls = list(_calls(plan))
    missing = Counter(name for _, name, _ in calls if not supported(name))
    if missing:
        name = next(name for _, name, _ in calls if name in missing)
        instruction, args = next((index, args) for index, each, args in calls if each == name)
        others = ", ".join(f"{each} ({count} calls)" for each, count in missing.items())
        where = f" (instruction {instruction}{_computed(plan, args)})"
        raise _unsupported(name, where + (f": {others}" if len(missing) > 1 else ""))
    joined = _joined(plan)
    for index, name, args in calls:
        _check_call(plan, index, operator(name), args, joined)


def keeps_state(plan: Any) -> bool:
    """Return whether an inference may depend on those before it.

    It does where planned memory is used before an input or an instruction has filled it: there is
    what the inference before left. In the order of the file, which is that of control flow but for
    loops; what a loop keeps from turn to turn is taken for state if it is read first.
    """
    from mcugen.pte import tensor_bytes

    if sum(plan.non_const_buffer_sizes) > _MOST_PLANNED_BYTES:
        return True  # No device has that; it need not be looked at byte by byte.
    # By bytes: a view without a copy is a tensor at the same place, and no instruction.
    filled = [bytearray(size) for size in plan.non_const_buffer_sizes]
    joined: set[int] = set()  # has the memory of what it was joined with, not its own

    def place(index: int) -> tuple[bytearray, slice]:
        tensor = plan.values[index].val
        start = tensor.allocation_info.memory_offset
        return filled[tensor.allocation_info.memory_id], slice(start, start + tensor_bytes(tensor))

    def reads(indices: Iterable[int]) -> bool:
        for index in _tensors_of(plan, indices):
            if plan.values[index].val.allocation_info is not None and index not in joined:
                memory, where = place(index)
                if 0 in memory[where]:
                    return True
        return False

    def fill(indices: Iterable[int]) -> None:
        for index in _tensors_of(plan, indices):
            if plan.values[index].val.allocation_info is not None:
                memory, where = place(index)
                memory[where] = b"\1" * (where.stop - where.start)

    fill(plan.inputs)
    for chain in plan.chains:
        for instruction in chain.instructions:
            arguments = instruction.instr_args
            targets: list[int] = []
            match type(arguments).__name__:
                case "KernelCall":
                    used, targets = _reads_and_writes(plan, arguments)
                case "MoveCall":
                    used = [arguments.move_from]
                case "JumpFalseCall":
                    used = [arguments.cond_value_index]
                case _:
                    continue
            if reads(used):
                return True
            fill(targets)
            joined.update(_joins(plan, arguments))
    return reads(plan.outputs)


def _reads_and_writes(plan: Any, call: Any) -> tuple[list[int], list[int]]:
    """Return the values whose bytes a call uses, and those that it gives new ones."""
    name = _call_name(plan, call)
    called, args = operator(name), list(call.args)
    targets = [args[position] for position in called.outputs] + args[-1:]
    reads = [
        index
        for argument, index in zip(called.arguments, args, strict=False)
        if not argument.written and argument.name not in _NOT_READ
    ]
    if name.startswith(_VIEW):
        return reads, []
    if name.startswith("executorch_prim::et_copy_index"):  # fills it from the start, item by item
        return args[1:2], [args[0]]
    # In place: what is not written over stays.
    if name.partition(".")[0].endswith("_") and name.partition(".")[0] != "aten::copy_":
        reads += [args[position] for position in called.outputs]
    return reads, targets


def _tensors_of(plan: Any, indices: Iterable[int]) -> list[int]:
    """Return the tensors among values and the items of those that are lists of tensors."""
    found = []
    for index in indices:
        value = plan.values[index].val
        if type(value).__name__ == "Tensor":
            found.append(index)
        elif type(value).__name__ in ("TensorList", "OptionalTensorList"):
            found += [item for item in value.items if item >= 0]
    return found


def _joins(plan: Any, arguments: Any) -> list[int]:
    """Return the tensors that an instruction gives another one's memory."""
    kind = type(arguments).__name__
    if kind == "MoveCall":
        return _tensors_of(plan, [arguments.move_to])
    view = kind == "KernelCall" and _call_name(plan, arguments).startswith(_VIEW)
    return _tensors_of(plan, arguments.args[-1:]) if view else []


def _joined(plan: Any) -> frozenset[int]:
    """Return the tensors that a move or a view gives another one's memory, maybe a constant's.

    Raises PteError if one of them is an input, which is copied to where the plan has put it.
    """
    found = {
        index
        for chain in plan.chains
        for instruction in chain.instructions
        for index in _joins(plan, instruction.instr_args)
    }
    for index in sorted(found & set(plan.inputs)):
        raise PteError(f"value {index} is an input and the target of a move or view")
    return frozenset(found)


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
                yield index, _call_name(plan, call), list(call.args)


def _call_name(plan: Any, call: Any) -> str:
    called = plan.operators[call.op_index]
    return f"{called.name}.{called.overload}" if called.overload else str(called.name)


def _check_call(
    plan: Any, index: int, called: Operator, args: list[int], joined: frozenset[int]
) -> None:
    where = f"instruction {index} ({called.name})"
    # The exporter appends the return value, which is `out` again.
    expected = len(called.arguments) + 1
    if len(args) != expected:
        raise PteError(
            f"{where} has {len(args)} arguments, the operator takes {expected}",
            hint=f"{_OTHER_RELEASE[0].upper()}{_OTHER_RELEASE[1:]}.",
        )
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
    _check_element_type(plan, where, called, args)
    _check_outputs(plan, where, called, args, joined)


def _check_element_type(plan: Any, where: str, called: Operator, args: list[int]) -> None:
    """Refuse integers where an operator computes with floats only.

    The exporter leaves float operators on quantized tensors where it finds no int8 operator: their
    scale is lost, so there is nothing right to compute.
    """
    from mcugen.pte import DTYPES

    tensor = plan.values[args[0]].val
    if type(tensor).__name__ != "Tensor" or called.name.startswith(("cortex_m::", _PRIM)):
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


def _unsupported(name: str, where: str) -> UnsupportedOperatorError:
    near = difflib.get_close_matches(name, names(), n=2, cutoff=0.7)
    return UnsupportedOperatorError(
        f"operator {name} is not in the firmware{where}",
        hint=(f"The firmware has {' and '.join(near)}. " if near else "")
        + "Replace the layer it comes from, or see firmware/ops/README.md on adding an operator.",
    )


@cache
def _table() -> dict[str, dict[str, Any]]:
    """Return the entries of all families' tables, with `file` as a path in firmware/ops."""
    entries: dict[str, dict[str, Any]] = {}
    for path in sorted(firmware_dir().glob(_TABLES)):
        for name, entry in tomllib.loads(path.read_text("utf-8")).items():
            entries[name] = entry | {"file": f"{path.parent.name}/{entry['file']}"}
    return entries


@cache
def _cortex_m_schemas() -> dict[str, str]:
    """Return the argument list of each operator in the wheel's operators.yaml."""
    path = executorch_dir() / "backends" / "cortex_m" / "ops" / "operators.yaml"
    found = re.findall(r"^- func: ([\w:.]+)(\(.*\)) ->", path.read_text("utf-8"), re.MULTILINE)
    return dict(found)


def _parse_arguments(schema: str) -> tuple[Argument, ...]:
    """Parse "(Tensor self, int[2]? dim_order=None, *, Tensor(a!) out)"."""
    arguments = []
    for part in re.split(r", (?![^\[(]*[\])])", schema[1:-1]):
        if part and part != "*":
            kind, name = part.split(" ")
            plain = re.sub(r"\(\w+!\)", "", kind).replace("SymInt", "int")
            plain = re.sub(r"\[\d+\]", "[]", plain)
            arguments.append(Argument(name.split("=")[0], plain, "!" in kind))
    return tuple(arguments)
