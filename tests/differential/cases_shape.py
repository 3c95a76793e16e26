# SPDX-License-Identifier: BSD-3-Clause
"""Random calls of the operators of firmware/ops/shape and index. Copies, fills and integer sums
are exact, so there is no tolerance anywhere; float sums (index_put, scatter_add) add in the same
order as the reference, one rounding each.

What ExecuTorch's own operators refuse is left out: other memory orders than contiguous where they
want that, negative constant padding, out of range values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from op_case import OpCase, Out, T

NHWC = (0, 2, 3, 1)
COMPUTE = ("float32", "int8", "uint8", "int32", "int64", "bool")
COPY = (*COMPUTE, "int16", "float64")

Maker = Callable[[np.random.Generator], OpCase]


def cases(rng: np.random.Generator) -> Iterator[OpCase]:
    """Yield calls without end, each operator in turn."""
    while True:
        for make in MAKERS:
            yield make(rng)


# -- pieces


def _int(rng: np.random.Generator, low: int, high: int) -> int:
    """A number from low to high, both included."""
    return int(rng.integers(low, high + 1))


def _bool(rng: np.random.Generator, chance: float = 0.5) -> bool:
    return bool(rng.random() < chance)


def _dtype(rng: np.random.Generator, dtypes: tuple[str, ...] = COPY) -> str:
    return dtypes[_int(rng, 0, len(dtypes) - 1)]


def _shape(rng: np.random.Generator, low: int = 0, high: int = 5, most: int = 6) -> list[int]:
    """Sizes of a tensor of low to high dimensions; rarely one of them is 0."""
    sizes = [_int(rng, 1, most) for _ in range(_int(rng, low, high))]
    if sizes and _bool(rng, 0.06):
        sizes[_int(rng, 0, len(sizes) - 1)] = 0
    return sizes


def _array(rng: np.random.Generator, shape: list[int] | tuple[int, ...], dtype: str) -> np.ndarray:
    if dtype == "bool":
        return rng.random(tuple(shape)) < 0.5
    if dtype.startswith("float"):
        values = np.asarray(rng.normal(0, 50, tuple(shape)))
        odd = rng.random(tuple(shape))
        values = np.where(odd < 0.03, np.inf, np.where(odd > 0.97, -0.0, values))
        return np.asarray(values, dtype)
    info = np.iinfo(dtype)
    return np.asarray(rng.integers(info.min, info.max, tuple(shape), dtype, endpoint=True))


def _order(rng: np.random.Generator, rank: int) -> tuple[int, ...] | None:
    """One of the two memory orders that ExecuTorch's operators know."""
    return NHWC if rank == 4 and _bool(rng, 0.4) else None


def _tensor(
    rng: np.random.Generator, low: int = 0, high: int = 5, dtypes: tuple[str, ...] = COPY
) -> T:
    return T(_array(rng, _shape(rng, low, high), _dtype(rng, dtypes)))


def _out(tensor: T) -> tuple[Out, ...]:
    return (Out(tensor.array.dtype.name),)


def _dim(rng: np.random.Generator, rank: int) -> int:
    """Any of the dimensions, counted from either end."""
    return _int(rng, -rank, rank - 1)


# -- views


def _same(op: str) -> Maker:
    def make(rng: np.random.Generator) -> OpCase:
        self = _tensor(rng)
        return OpCase(op, (self,), _out(self))

    return make


def _clone(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng)
    return OpCase("aten::clone.out", (self, None), _out(self))


def _clone_dim_order(rng: np.random.Generator) -> OpCase:
    shape = _shape(rng, 4, 4)
    dtype = _dtype(rng)
    order = _order(rng, 4)
    to = _order(rng, 4)
    return OpCase(
        "dim_order_ops::_clone_dim_order.out",
        (T(_array(rng, shape, dtype), order), False, list(to or range(4))),
        (Out(dtype, tuple(shape), to),),
    )


