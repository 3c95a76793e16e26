# SPDX-License-Identifier: BSD-3-Clause
"""Operators whose result is a number."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


# Integers as the device keeps them: 64 bits that wrap.
def _number(value: float) -> float:
    if isinstance(value, (bool, float)):
        return value
    return (int(value) + (1 << 63)) % (1 << 64) - (1 << 63)


def _truncated_quotient(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _scalar(x: torch.Tensor) -> float:
    return x.reshape(-1)[0].item()


#: Operators whose result is a number, by what ExecuTorch's runtime computes.
NUMBERS: dict[str, Callable[..., Any]] = {
    "aten::_local_scalar_dense": _scalar,
    "aten::sym_numel": lambda x: x.numel(),
    "aten::sym_size.int": lambda x, dim: x.shape[dim],
    "executorch_prim::add.Scalar": lambda a, b: _number(a + b),
    "executorch_prim::ceil.Scalar": math.ceil,
    "executorch_prim::eq.Scalar": operator.eq,
    "executorch_prim::floordiv.Scalar": lambda a, b: _number(a // b),
    "executorch_prim::floordiv.int": lambda a, b: _number(_truncated_quotient(a, b)),
    "executorch_prim::ge.Scalar": operator.ge,
    "executorch_prim::gt.Scalar": operator.gt,
    "executorch_prim::le.Scalar": operator.le,
    "executorch_prim::lt.Scalar": operator.lt,
    "executorch_prim::mod.Scalar": lambda a, b: a - b * _truncated_quotient(a, b),
    "executorch_prim::mod.int": lambda a, b: a - b * _truncated_quotient(a, b),
    "executorch_prim::mul.Scalar": lambda a, b: _number(a * b),
    "executorch_prim::neg.Scalar": lambda a: _number(-a),
    "executorch_prim::round.Scalar": round,
    "executorch_prim::sub.Scalar": lambda a, b: _number(a - b),
    "executorch_prim::sym_float.Scalar": float,
    "executorch_prim::sym_int.Scalar": int,
    "executorch_prim::sym_ite.Scalar": lambda condition, a, b: a if condition else b,
    "executorch_prim::sym_max.Scalar": max,
    "executorch_prim::sym_min.Scalar": min,
    "executorch_prim::sym_not.Scalar": operator.not_,
    "executorch_prim::truediv.Scalar": operator.truediv,
    "executorch_prim::trunc.Scalar": math.trunc,
}
