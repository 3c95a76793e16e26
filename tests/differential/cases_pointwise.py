# SPDX-License-Identifier: BSD-3-Clause
"""Cases for the operators of firmware/ops/pointwise and reduce: all in turn, for ever.

Tolerances, in floats (ulp) from the reference's result: 0 where the operation is one IEEE operation
or none. Where the host calls its C library's function of a float, ours is within 0.51 ulp of the
exact value (tests/kernels/test_math_f32.py) and the library's within about 1.5: 2. Where the host
rounds after each of several steps in float and ours computes in double, the host's error counts;
it is stated at the case.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from op_case import OpCase, Out, T

from mcugen.program import operator_table

#: Distance between 1 and the next float.
EPSILON = 2.0**-23

FLOAT = 6  #: its ScalarType
RANKED = ("bool", "uint8", "int8", "int32", "int64", "float32")
INTS = ("uint8", "int8", "int32", "int64")

Shape = tuple[int, ...]


def promote(*dtypes: str) -> str:
    """Return torch's common type; int32 for int8 with uint8, whose int16 we have not."""
    if {"int8", "uint8"} <= set(dtypes) and not {"int32", "int64", "float32"} & set(dtypes):
        return "int32"
    return max(dtypes, key=RANKED.index)


class Maker:
    """Draws the parts of cases."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def one_in(self, count: int) -> bool:
        return int(self.rng.integers(count)) == 0

    def pick(self, *items: Any) -> Any:
        return items[int(self.rng.integers(len(items)))]

    def shape(self, least_rank: int = 0) -> Shape:
        rank = max(least_rank, self.pick(0, 1, 1, 2, 2, 3, 4, 4, 5))
        least = 0 if self.one_in(25) else 1
        return tuple(int(size) for size in self.rng.integers(least, 6, rank))

    def smaller(self, shape: Shape) -> Shape:
        """A shape that broadcasts to `shape`."""
        if self.one_in(2):
            return shape
        kept = [1 if self.one_in(3) else size for size in shape]
        return tuple(kept[int(self.rng.integers(len(kept) + 1)) if self.one_in(3) else 0 :])

    def order(self, rank: int) -> tuple[int, ...] | None:
        """Contiguous, channels last or, rarely, any memory order."""
        if rank == 4 and self.one_in(2):
            return (0, 2, 3, 1)
        if rank > 1 and self.one_in(12):
            return tuple(int(axis) for axis in self.rng.permutation(rank))
        return None

    def array(self, dtype: str, shape: Shape, kind: str = "normal") -> np.ndarray:
        rng = self.rng
        if dtype == "bool":
            return rng.integers(0, 2, shape).astype(np.bool_)
        if dtype != "float32":
            info = np.iinfo(dtype)
            if kind == "wide" or (kind == "normal" and self.one_in(5)):
                return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
            low = {"positive": 1, "small": 0}.get(kind, max(int(info.min), -9))
            return rng.integers(low, 10, shape).astype(dtype)
        if kind == "unit":
            values = rng.uniform(-1, 1, shape)
        elif kind == "positive":
            values = rng.gamma(1.0, 3.0, shape) + 1e-6
        else:
            values = rng.normal(0, self.pick(0.1, 1.0, 4.0, 30.0), shape)
        values = np.asarray(values, np.float32)
        if kind == "normal" and values.size and self.one_in(4):
            at = rng.integers(0, values.size, 2)
            special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, 3e38, 0.5, -1.5]
            values.reshape(-1)[at] = rng.choice(special, 2).astype(np.float32)
        if self.one_in(6):
            values = np.rint(values)
        return values

    def tensor(self, dtype: str, shape: Shape, kind: str = "normal", order: Any = "any") -> T:
        if order == "any":
            order = self.order(len(shape))
        return T(self.array(dtype, shape, kind), order)

    def number(self, dtype: str) -> Any:
        """A scalar that leaves an operand of `dtype` its type."""
        if dtype == "float32":
            return self.pick(
                int(self.rng.integers(-3, 4)), float(np.float32(self.rng.normal(0, 2))), 0.5
            )
        return int(self.rng.integers(0 if dtype in ("uint8", "bool") else -4, 5))


def layout_of(maker: Maker, tensors: list[T], shape: Shape) -> tuple[int, ...] | None:
    """The memory order of the output: as a rule the largest operand's, as exporters choose it."""
    if maker.one_in(10):
        return maker.order(len(shape))
    for tensor in tensors:
        if tensor.array.ndim == len(shape):
            return tensor.order
    return None


