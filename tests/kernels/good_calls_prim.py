# SPDX-License-Identifier: BSD-3-Clause
"""A good call of each operator of firmware/ops/prim; see test_bad_arguments.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from op_host import T

TENSOR = T(np.ones((2, 3), np.float32))

ANY_NUMBERS = ("add", "sub", "mul", "truediv", "floordiv", "eq", "ge", "gt", "le", "lt")
INTS = ("floordiv.int", "mod.int", "mod.Scalar", "sym_max.Scalar", "sym_min.Scalar")
UNARY: dict[str, list[Any]] = {
    "ceil": [2.5],
    "neg": [3],
    "round": [2.5],
    "sym_float": [3],
    "sym_int": [2.5],
    "sym_ite": [True, 3, 4],
    "sym_not": [True],
    "trunc": [2.5],
}

#: Operator → its arguments, those written to included.
CALLS: dict[str, Callable[[], list[Any]]] = {
    **{f"executorch_prim::{name}.Scalar": lambda: [7, 3] for name in ANY_NUMBERS},
    **{f"executorch_prim::{name}": lambda: [7, 3] for name in INTS},
    **{f"executorch_prim::{name}.Scalar": lambda n=name: list(UNARY[n]) for name in UNARY},
    "aten::_local_scalar_dense": lambda: [T(np.ones(1, np.float32))],
    "aten::sym_numel": lambda: [TENSOR],
    "aten::sym_size.int": lambda: [TENSOR, 1],
}


def _number(value: Any) -> bool:
    return isinstance(value, int | float)


def _other_type(value: Any) -> bool:
    return isinstance(value, T) and value.order is None and value.array.ndim < 9


def _any_size(value: Any) -> bool:
    """sym_size and sym_numel do not look at elements' types."""
    return _other_type(value) and not value.null_data and not value.misalignment


#: (operator, position) → whether a value that is wrong as a rule is right there.
ALLOWED: dict[tuple[str, int], Callable[[Any], bool]] = {
    # A number may be any number.
    **{
        (name, i): _number for name in CALLS if name.startswith("executorch_prim") for i in range(3)
    },
    ("executorch_prim::sym_ite.Scalar", 0): lambda value: False,
    ("executorch_prim::sym_not.Scalar", 0): lambda value: False,
    ("aten::_local_scalar_dense", 0): lambda value: (
        _any_size(value) and value.array.dtype != np.int16
    ),
    ("aten::sym_numel", 0): _any_size,
    ("aten::sym_size.int", 0): _any_size,
}