def _view_copy(rng: np.random.Generator) -> OpCase:
    sizes = [_int(rng, 1, 4) for _ in range(_int(rng, 0, 5))]
    self = T(_array(rng, sizes, _dtype(rng)))
    merged: list[int] = []
    for size in sizes:  # merge some neighbours
        if merged and _bool(rng):
            merged[-1] *= size
        else:
            merged.append(size)
    for _ in range(_int(rng, 0, 2)):
        merged.insert(_int(rng, 0, len(merged)), 1)
    if merged and _bool(rng, 0.4):
        merged[_int(rng, 0, len(merged) - 1)] = -1
    return OpCase("aten::view_copy.out", (self, merged), _out(self))


def _permute(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng)
    rank = self.array.ndim
    dims = [int(d) - (rank if _bool(rng, 0.3) else 0) for d in rng.permutation(rank)]
    return OpCase("aten::permute_copy.out", (self, dims), _out(self))


def _transpose(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 1)
    rank = self.array.ndim
    dims = (_dim(rng, rank), _dim(rng, rank))
    return OpCase("aten::transpose_copy.int_out", (self, *dims), _out(self))


def _t(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 0, 2)
    return OpCase("aten::t_copy.out", (self,), _out(self))


def _slice_arguments(rng: np.random.Generator, size: int) -> tuple[int | None, int | None, int]:
    start = None if _bool(rng, 0.2) else _int(rng, -size - 2, size + 2)
    end = None if _bool(rng, 0.2) else _int(rng, -size - 2, size + 2)
    return start, end, _int(rng, 1, 3)


def _slice(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 1)
    dim = _dim(rng, self.array.ndim)
    slicing = _slice_arguments(rng, self.array.shape[dim])
    return OpCase("aten::slice_copy.Tensor_out", (self, dim, *slicing), _out(self))


def _nonempty(rng: np.random.Generator, low: int, dtypes: tuple[str, ...] = COPY) -> T:
    shape = [max(size, 1) for size in _shape(rng, low)]
    return T(_array(rng, shape, _dtype(rng, dtypes)))


def _select(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1)
    dim = _dim(rng, self.array.ndim)
    index = _dim(rng, self.array.shape[dim])
    return OpCase("aten::select_copy.int_out", (self, dim, index), _out(self))


def _narrow(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 1)
    dim = _int(rng, 0, self.array.ndim - 1)  # with a negative one ExecuTorch's ends the process
    size = self.array.shape[dim]
    start = _int(rng, 0, size)
    return OpCase(
        "aten::narrow_copy.out", (self, dim, start, _int(rng, 0, size - start)), _out(self)
    )


def _expand(rng: np.random.Generator) -> OpCase:
    full = _shape(rng, 1, 5)
    kept = full[_int(rng, 0, len(full) - 1) :]
    shape = [1 if _bool(rng, 0.4) else size for size in kept]
    self = T(_array(rng, shape, _dtype(rng)))
    missing = len(full) - len(kept)
    sizes = [
        -1 if d >= missing and shape[d - missing] == size and _bool(rng, 0.3) else size
        for d, size in enumerate(full)
    ]
    return OpCase("aten::expand_copy.out", (self, sizes, False), _out(self))


def _with_ones(rng: np.random.Generator) -> T:
    shape = [1 if _bool(rng) else size for size in _shape(rng, 1)]
    return T(_array(rng, shape, _dtype(rng)))


def _squeeze_dim(rng: np.random.Generator) -> OpCase:
    self = _with_ones(rng)
    return OpCase("aten::squeeze_copy.dim_out", (self, _dim(rng, self.array.ndim)), _out(self))


def _squeeze_dims(rng: np.random.Generator) -> OpCase:
    self = _with_ones(rng)
    rank = self.array.ndim
    count = _int(rng, 1, rank)
    dims = [int(d) - (rank if _bool(rng, 0.3) else 0) for d in rng.permutation(rank)[:count]]
    return OpCase("aten::squeeze_copy.dims_out", (self, dims), _out(self))


def _unsqueeze(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng)
    return OpCase("aten::unsqueeze_copy.out", (self, _dim(rng, self.array.ndim + 1)), _out(self))