# -- operators of one tensor

#: Operators of one float → (range of the operands, ulp)
FLOAT_UNARY = {
    **{name: ("normal", 2) for name in ("exp", "expm1", "sin", "cos", "tan", "sinh", "cosh")},
    **{name: ("normal", 2) for name in ("atan", "asinh", "erf", "tanh", "sqrt", "reciprocal")},
    **{name: ("positive", 2) for name in ("log", "log2", "log10", "log1p", "acosh")},
    **{name: ("unit", 2) for name in ("asin", "acos", "atanh")},
    # 1 / sqrt(x) and 1 / (1 + exp(-x)) in float: up to three roundings.
    "rsqrt": ("positive", 2),
    "sigmoid": ("normal", 4),
}
FLOAT_UNARY["sqrt"] = ("positive", 1)  # ours is exact, torch's for other layouts is not
FLOAT_UNARY["reciprocal"] = ("normal", 0)


def unary(maker: Maker, op: str, name: str) -> OpCase:
    kind, ulp = FLOAT_UNARY[name]
    dtype = maker.pick("float32", "float32", *RANKED)
    if maker.one_in(4):
        kind = "normal"  # outside of the domain too
    x = maker.tensor(dtype, maker.shape(), kind)
    # Where exp(-x) is too large for a float, the host's sigmoid is 0.
    atol = 2.0**-126 if name == "sigmoid" else 0.0
    return OpCase(op, (x,), (Out("float32", x.array.shape, x.order),), ulp=ulp, atol=atol)


def same_type_unary(maker: Maker, op: str, name: str) -> OpCase:
    dtypes = {"bitwise_not": (*INTS, "bool"), "neg": ("float32", *INTS), "relu": ("float32", *INTS)}
    dtype = maker.pick("float32", *dtypes.get(name, RANKED))
    if name == "bitwise_not" and dtype == "float32":
        dtype = "int32"
    if dtype == "bool" and name not in ("bitwise_not", "sign"):
        dtype = "int8"
    # The host takes integers through float in those that round; torch and we leave them alone.
    rounds = name in ("ceil", "floor", "round", "trunc") and dtype != "float32"
    x = maker.tensor(dtype, maker.shape(), "small" if rounds else "normal")
    return OpCase(op, (x,), (Out(dtype, x.array.shape, x.order),))


def predicate(maker: Maker, op: str, name: str) -> OpCase:
    x = maker.tensor(maker.pick(*RANKED), maker.shape())
    return OpCase(op, (x,), (Out("bool", x.array.shape, x.order),))


def hard_limit(maker: Maker, op: str, name: str) -> OpCase:
    dtype = maker.pick("float32", "int8", "int32", "int64", "uint8")
    x = maker.tensor(dtype, maker.shape())
    low, high = sorted(int(each) for each in maker.rng.integers(0, 7, 2))
    if dtype == "float32":
        limits: tuple[Any, ...] = (float(low - 3), maker.pick(high, high + 0.5))
    else:
        limits = (low, high)
    if name == "clamp" and maker.one_in(3):
        limits = maker.pick((None, limits[1]), (limits[0], None))
    return OpCase(op, (x, *limits), (Out(dtype, x.array.shape, x.order),))


def activation(maker: Maker, op: str, name: str) -> OpCase:
    """Float only."""
    kind = "normal"
    extra: tuple[Any, ...] = ()
    ulp, atol = 0, 0.0
    if name == "gelu":
        # In float 1 + erf cancels for negative x: an error of epsilon times x; the cube in tanh's
        # argument adds a few more.
        extra, ulp, atol = (maker.pick("none", "tanh"),), 8, 16 * EPSILON
    elif name == "leaky_relu":
        extra = (maker.pick(0.01, 0.1, 2),)
    elif name == "elu":
        extra, ulp, atol = (maker.pick(1.0, 0.5), maker.pick(1, 1.5), maker.pick(1, 2.0)), 4, 0.0
    elif name == "logit":
        # The logarithm of a quotient near 1 has the quotient's rounding as an absolute error.
        kind, extra, ulp, atol = "unit", (maker.pick(None, 1e-3, 0.1),), 4, 4 * EPSILON
    elif name == "silu":
        ulp, atol = 4, 2.0**-119  # as sigmoid, times x
    elif name in ("hardsigmoid", "hardswish"):
        ulp = 2
    x = maker.tensor("float32", maker.shape(), kind)
    return OpCase(op, (x, *extra), (Out("float32", x.array.shape, x.order),), ulp=ulp, atol=atol)


