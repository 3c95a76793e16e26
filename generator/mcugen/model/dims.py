# SPDX-License-Identifier: BSD-3-Clause
"""The sizes that a `.pt2` leaves open, and the ones that a firmware gets: `--dim NAME=N`.

A `.pt2` does not keep the names of `torch.export.Dim`. An axis is named by forward()'s argument and
its number, "x.2", or by the symbol that the file has for its size, "s53".
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcugen.base.errors import ConfigError

#: Above it, a dimension has no upper end: torch writes int_oo, or the largest number it knows.
_NO_END = 2**31


@dataclass(frozen=True)
class OpenAxis:
    """An axis of an input whose size the program leaves open."""

    name: str  #: "x.2"
    input: int
    axis: int
    size: Any  #: sympy's expression: a symbol, or what follows from one
    lowest: int
    highest: int | None
    example: int

    @property
    def symbol(self) -> str | None:
        """The symbol that is the axis's size, None if its size follows from another axis's."""
        return str(self.size) if self.size.is_Symbol else None

    @property
    def range(self) -> str:
        """Return "4..90", or "2 and more"."""
        if self.highest is None:
            return f"{self.lowest} and more"
        return f"{self.lowest}..{self.highest}"

    def takes(self, size: int) -> bool:
        """Whether the program was exported for `size`.

        A lower end of 2 is what torch writes where no other was asked for: it says nothing of 1.
        """
        lowest = 1 if self.lowest == 2 else self.lowest
        return lowest <= size and (self.highest is None or size <= self.highest)


def parse_dims(texts: Sequence[str]) -> dict[str, int]:
    """Return what `--dim NAME=N` said, by name. Raises ConfigError. No torch."""
    sizes: dict[str, int] = {}
    for text in texts:
        match = re.fullmatch(r"\s*([A-Za-z_][\w.]*)\s*=\s*(\d{1,9})\s*", text)
        if match is None or int(match[2]) == 0:
            raise ConfigError(
                f"--dim '{text}' is not NAME=N with a whole number from 1 on",
                hint="NAME is an input and its axis: --dim x.1=30.",
            )
        name, size = match[1], int(match[2])
        if sizes.setdefault(name, size) != size:
            raise ConfigError(f"--dim gives {name} two sizes, {sizes[name]} and {size}")
    return sizes


def open_axes(program: Any) -> list[OpenAxis]:
    """Return each axis whose size an exported program leaves open."""
    import torch

    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    ranges = {str(size): limits for size, limits in program.range_constraints.items()}
    found = []
    for index, name in enumerate(program.graph_signature.user_inputs):
        value = nodes[name].meta.get("val")
        if not isinstance(value, torch.Tensor):
            continue
        for axis, size in enumerate(value.shape):
            if isinstance(size, torch.SymInt):
                expression = size.node.expr
                limits = ranges.get(str(expression))
                found.append(
                    OpenAxis(
                        name=f"{name}.{axis}",
                        input=index,
                        axis=axis,
                        size=expression,
                        # A size of 0 is no size of a tensor on a device.
                        lowest=max(_number(getattr(limits, "lower", None)) or 1, 1),
                        highest=_number(getattr(limits, "upper", None)),
                        example=program.example_inputs[0][index].shape[axis],
                    )
                )
    return found


def _number(limit: Any) -> int | None:
    """Return an end of a range; None where it has none: sympy's and torch's infinities differ."""
    if limit is None or not getattr(limit, "is_finite", True) or not abs(limit) < _NO_END:
        return None
    return int(limit)


def sizes_asked_for(
    axes: Sequence[OpenAxis], dims: Mapping[str, int], *, model: str
) -> dict[str, int]:
    """Return the size of each symbol that `--dim` names.

    Raises ConfigError: no such axis, a size that the program was not exported for, one size that is
    given twice.
    """
    if dims and not axes:
        raise ConfigError(
            f"--dim {_first(dims)}: every size is fixed in {model}",
            hint="Export it with dynamic_shapes to leave one open, or leave --dim out.",
        )
    sizes: dict[str, int] = {}
    by_name = {axis.name: axis for axis in axes}
    by_symbol = {axis.symbol: axis for axis in reversed(axes) if axis.symbol}
    for name, size in dims.items():
        axis = by_name.get(name) or by_symbol.get(name)
        if axis is None:
            raise _unknown(name, axes, model)
        if axis.symbol is None:
            others = [each.name for each in axes if each.size in axis.size.free_symbols]
            raise ConfigError(
                f"--dim {name}: its size in {model} is {axis.size}",
                hint=f"Give that of {others[0]}." if others else None,
            )
        if not axis.takes(size):
            raise ConfigError(
                f"--dim {name}={size}: {model} was exported for sizes of {axis.range}"
            )
        if sizes.setdefault(axis.symbol, size) != size:
            raise ConfigError(
                f"--dim gives {name} a size of {size} and {sizes[axis.symbol]}: in {model}, "
                f"{', '.join(each.name for each in axes if each.symbol == axis.symbol)} are one"
            )
    return sizes


def _first(dims: Mapping[str, int]) -> str:
    return next(f"{name}={size}" for name, size in dims.items())


def _unknown(name: str, axes: Sequence[OpenAxis], model: str) -> ConfigError:
    listed = ", ".join(f"{axis.name} ({axis.range}, example {axis.example})" for axis in axes)
    close = difflib.get_close_matches(name, [axis.name for axis in axes], n=1, cutoff=0.6)
    return ConfigError(
        f"--dim {name}: {model} has no open size of that name; it has {listed}",
        hint=(f"Did you mean {close[0]}? " if close else "")
        + "NAME is an input and its axis: a .pt2 does not keep the names of torch.export.Dim.",
    )


def sizes_of_samples(
    axes: Sequence[OpenAxis], example: Sequence[int], sample: Sequence[int]
) -> dict[str, int]:
    """Return the sizes, by symbol, with which samples of a model's only input fit it.

    A sample may come without the batch axis, and an image as NHWC. {}: no size has to change.

    Raises ConfigError if the program was not exported for such samples.
    """
    if _without_ones(sample) == _without_ones(example[1:]):
        return {}
    open_at = {axis.axis: axis for axis in axes}
    shapes = _readings(tuple(sample), len(example))
    for shape in [*shapes, *_with_ones(sample, example, open_at)]:
        sizes: dict[str, int] = {}
        for index, (size, want) in enumerate(zip(shape, example, strict=True)):
            axis = open_at.get(index)
            if index == 0 and axis is not None:
                continue  # the batch: one sample is given
            if axis is None or axis.symbol is None:
                fits = axis is not None or size == want
            else:
                fits = axis.takes(size) and sizes.setdefault(axis.symbol, size) == size
            if not fits:
                break
        else:
            return sizes
    takes = [open_at[i].range if i in open_at else str(size) for i, size in enumerate(example)]
    raise ConfigError(
        f"samples have shape {list(sample)}, the model's input is [{', '.join(takes)}]",
        hint="Give one sample per row, in the model's own shape or as NHWC.",
    )


def _without_ones(shape: Sequence[int]) -> list[int]:
    return [size for size in shape if size != 1]


def _readings(sample: tuple[int, ...], rank: int) -> list[tuple[int, ...]]:
    shapes = [sample, (1, *sample)]
    shapes += [(shape[0], shape[3], *shape[1:3]) for shape in shapes if len(shape) == 4]
    return [shape for shape in shapes if len(shape) == rank]


def _with_ones(
    sample: Sequence[int], example: Sequence[int], open_at: Mapping[int, OpenAxis]
) -> list[tuple[int, ...]]:
    """Return a sample's shape with the axes of size 1 of the example that it lacks, if it does."""
    rest = _without_ones(sample)
    shape = []
    for index, size in enumerate(example):
        if index == 0 or (size == 1 and index not in open_at):
            shape.append(1)
        elif not rest:
            return []
        else:
            shape.append(rest.pop(0))
    return [] if rest else [tuple(shape)]


def with_sizes(inputs: Sequence[Any], axes: Sequence[OpenAxis], sizes: Mapping[str, int]) -> Any:
    """Return the example inputs with these sizes, by symbol: cut, or repeated where too short."""
    import torch

    symbols = {symbol: symbol for axis in axes for symbol in axis.size.free_symbols}
    examples = {axis.symbol: axis.example for axis in axes if axis.symbol}
    known = examples | dict(sizes)
    values = {symbol: known[str(symbol)] for symbol in symbols if str(symbol) in known}
    given = list(inputs)
    for axis in axes:
        follows = axis.size.free_symbols <= values.keys()
        size = int(axis.size.subs(values)) if follows else axis.example
        value = given[axis.input]
        if size != value.shape[axis.axis]:
            # What is there is legal: an index into a table, say.
            places = torch.arange(size) % value.shape[axis.axis]
            given[axis.input] = value.index_select(axis.axis, places)
    return tuple(given)
