# SPDX-License-Identifier: BSD-3-Clause
"""From what people hand over as samples to one inference's inputs each.

A list, a tensor, an array, a `Dataset`, a `DataLoader` or a generator; items with or without
labels, with or without the batch axis, alone or in batches. Imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.data import spread

if TYPE_CHECKING:
    import torch

#: One inference's inputs.
Row = tuple["torch.Tensor", ...]
#: Of an iterable that cannot be indexed, which may have no end, this many items are looked at.
MOST_ITEMS = 4096


def rows_of(source: Any, examples: Sequence[torch.Tensor], limit: int, seed: int) -> list[Row]:
    """Return up to `limit` rows drawn from all of `source`.

    Args:
        source: an iterable of items, or a tensor or array with one sample per row.
        examples: the model's inputs: shapes and dtypes to fit.

    Raises ConfigError, naming the item, if one does not fit.
    """
    if hasattr(source, "__len__") and hasattr(source, "__getitem__"):
        items: Iterable[tuple[int, Any]] = (
            (index, source[index]) for index in spread(len(source), limit, seed)
        )
        found = [row for index, item in items for row in _rows(index, item, examples)]
        # Items that are batches gave more than was asked for.
        return [found[index] for index in spread(len(found), limit, seed)]
    return _reservoir(source, examples, limit, seed)


def _reservoir(
    source: Iterable[Any], examples: Sequence[torch.Tensor], limit: int, seed: int
) -> list[Row]:
    """Draw from an iterable in one pass: Vitter's algorithm R (ACM TOMS 11, 1985)."""
    kept: list[Row] = []
    random = np.random.RandomState(seed)
    seen = 0
    for index, item in enumerate(source):
        if index == MOST_ITEMS:
            break
        for row in _rows(index, item, examples):
            seen += 1
            if len(kept) < limit:
                kept.append(row)
            elif (place := random.randint(seen)) < limit:
                kept[place] = row
    return kept


def _rows(index: int, item: Any, examples: Sequence[torch.Tensor]) -> Iterator[Row]:
    """Yield the rows of one item: one, or as many as its batch has."""
    values = item if isinstance(item, (tuple, list)) else (item,)
    if len(values) < len(examples):
        raise ConfigError(
            f"calibration sample {index} has {len(values)} inputs, the model takes {len(examples)}"
        )
    # What follows the inputs is labels.
    batches = [
        _batch(index, value, example) for value, example in zip(values, examples, strict=False)
    ]
    sizes = {len(batch) for batch in batches}
    if len(sizes) != 1:
        raise ConfigError(f"calibration sample {index} has inputs of different batches: {sizes}")
    yield from zip(*batches, strict=True)


def _batch(index: int, value: Any, example: torch.Tensor) -> list[torch.Tensor]:
    """Return the tensors of `example`'s shape that one value of an item holds."""
    import torch

    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"calibration sample {index} is of type {type(value).__name__}: not a tensor",
            hint="A sample is a tensor, an array, or a tuple of them.",
        ) from error
    shape = example.shape
    if example.is_floating_point() and tensor.dtype != example.dtype:
        tensor = tensor.to(example.dtype)
    elif tensor.dtype != example.dtype:
        if tensor.is_floating_point():
            raise ConfigError(
                f"calibration sample {index} is {_dtype(tensor)} where the model takes "
                f"{_dtype(example)}",
                hint="Give it the dtype of the example inputs: sample.to(torch.int64), say.",
            )
        tensor = tensor.to(example.dtype)
    if tensor.shape == shape:
        return [tensor]
    if len(shape) > 0 and shape[0] == 1:
        if tensor.shape == shape[1:]:
            return [tensor.unsqueeze(0)]
        if tensor.dim() == len(shape) and tensor.shape[1:] == shape[1:]:
            return list(tensor.split(1))
    raise ConfigError(
        f"calibration sample {index} has shape {list(tensor.shape)}, the model takes {list(shape)}"
    )


def _dtype(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")