def glu(maker: Maker, op: str, name: str) -> OpCase:
    shape = list(maker.shape(1))
    dim = int(maker.rng.integers(len(shape)))
    shape[dim] *= 2
    x = maker.tensor("float32", tuple(shape), "unit")
    shape[dim] //= 2
    out = Out("float32", tuple(shape), x.order)
    return OpCase(op, (x, dim - maker.pick(0, len(shape))), (out,), ulp=4)


# -- operators of two and three


def operands(maker: Maker, dtypes: list[str], kind: str = "normal") -> tuple[list[T], Shape]:
    """Tensors whose shapes broadcast, the first or the second the largest."""
    shape = maker.shape()
    shapes = [maker.smaller(shape) for _ in dtypes]
    if not maker.one_in(8):
        shapes[int(maker.rng.integers(len(shapes)))] = shape
    shape = tuple(np.broadcast_shapes(*shapes))
    order = maker.order(len(shape))
    tensors = []
    for dtype, each in zip(dtypes, shapes, strict=True):
        # The host's runtime wants one memory order; other mixtures have their own test.
        tensors.append(maker.tensor(dtype, each, kind, order if len(each) == len(shape) else None))
    return tensors, shape


INTEGER_ONLY = {f"bitwise_{name}" for name in ("and", "or", "xor", "left_shift", "right_shift")}
DIVISIONS = {"floor_divide", "fmod", "remainder"}
COMPARISONS = {"eq", "ne", "lt", "le", "gt", "ge"}
LOGICAL = {"logical_and", "logical_or", "logical_xor"}
ONE_ULP = {"pow": 2, "atan2": 2}


def binary(maker: Maker, op: str, name: str) -> OpCase:
    overload = op.partition(".")[2]
    choices: tuple[str, ...] = RANKED
    if name in INTEGER_ONLY:
        choices = (*INTS,) if "shift" in name else (*INTS, "bool")
    elif name in ("sub", "rsub", *DIVISIONS, "pow", "maximum", "minimum"):
        choices = ("float32", *INTS)
    dtype = maker.pick(*choices)
    other = dtype if not maker.one_in(3) else maker.pick(*choices)
    kind = "normal"
    divides = name in DIVISIONS or "mode" in overload
    if divides or name == "pow" or "shift" in name:
        kind = "small"
    scalar = "Scalar" in overload
    extra: list[Any] = []
    if scalar:
        tensors, shape = operands(maker, [dtype], kind)
        number = maker.number(dtype)
        common = dtype
    else:
        tensors, shape = operands(maker, [dtype, other], kind)
        common = promote(dtype, other)
    if dtype == "bool" and scalar and name not in COMPARISONS:
        number = bool(number)
    args: list[Any] = list(tensors)
    if scalar:
        if divides and common != "float32":
            number = abs(number) + 1
        if name == "pow":
            number = abs(number)
        if "shift" in name:
            number = abs(number)
        args = [number, *args] if op == "aten::pow.Scalar_out" else [*args, number]
    elif common != "float32" and (divides or "shift" in name):
        divisor = tensors[1].array
        values = np.abs(divisor.astype(np.int64)) % 7 + 1
        args[1] = T(values.astype(divisor.dtype), tensors[1].order)
    result = common
    ulp = ONE_ULP.get(name, 0)
    if name in ("add", "sub", "rsub"):
        alpha = maker.pick(1, 1, 2)
        # One step more, and so one rounding more where the host's compiler fuses none.
        extra = [alpha if common != "bool" else 1]
    elif name in COMPARISONS or name in LOGICAL:
        result = "bool"
    elif name == "atan2" or (name == "div" and "mode" not in overload):
        result = "float32"
    elif "mode" in overload:
        mode = maker.pick(None, "trunc", "floor")
        extra = [mode]
        result = "float32" if mode is None else common
        if common == "bool":
            result = "float32" if mode is None else "int32"
            return binary(maker, op, name)
    if name == "le" and dtype == other == "bool":
        return binary(maker, op, name)  # the host takes <= of bools for something else
    if name in ("floor_divide", "div") and result == "float32" and not scalar:
        # In float, the host does not round its floor to the integer that it nearly is.
        ulp = 1 if name == "floor_divide" or "floor" in extra else 0
    if op == "aten::div.Scalar_mode_out" and "floor" in extra:
        ulp = 1
    if op == "aten::div.Scalar_out":
        ulp = 1  # the host multiplies by 1 / other
    order = layout_of(maker, tensors, shape)
    return OpCase(op, (*args, *extra), (Out(result, shape, order),), ulp=ulp)