def _as_strided(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1)
    count = self.array.size
    sizes, strides, room = [], [], count - 1
    for _ in range(_int(rng, 0, 4)):
        stride = _int(rng, 0, 5)
        size = _int(rng, 1, min(5, room // stride + 1 if stride else 5))
        room -= (size - 1) * stride
        sizes.append(size)
        strides.append(stride)
    offset = _int(rng, 0, room)
    given = None if offset == 0 and _bool(rng) else offset
    return OpCase("aten::as_strided_copy.out", (self, sizes, strides, given), _out(self))


def _diagonal(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 2)
    rank = self.array.ndim
    one, two = (int(d) - (rank if _bool(rng, 0.3) else 0) for d in rng.permutation(rank)[:2])
    return OpCase("aten::diagonal_copy.out", (self, _int(rng, -4, 4), one, two), _out(self))


def _flip(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 1)
    rank = self.array.ndim
    count = _int(rng, 0, rank)
    dims = [int(d) - (rank if _bool(rng, 0.3) else 0) for d in rng.permutation(rank)[:count]]
    return OpCase("aten::flip.out", (self, dims), _out(self))


def _unfold(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1)
    dim = _dim(rng, self.array.ndim)
    size = _int(rng, 1, self.array.shape[dim])
    return OpCase("aten::unfold_copy.out", (self, dim, size, _int(rng, 1, 3)), _out(self))


# -- lists


def _split(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1)
    dim = _dim(rng, self.array.ndim)
    size = self.array.shape[dim]
    part = _int(rng, 1, size + 1)
    shape = list(self.array.shape)
    outs = []
    for start in range(0, size, part):
        shape[dim] = min(part, size - start)
        outs.append(Out(self.array.dtype.name, tuple(shape)))
    return OpCase("aten::split_copy.Tensor_out", (self, part, dim), tuple(outs))


def _split_with_sizes(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1)
    dim = _dim(rng, self.array.ndim)
    left = self.array.shape[dim]
    sizes = []
    while left:
        sizes.append(_int(rng, 0, left))
        left -= sizes[-1]
    shape = list(self.array.shape)
    outs = []
    for size in sizes:
        shape[dim] = size
        outs.append(Out(self.array.dtype.name, tuple(shape)))
    return OpCase("aten::split_with_sizes_copy.out", (self, sizes, dim), tuple(outs))


def _unbind(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1)
    dim = _dim(rng, self.array.ndim)
    shape = list(self.array.shape)
    count = shape.pop(dim)
    out = Out(self.array.dtype.name, tuple(shape))
    return OpCase("aten::unbind_copy.int_out", (self, dim), (out,) * count)


def _cat(rng: np.random.Generator) -> OpCase:
    shape = _shape(rng, 1)
    dim = _dim(rng, len(shape))
    dtype = _dtype(rng)
    tensors = []
    for _ in range(_int(rng, 1, 4)):
        shape[dim] = _int(rng, 0, 4)
        tensors.append(T(_array(rng, shape, dtype)))
    if _bool(rng, 0.15):
        tensors.insert(_int(rng, 0, len(tensors)), T(_array(rng, [0], dtype)))
    return OpCase("aten::cat.out", (tensors, dim), (Out(dtype),))


def _stack(rng: np.random.Generator) -> OpCase:
    shape = _shape(rng, 0, 4)
    dtype = _dtype(rng)
    tensors = [T(_array(rng, shape, dtype)) for _ in range(_int(rng, 1, 4))]
    return OpCase("aten::stack.out", (tensors, _dim(rng, len(shape) + 1)), (Out(dtype),))


def _select_scatter(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1, COMPUTE)
    shape = list(self.array.shape)
    dim = _dim(rng, len(shape))
    size = shape.pop(dim)
    src = T(_array(rng, shape, self.array.dtype.name))
    return OpCase("aten::select_scatter.out", (self, src, dim, _dim(rng, size)), _out(self))


def _slice_scatter(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 1, 5, COMPUTE)
    dim = _dim(rng, self.array.ndim)
    slicing = _slice_arguments(rng, self.array.shape[dim])
    shape = list(self.array.shape)
    start, end, _ = slice(*slicing).indices(shape[dim])
    shape[dim] = len(range(start, max(start, end), slicing[2]))
    src = T(_array(rng, shape, self.array.dtype.name))
    return OpCase("aten::slice_scatter.out", (self, src, dim, *slicing), _out(self))


# -- copies with conversion


def _convertible(rng: np.random.Generator, shape: list[int], dtype: str, to: str) -> np.ndarray:
    """Values whose conversion C defines."""
    if dtype != "float32" or to in ("float32", "bool"):
        return _array(rng, shape, dtype)
    low, high = (0, 255) if to == "uint8" else (-128, 127)
    return np.asarray(rng.uniform(low, high, tuple(shape)), np.float32)


def _to_copy(rng: np.random.Generator) -> OpCase:
    shape, dtype, to = _shape(rng), _dtype(rng, COMPUTE), _dtype(rng, COMPUTE)
    self = T(_convertible(rng, shape, dtype, to))
    return OpCase("aten::_to_copy.out", (self, False, None), (Out(to, tuple(shape)),))


def _to_dim_order_copy(rng: np.random.Generator) -> OpCase:
    shape, dtype, to = _shape(rng, 0, 4), _dtype(rng, COMPUTE), _dtype(rng, COMPUTE)
    rank = len(shape)
    order = _order(rng, rank)
    self = T(_convertible(rng, shape, dtype, to), _order(rng, rank))
    given = None if order is None and _bool(rng) else list(order or range(rank))
    if given is None:
        self = T(self.array)
    return OpCase(
        "dim_order_ops::_to_dim_order_copy.out",
        (self, False, given),
        (Out(to, tuple(shape), order),),
    )


def _broadcastable(rng: np.random.Generator, shape: list[int]) -> list[int]:
    kept = shape[_int(rng, 0, len(shape)) :]
    return [1 if _bool(rng, 0.3) else size for size in kept]


def _copy(rng: np.random.Generator) -> OpCase:
    shape, dtype, source = _shape(rng), _dtype(rng, COMPUTE), _dtype(rng, COMPUTE)
    self = T(_array(rng, shape, dtype))
    src = T(_convertible(rng, _broadcastable(rng, shape), source, dtype))
    return OpCase("aten::copy.out", (self, src, False), _out(self))


def _copy_in_place(rng: np.random.Generator) -> OpCase:
    shape, dtype, source = _shape(rng), _dtype(rng, COMPUTE), _dtype(rng, COMPUTE)
    src = T(_convertible(rng, _broadcastable(rng, shape), source, dtype))
    return OpCase("aten::copy_", (src, False), (Out(dtype, tuple(shape)),))


# -- borders


def _constant_pad(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 1, 4, COMPUTE)
    padding = [_int(rng, 0, 3) for _ in range(2 * _int(rng, 0, self.array.ndim))]
    value = _scalar(rng, self.array.dtype.name)
    return OpCase("aten::constant_pad_nd.out", (self, padding, value), _out(self))


def _pad(op: str, spatial: int, reflect: bool) -> Maker:
    def make(rng: np.random.Generator) -> OpCase:
        sizes = [_int(rng, 2, 6) for _ in range(spatial)]
        shape = [_int(rng, 1, 3) for _ in range(_int(rng, 1, 2))] + sizes
        self = T(_array(rng, shape, _dtype(rng, COMPUTE[:-1])))
        padding = []
        for size in reversed(sizes):
            padding += [_int(rng, 0, size - 1 if reflect else 4) for _ in range(2)]
        return OpCase(op, (self, padding), _out(self))

    return make


def _repeat(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 0, 3)
    repeats = [_int(rng, 1, 3) for _ in range(self.array.ndim + _int(rng, 0, 2))]
    if repeats and _bool(rng, 0.05):
        repeats[0] = 0
    return OpCase("aten::repeat.out", (self, repeats), _out(self))


def _roll(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1, COMPUTE)
    dims = [_dim(rng, self.array.ndim) for _ in range(_int(rng, 1, 3))]
    return OpCase("aten::roll.out", (self, [_int(rng, -9, 9) for _ in dims], dims), _out(self))


def _pixel(shuffle: bool) -> Maker:
    def make(rng: np.random.Generator) -> OpCase:
        factor = _int(rng, 1, 3)
        front = [_int(rng, 1, 3) for _ in range(_int(rng, 0, 2))]
        c, h, w = (_int(rng, 1, 4) for _ in range(3))
        small = [*front, c * factor * factor, h, w]
        large = [*front, c, h * factor, w * factor]
        self = T(_array(rng, small if shuffle else large, _dtype(rng, COMPUTE)))
        name = "pixel_shuffle" if shuffle else "pixel_unshuffle"
        return OpCase(f"aten::{name}.out", (self, factor), _out(self))

    return make


def _tril(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 2, 4, COMPUTE)
    return OpCase("aten::tril.out", (self, _int(rng, -7, 7)), _out(self))


# -- indices


def _indices(rng: np.random.Generator, shape: list[int], size: int) -> np.ndarray:
    return rng.integers(0, size, tuple(shape), np.int64)


def _smaller(rng: np.random.Generator, shape: list[int], dim: int, most: int) -> list[int]:
    return [
        _int(rng, 1, most) if d == dim % len(shape) else _int(rng, 1, size)
        for d, size in enumerate(shape)
    ]


def _gather(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1, COMPUTE)
    shape = list(self.array.shape)
    dim = _dim(rng, len(shape))
    index = T(_indices(rng, _smaller(rng, shape, dim, 6), shape[dim]))
    return OpCase("aten::gather.out", (self, dim, index, False), _out(self))


def _scatter_index(rng: np.random.Generator, self: T, dim: int) -> T:
    """Indices that are different along `dim`, so that the order of writing does not matter."""
    shape = list(self.array.shape)
    size = shape[dim]
    smaller = _smaller(rng, shape, dim, size)
    full = [size if d == dim % len(shape) else each for d, each in enumerate(smaller)]
    order = np.argsort(rng.random(tuple(full)), axis=dim)
    return T(np.ascontiguousarray(np.take(order, range(smaller[dim]), axis=dim)).astype(np.int64))


def _scatter_src(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1, COMPUTE)
    dim = _dim(rng, self.array.ndim)
    index = _scatter_index(rng, self, dim)
    shape = [size + _int(rng, 0, 2) for size in index.array.shape]
    src = T(_array(rng, shape, self.array.dtype.name))
    return OpCase("aten::scatter.src_out", (self, dim, index, src), _out(self))


def _scatter_value(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1, COMPUTE)
    dim = _dim(rng, self.array.ndim)
    value = _scalar(rng, self.array.dtype.name)
    index = _scatter_index(rng, self, dim)
    return OpCase("aten::scatter.value_out", (self, dim, index, value), _out(self))


def _scatter_add(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1, ("float32", "int8", "uint8", "int32", "int64"))
    shape = list(self.array.shape)
    dim = _dim(rng, len(shape))
    smaller = _smaller(rng, shape, dim, 6)
    index = T(_indices(rng, smaller, shape[dim]))
    src = T(_array(rng, smaller, self.array.dtype.name))
    return OpCase("aten::scatter_add.out", (self, dim, index, src), _out(self))


def _index_select(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1)
    dim = _dim(rng, self.array.ndim)
    index = _indices(rng, [_int(rng, 0, 5)], self.array.shape[dim])
    index = index.astype(np.int32) if _bool(rng) else index
    return OpCase("aten::index_select.out", (self, dim, T(index)), _out(self))


def _selection(rng: np.random.Generator, shape: list[int]) -> list[T | None]:
    """A list of indices for a tensor of this shape: at least one, with masks among them."""
    common = _shape(rng, 1, 2, 4)
    common = [max(size, 1) for size in common]
    items: list[T | None] = []
    d = 0
    while d < len(shape):
        if _bool(rng, 0.3):
            items.append(None)
            d += 1
            continue
        if not any(items) and _bool(rng, 0.25):  # a mask, alone: its count is not in `common`
            rank = _int(rng, 1, len(shape) - d)
            mask = rng.random(tuple(shape[d : d + rank])) < 0.5
            items.append(T(mask if _bool(rng, 0.7) else mask.astype(np.uint8)))
            return items
        small = [1 if _bool(rng, 0.2) else size for size in common[_int(rng, 0, 1) :]]
        index = rng.integers(-shape[d], shape[d], tuple(small or [1]), np.int64)
        items.append(T(index.astype(np.int32) if _bool(rng, 0.3) else index))
        d += 1
        if _bool(rng, 0.3):
            break
    return items if any(items) else [T(np.array([0], np.int64))]


def _index(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1)
    indices = _selection(rng, list(self.array.shape))
    return OpCase("aten::index.Tensor_out", (self, indices), _out(self))


def _as_numpy(indices: list[T | None]) -> tuple[Any, ...]:
    return tuple(
        slice(None)
        if each is None
        else each.array.astype(bool)
        if each.array.dtype == np.uint8
        else each.array
        for each in indices
    )


def _index_put(rng: np.random.Generator) -> OpCase:
    self = _nonempty(rng, 1, COMPUTE)
    dtype = self.array.dtype.name
    indices = _selection(rng, list(self.array.shape))
    where = _as_numpy(indices)
    selected = list(self.array[where].shape)
    accumulate = dtype != "bool" and _bool(rng)
    # Which of several values for one element stays, is not defined: give them all the same.
    places = np.arange(self.array.size).reshape(self.array.shape)[where]
    twice = np.unique(places).size != places.size
    shape = [] if twice and not accumulate else _broadcastable(rng, selected)
    values = T(_array(rng, shape, dtype))
    return OpCase("aten::index_put.out", (self, indices, values, accumulate), _out(self))


def _index_put_in_place(rng: np.random.Generator) -> OpCase:
    """What is in the output before is not part of a case: every row is written."""
    shape = [max(size, 1) for size in _shape(rng, 1, 3)]
    dtype = _dtype(rng, COMPUTE)
    rows = T(rng.permutation(shape[0]).astype(np.int64))
    values = T(_array(rng, shape, dtype))
    return OpCase("aten::index_put_", ([rows], values, False), (Out(dtype, tuple(shape)),))


def _masked_select(rng: np.random.Generator) -> OpCase:
    shape = _shape(rng, 0, 4)
    self = T(_array(rng, _broadcastable(rng, shape), _dtype(rng)))
    mask = T(rng.random(tuple(_broadcastable(rng, shape))) < 0.5)
    return OpCase("aten::masked_select.out", (self, mask), _out(self))


def _nonzero(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 0, 4, COMPUTE)
    kept = rng.random(self.array.shape) < 0.6
    self = T(np.asarray(np.where(kept, self.array, 0), self.array.dtype))
    return OpCase("aten::nonzero.out", (self,), (Out("int64"),))


def _topk(rng: np.random.Generator) -> OpCase:
    """Which of equals comes first is not defined: there are none."""
    shape = [max(size, 1) for size in _shape(rng, 0, 4)]
    dtype = _dtype(rng, ("float32", "int8", "uint8", "int32", "int64"))
    dim = _dim(rng, max(len(shape), 1))
    size = shape[dim] if shape else 1
    count = int(np.prod(shape))
    values = np.argsort(rng.random((count // size, size)), axis=-1) * 7 - (
        20 if dtype != "uint8" else 0
    )
    moved = [*shape[: dim % len(shape)], *shape[dim % len(shape) + 1 :], size] if shape else []
    array = np.moveaxis(values.reshape(moved), -1, dim) if shape else values.reshape(())
    self = T(np.ascontiguousarray(array).astype(dtype))
    k = _int(rng, 1, size)
    return OpCase("aten::topk.values", (self, k, dim, _bool(rng), True), (Out(dtype), Out("int64")))


def _repeat_interleave(rng: np.random.Generator) -> OpCase:
    dtype = _dtype(rng, ("int32", "int64"))
    repeats = rng.integers(0, 4, _int(rng, 0, 6)).astype(dtype)
    size = int(repeats.sum()) if _bool(rng) else None
    return OpCase("aten::repeat_interleave.Tensor_out", (T(repeats), size), (Out(dtype),))


# -- creation


def _scalar(rng: np.random.Generator, dtype: str) -> int | float | bool:
    """A number in the range of `dtype`."""
    if dtype == "bool":
        return _bool(rng)
    if dtype == "float32":
        value = float(rng.normal(0, 9))
        return value if _bool(rng, 0.7) else int(value)
    return _int(rng, 0, 127) if dtype == "uint8" or _bool(rng) else _int(rng, -128, -1)


def _full(rng: np.random.Generator) -> OpCase:
    dtype = _dtype(rng, COMPUTE)
    shape = _shape(rng)
    return OpCase("aten::full.out", (shape, _scalar(rng, dtype)), (Out(dtype, tuple(shape)),))


def _full_like(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 0, 5, COMPUTE)
    dtype = _dtype(rng, COMPUTE)
    return OpCase(
        "aten::full_like.out",
        (self, _scalar(rng, dtype), None),
        (Out(dtype, tuple(self.array.shape)),),
    )


def _filled(op: str) -> Maker:
    def make(rng: np.random.Generator) -> OpCase:
        shape = _shape(rng)
        return OpCase(op, (shape,), (Out(_dtype(rng, COMPUTE), tuple(shape)),))

    return make


def _empty(op: str) -> Maker:
    """Nothing is written, so there must be nothing to compare."""

    def make(rng: np.random.Generator) -> OpCase:
        shape = [0, *_shape(rng, 0, 3)]
        return OpCase(op, (shape, None), (Out(_dtype(rng), tuple(shape)),))

    return make


def _fill_scalar(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 0, 5, COMPUTE)
    value = _scalar(rng, self.array.dtype.name)
    return OpCase("aten::fill.Scalar_out", (self, value), _out(self))


def _fill_tensor(rng: np.random.Generator) -> OpCase:
    self = _tensor(rng, 0, 5, COMPUTE)
    value = T(np.array(_scalar(rng, self.array.dtype.name), self.array.dtype))
    return OpCase("aten::fill.Tensor_out", (self, value), _out(self))


def _scalar_tensor(rng: np.random.Generator) -> OpCase:
    dtype = _dtype(rng, COMPUTE)
    return OpCase("aten::scalar_tensor.out", (_scalar(rng, dtype),), (Out(dtype, ()),))


def _arange(rng: np.random.Generator) -> OpCase:
    end = _int(rng, 0, 9) if _bool(rng) else float(rng.uniform(0, 9))
    dtype = _dtype(rng, ("float32", "int32", "int64", "int8"))
    return OpCase("aten::arange.out", (end,), (Out(dtype, (int(np.ceil(end)),)),))


def _arange_start(rng: np.random.Generator) -> OpCase:
    dtype = _dtype(rng, ("float32", "int32", "int64"))
    step: int | float = _int(rng, 1, 3)
    start: int | float = _int(rng, -9, 9)
    if dtype == "float32":
        step, start = step / 4 + float(rng.random()), start + float(rng.random())
    end = start + step * (_int(rng, 0, 8) + (0.5 if dtype == "float32" else 0))
    end = int(end) if dtype != "float32" else end
    if _bool(rng):
        start, end, step = -start, -end, -step
    count = int(np.ceil((end - start) / step))
    return OpCase("aten::arange.start_out", (start, end, step), (Out(dtype, (count,)),))


MAKERS: tuple[Maker, ...] = (
    *(_same(f"aten::{name}.out") for name in ("alias_copy", "detach_copy", "lift_fresh_copy")),
    *(_clone, _clone_dim_order, _view_copy, _permute, _transpose, _t, _slice, _select, _narrow),
    *(_expand, _squeeze_dim, _squeeze_dims, _unsqueeze, _as_strided, _diagonal, _flip, _unfold),
    *(_split, _split_with_sizes, _unbind, _cat, _stack, _select_scatter, _slice_scatter),
    *(_to_copy, _to_dim_order_copy, _copy, _copy_in_place, _constant_pad),
    *(_pad(f"aten::reflection_pad{n}d.out", n, True) for n in (1, 2, 3)),
    *(_pad(f"aten::replication_pad{n}d.out", n, False) for n in (1, 2, 3)),
    *(_repeat, _roll, _pixel(True), _pixel(False), _tril),
    *(_gather, _scatter_src, _scatter_value, _scatter_add, _index_select, _index, _index_put),
    *(_index_put_in_place, _masked_select, _nonzero, _topk, _repeat_interleave),
    *(_full, _full_like, _filled("aten::zeros.out"), _filled("aten::ones.out")),
    *(_empty("aten::empty.out"), _empty("dim_order_ops::_empty_dim_order.out")),
    *(_fill_scalar, _fill_tensor, _scalar_tensor, _arange, _arange_start),
)
