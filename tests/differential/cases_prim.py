# SPDX-License-Identifier: BSD-3-Clause
"""Random calls of the operators of firmware/ops/prim that leave a number: exact, as a
double is only rounded to float32 when the result is made a tensor. (`et_view` and `et_copy_index`
work on what a program's memory holds; tests/kernels/test_resized_tensors.py tests them.)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from op_case import OpCase, Out, T

Number = int | float | bool


def cases(rng: np.random.Generator) -> Iterator[OpCase]:
    """Yield calls without end, each operator in turn."""
    while True:
        for name in ("add", "sub", "mul", "truediv", "floordiv"):
            yield _arithmetic(rng, name)
        for name in ("floordiv.int", "mod.int", "mod.Scalar", "sym_max.Scalar", "sym_min.Scalar"):
            a, b = _int(rng), _int(rng)
            yield _case(name, (a, b if b or "sym" in name else 3), "int64")
        for name in ("eq", "ge", "gt", "le", "lt"):
            yield _case(f"{name}.Scalar", _compared(rng), "bool")
        for name in ("ceil", "round", "trunc"):
            yield _case(f"{name}.Scalar", (_float(rng),), "int64")
        number = _number(rng)
        yield _case("neg.Scalar", (number,), _dtype(number))
        yield _case("sym_float.Scalar", (_any(rng),), "float64")
        yield _case("sym_int.Scalar", (_any(rng),), "int64")
        yield _case("sym_not.Scalar", (_bool(rng),), "bool")
        condition, one, two = _bool(rng), _any(rng), _any(rng)
        yield _case("sym_ite.Scalar", (condition, one, two), _dtype(one if condition else two))
        yield from _of_tensors(rng)


def _case(name: str, args: tuple[Number, ...], dtype: str) -> OpCase:
    return OpCase(f"executorch_prim::{name}", args, (Out(dtype),))


def _bool(rng: np.random.Generator) -> bool:
    return bool(rng.random() < 0.5)


def _int(rng: np.random.Generator) -> int:
    return int(rng.integers(-20, 21) if _bool(rng) else rng.integers(-(1 << 30), 1 << 30))


def _float(rng: np.random.Generator) -> float:
    # Halves among them: rounded to even.
    return float(rng.integers(-20, 21)) / 2 if _bool(rng) else float(rng.normal(0, 1000))


def _number(rng: np.random.Generator) -> int | float:
    return _int(rng) if _bool(rng) else _float(rng)


def _any(rng: np.random.Generator) -> Number:
    return _bool(rng) if rng.random() < 0.3 else _number(rng)


def _dtype(number: Number) -> str:
    return {bool: "bool", int: "int64"}.get(type(number), "float64")


def _arithmetic(rng: np.random.Generator, name: str) -> OpCase:
    a, b = _number(rng), _number(rng)
    if name.endswith("div") and b == 0:
        b = 7
    ints = isinstance(a, int) and isinstance(b, int) and name != "truediv"
    return _case(f"{name}.Scalar", (a, b), "int64" if ints else "float64")


def _compared(rng: np.random.Generator) -> tuple[Number, Number]:
    if rng.random() < 0.2:
        return _bool(rng), _bool(rng)
    a = _number(rng)
    return a, a if rng.random() < 0.3 else _number(rng)


def _of_tensors(rng: np.random.Generator) -> Iterator[OpCase]:
    shape = tuple(int(size) for size in rng.integers(0, 5, rng.integers(1, 5)))
    tensor = T(np.zeros(shape, np.int8))
    yield OpCase("aten::sym_numel", (tensor,), (Out("int64"),))
    dim = int(rng.integers(0, len(shape)))
    yield OpCase("aten::sym_size.int", (tensor, dim), (Out("int64"),))
    dtype = str(rng.choice(["float32", "int8", "uint8", "int32", "int64", "bool"]))
    one = T(np.array(rng.integers(0, 2 if dtype == "bool" else 100)).astype(dtype))
    kind = {"float32": "float64", "bool": "bool"}.get(dtype, "int64")
    yield OpCase("aten::_local_scalar_dense", (one,), (Out(kind),))