def choose(maker: Maker, op: str, name: str) -> OpCase:
    dtype = maker.pick(*RANKED)
    if name == "where":
        other = dtype if not maker.one_in(4) else maker.pick(*RANKED)
        if {dtype, other} == {"int8", "uint8"}:
            other = dtype  # their common type is int16, which the firmware lacks
        tensors, shape = operands(maker, ["bool", dtype, other])
        out = Out(promote(dtype, other), shape, layout_of(maker, tensors, shape))
        return OpCase(op, tuple(tensors), (out,))
    if name == "masked_fill":
        tensors, shape = operands(maker, [dtype, "bool"])
        value = maker.number(dtype) if dtype != "bool" else maker.pick(True, False)
        out = Out(dtype, shape, layout_of(maker, tensors, shape))
        return OpCase(op, (*tensors, value), (out,))
    dtype = maker.pick("float32", *INTS)
    tensors, shape = operands(maker, [dtype] * 3)
    args: list[Any] = list(tensors)
    if maker.one_in(3):
        args[int(maker.rng.integers(1, 3))] = None
        shape = tuple(np.broadcast_shapes(*(each.array.shape for each in args if each is not None)))
    rest = [each for each in args if each is not None]
    return OpCase(op, tuple(args), (Out(dtype, shape, layout_of(maker, rest, shape)),))


# -- reductions


def reduced_shape(shape: Shape, dims: set[int], keep: bool) -> Shape:
    return tuple(1 if d in dims else size for d, size in enumerate(shape) if keep or d not in dims)


def reduction(maker: Maker, op: str, name: str) -> OpCase:
    arguments = [each for each in operator_table.operator(op).arguments[1:] if not each.written]
    dtype = maker.pick("float32", "float32", *RANKED)
    if name in ("var", "var_mean"):
        dtype = "float32"
    if name in ("max", "min", "amax", "amin", "argmax", "argmin") and dtype == "bool":
        dtype = "int8"
    shape = maker.shape()
    if not name.startswith(("sum", "any", "prod", "mean")):
        shape = tuple(max(size, 1) for size in shape)
    kind = {"sum": "finite", "mean": "finite", "var": "finite", "var_mean": "finite"}.get(
        name, "unit" if name == "prod" else "normal"
    )
    x = maker.tensor(dtype, shape, kind)
    rank = len(shape)
    dims = set(range(rank))
    keep = False
    result = dtype
    args: list[Any] = [x]
    for argument in arguments:
        if argument.name == "dim":
            if argument.type in ("int", "int?"):
                if argument.type == "int?" and maker.one_in(4):
                    args.append(None)
                    continue
                dim = int(maker.rng.integers(max(rank, 1)))
                dims = {dim} & dims
                args.append(dim - maker.pick(0, max(rank, 1)))
            else:
                chosen = [d for d in range(rank) if maker.one_in(2)]
                dims = set(chosen) or dims
                given = [d - maker.pick(0, rank) for d in chosen]
                args.append(given if given or not argument.type.endswith("?") else None)
        elif argument.name == "keepdim":
            keep = maker.one_in(2)
            args.append(keep)
        elif argument.name == "dtype":
            # Of integers there is a mean only as a float.
            args.append(FLOAT if name == "mean" and dtype != "float32" else None)
        elif argument.name == "unbiased":
            args.append(maker.one_in(2))
        elif argument.name == "correction":
            # From count on the variance is NaN; of var_mean's mean, the host then makes NaN too.
            enough = name == "var" or math.prod(shape[d] for d in dims) > 2
            args.append(maker.pick(None, 0, 1, 2) if enough else 0)
        else:
            raise AssertionError(argument.name)
    out_shape = reduced_shape(shape, dims, keep)
    order = x.order if len(out_shape) == rank and maker.one_in(2) else None
    ulp, atol = 0, 0.0
    if name in ("sum", "prod") and dtype != "float32":
        result = "int64"
    if name == "mean":
        result = "float32"
    if name in ("sum", "mean", "prod", "var", "var_mean"):
        # The host adds up in float: n roundings, each of half an epsilon, of partial sums no
        # larger than sum |x|. Ours rounds once.
        count = max(math.prod(shape[d] for d in dims), 1)
        largest = float(np.abs(x.array.astype(np.float64)).max(initial=0.0))
        if name in ("var", "var_mean"):
            largest = largest * largest * 4 + largest
        ulp = 2
        if name == "prod":
            ulp = count + 1
        elif result == "float32":
            atol = count * count * largest * EPSILON / 2
            if name != "sum":
                atol /= count
    if name == "any":
        result = "bool"
    outs = [Out(result, out_shape, order)]
    if name.startswith("arg"):
        outs = [Out("int64", out_shape, order)]
    elif ".dim_" in op:
        outs.append(Out("int64", out_shape, order))
    elif name == "var_mean":
        outs.append(Out("float32", out_shape, order))
    return OpCase(op, tuple(args), tuple(outs), ulp=ulp, atol=atol)


