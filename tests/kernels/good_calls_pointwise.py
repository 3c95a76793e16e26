# SPDX-License-Identifier: BSD-3-Clause
"""A good call of each operator of firmware/ops/pointwise and reduce; see test_bad_arguments.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from op_host import T

from mcugen.program import operator_table
from mcugen.program.operator_table import Argument

#: Those that test_bad_arguments.py has.
_ELSEWHERE = {"clamp.out", "hardtanh.out", "relu.out", "maximum.out", "minimum.out"}
_REDUCTIONS = {"sum", "mean", "prod", "amax", "amin", "argmax", "argmin", "any", "var", "var_mean"}
_PREDICATES = {"eq", "ne", "lt", "le", "gt", "ge", "any", "isnan", "isinf"}
_PREDICATES |= {f"logical_{name}" for name in ("and", "or", "xor", "not")}


def _base(operator: str) -> str:
    return operator.removeprefix("aten::").partition(".")[0]


def _out_dtype(operator: str, argument: Argument) -> type:
    base = _base(operator)
    if base.startswith("arg") or argument.name in ("max_values", "min_indices"):
        return np.int64
    return np.bool_ if base in _PREDICATES else _dtype(operator)


def _dtype(operator: str) -> type:
    return np.int32 if _base(operator).startswith("bitwise") else np.float32


def _out_shape(operator: str) -> tuple[int, ...]:
    base, _, overload = operator.removeprefix("aten::").partition(".")
    if base == "glu":
        return (2, 2)
    if overload in ("unary_out", "all_out", "dtype_out") or operator == "aten::prod.out":
        return ()
    return (2,) if base in _REDUCTIONS or overload in ("dim_max", "dim_min") else (2, 4)


def _argument(operator: str, argument: Argument) -> Any:
    if argument.written:
        # What comes out: an output that is not the last is taken for an input.
        fill = 0 if argument.name == "out0" else 1
        return T(np.full(_out_shape(operator), fill, _out_dtype(operator, argument)))
    if argument.type in ("Tensor", "Tensor?"):
        is_mask = argument.name in ("condition", "mask")
        return T(np.ones((2, 4), np.bool_ if is_mask else _dtype(operator)))
    return {
        "Scalar": 2,
        "Scalar?": 1,
        "ScalarType?": None,
        "bool": False,
        "float?": None,
        "int": 1,
        "int?": 1,
        "int[]": [1],
        "int[]?": [1],
        "str": "tanh",
        "str?": "floor",
    }[argument.type]


def _call(operator: str) -> list[Any]:
    return [_argument(operator, each) for each in operator_table.operator(operator).arguments]


def _maker(operator: str) -> Callable[[], list[Any]]:
    return lambda: _call(operator)


_NAMES = [
    name
    for name in operator_table.names()
    if operator_table.operator(name).family in ("pointwise", "reduce")
    and name.startswith("aten::")
    and name.removeprefix("aten::") not in _ELSEWHERE
]

#: Operator → its arguments, those written to included.
CALLS: dict[str, Callable[[], list[Any]]] = {name: _maker(name) for name in _NAMES}


def _any_type(value: Any) -> bool:
    """A tensor that is unusual in nothing but its type, one that operators compute with."""
    return (
        isinstance(value, T)
        and value.array.dtype in (np.float32, np.int8)
        and value.array.ndim <= 8
        and value._is_permutation
        and not value.null_data
        and not value.misalignment
    )


def _any_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _none(value: Any) -> bool:
    return value is None


def _any_number_or_none(value: Any) -> bool:
    return value is None or _any_number(value)


def _same_scalar(dtype: type) -> Callable[[Any], bool]:
    """Of rank 0 there is but one dim order, so that a tensor with a wrong one is right."""
    return lambda value: (
        isinstance(value, T)
        and value.array.ndim == 0
        and value.array.dtype == dtype
        and not value.null_data
        and not value.misalignment
    )


def _allowed() -> dict[tuple[str, int], Callable[[Any], bool]]:
    """Types are promoted, and numbers of any size are computed with."""
    allowed: dict[tuple[str, int], Callable[[Any], bool]] = {}
    # Their good calls are of int8, which any type holds, by test_bad_arguments.py.
    for name, count in (("clamp", 4), ("relu", 2), ("maximum", 3), ("minimum", 3)):
        allowed[f"aten::{name}.out", count - 1] = _any_type
    allowed["aten::hardtanh.out", 0] = _any_type  # its good call is of float32
    for name in ("cortex_m::minimum.out", "cortex_m::maximum.out"):
        allowed[name, 2] = _any_type
    for name in _NAMES:
        operator = operator_table.operator(name)
        only_float = operator.dtypes == ("float32",) and _base(name) not in ("var", "var_mean")
        same_type = _base(name) in ("amax", "amin") or ".dim_" in name
        promotes = not (only_float or same_type)
        for index, argument in enumerate(operator.arguments):
            if argument.type == "Scalar":
                allowed[name, index] = _any_number
            elif argument.type == "Scalar?":
                allowed[name, index] = _any_number_or_none
            elif argument.written:
                if _base(name) in _PREDICATES - {"any"} or _base(name).startswith("bitwise"):
                    allowed[name, index] = _any_type
                elif _out_shape(name) == ():  # reductions to one element
                    allowed[name, index] = _same_scalar(_out_dtype(name, argument))
            elif argument.type == "Tensor?":
                allowed[name, index] = lambda value: value is None or _any_type(value)
            elif argument.name in ("condition", "mask"):
                pass
            elif promotes and argument.type == "Tensor":
                allowed[name, index] = _any_type
    return allowed


#: (operator, position) → whether a value that is wrong as a rule is right there.
ALLOWED = _allowed()
