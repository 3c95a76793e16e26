# SPDX-License-Identifier: BSD-3-Clause
"""Which operators the firmware has: the tables beside its sources."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from mcugen.base.errors import UnsupportedOperatorError
from mcugen.base.resources import executorch_dir, firmware_dir

#: Each family of operators has one or more: name of the operator → its source file beside the
#: table, its schema (operators of ExecuTorch's Cortex-M library have theirs in the wheel), the
#: element types it computes with, the kernels in firmware/kernels that it calls, and what it checks
#: of a call (firmware/ops/README.md).
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
#: Begins the names of operators on numbers, and of those that only the runtime knows.
PRIM = "executorch_prim::"
#: The most stack of an operator whose entry does not say.
OPERATOR_STACK_BYTES = 1088
OTHER_RELEASE = "the file is from another ExecuTorch release; export it again with 1.5.1"


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
    #: What tensor arguments must be: {"input": "int8 image"}. See `call_tensors`.
    takes: Mapping[str, str] = field(default_factory=dict)
    within: Mapping[str, tuple[int, int]] = field(default_factory=dict)  #: limits of int arguments
    shape: str | None = None  #: how the shapes go together: a name in call_tensors.SHAPES
    in_place: tuple[str, ...] = ()  #: arguments whose memory may be that of the result
    stack_bytes: int = OPERATOR_STACK_BYTES  #: at most, of a call that is refused, too

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
        raise unsupported(name, "")
    entry = _table()[name]
    return Operator(
        name,
        _parse_arguments(schema(name)),
        entry["file"],
        tuple(entry["dtypes"]),
        tuple(entry.get("kernels", ())),
        entry.get("takes", {}),
        {name: (low, high) for name, (low, high) in entry.get("within", {}).items()},
        entry.get("shape"),
        tuple(entry.get("in_place", ())),
        entry.get("stack_bytes", OPERATOR_STACK_BYTES),
    )


def schema(name: str) -> str:
    """Return the schema of operator `name`: "(Tensor self, *, Tensor(a!) out)"."""
    entry = _table()[name]
    return str(entry["schema"] if "schema" in entry else _cortex_m_schemas()[name])


def unsupported(name: str, where: str) -> UnsupportedOperatorError:
    """Return the error that says that operator `name` is missing; where: " (instruction 3)"."""
    near = difflib.get_close_matches(name, names(), n=2, cutoff=0.7)
    return UnsupportedOperatorError(
        f"operator {name} is not in the firmware{where}",
        hint=(f"The firmware has {' and '.join(near)}. " if near else "")
        + "Replace the layer it comes from, or compute it outside of the model.",
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