def cumsum(maker: Maker, op: str, name: str) -> OpCase:
    dtype = maker.pick(*RANKED)
    shape = maker.shape()
    x = maker.tensor(dtype, shape, "finite")
    dim = int(maker.rng.integers(max(len(shape), 1))) - maker.pick(0, max(len(shape), 1))
    largest = float(np.abs(x.array.astype(np.float64)).max(initial=0.0))
    result = "float32" if dtype == "float32" else "int64"
    atol = 36 * largest * EPSILON if dtype == "float32" else 0.0  # as in reduction(); at most 6
    return OpCase(op, (x, dim, None), (Out(result, shape, x.order),), ulp=2, atol=atol)


def _is_mine(name: str) -> bool:
    return operator_table.operator(name).family in ("pointwise", "reduce")


def _makers() -> dict[str, Callable[[Maker, str, str], OpCase]]:
    """Each operator of the table and what makes its cases."""
    table = [
        name for name in operator_table.names() if name.startswith("aten::") and _is_mine(name)
    ]
    groups: dict[Callable[[Maker, str, str], OpCase], set[str]] = {
        unary: set(FLOAT_UNARY),
        same_type_unary: {"neg", "abs", "sign", "ceil", "floor", "round", "trunc", "bitwise_not"},
        predicate: {"isnan", "isinf", "logical_not"},
        hard_limit: {"hardtanh"},
        activation: {"gelu", "leaky_relu", "elu", "logit", "silu", "hardsigmoid", "hardswish"},
        glu: {"glu"},
        choose: {"where", "masked_fill"},
        reduction: {"sum", "mean", "prod", "amax", "amin", "argmax", "argmin", "max", "min"}
        | {"any", "var", "var_mean"},
        cumsum: {"cumsum"},
        binary: {"add", "sub", "rsub", "mul", "div", "pow", "maximum", "minimum", "atan2"}
        | (INTEGER_ONLY | DIVISIONS | COMPARISONS | LOGICAL),
    }
    groups[same_type_unary].add("relu")
    special = {"aten::clamp.out": hard_limit, "aten::clamp.Tensor_out": choose}
    makers = {}
    for op in table:
        name = op.removeprefix("aten::").partition(".")[0]
        found = [make for make, names in groups.items() if name in names]
        makers[op] = special[op] if op in special else found[0]
    return makers


def cases(rng: np.random.Generator) -> Iterator[OpCase]:
    maker = Maker(rng)
    makers = _makers()
    while True:
        for op, make in makers.items():
            yield make(maker, op, op.removeprefix("aten::").partition(".")[0])
