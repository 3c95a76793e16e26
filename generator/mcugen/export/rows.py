# SPDX-License-Identifier: BSD-3-Clause
"""From what people hand over as samples to one inference's inputs each, and its label.

A list, a tensor, an array, a `Dataset`, a `DataLoader` or a generator; items with or without
labels, with or without the batch axis, alone or in batches. Imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.data import spread
from mcugen.model.sources.objects import of_keys

if TYPE_CHECKING:
    import torch

#: One inference's inputs.
Row = tuple["torch.Tensor", ...]
#: And what follows them in an item: its label, as it was given; None without one.
Labelled = tuple[Row, Any]
FromBytes = Callable[["torch.Tensor"], "torch.Tensor"]
#: Of an iterable that cannot be indexed, which may have no end, this many items are looked at.
MOST_ITEMS = 4096


def rows_of(
    source: Any,
    examples: Sequence[torch.Tensor],
    limit: int,
    seed: int,
    from_bytes: FromBytes | None = None,
) -> list[Row]:
    """Return up to `limit` rows drawn from all of `source`.

    Args:
        source: an iterable of items, or a tensor or array with one sample per row.
        examples: the model's inputs: shapes and dtypes to fit.
        from_bytes: what uint8 values are to a model that takes floats; None: the same numbers.

    Raises ConfigError, naming the item, if one does not fit.
    """
    return [row for row, _ in labelled_rows_of(source, examples, limit, seed, from_bytes)]


def labelled_rows_of(
    source: Any,
    examples: Sequence[torch.Tensor],
    limit: int,
    seed: int,
    from_bytes: FromBytes | None = None,
) -> list[Labelled]:
    """Return up to `limit` rows drawn from all of `source`, each with its label; see rows_of."""
    import torch

    _check_kind(source)
    # A loader that shuffles, and transforms that draw, do so by torch's generator.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        indexed = _by_number(source)
        if indexed is None:
            return _reservoir(source, examples, limit, seed, from_bytes)
        count, item_at = indexed
        found = [
            row
            for index in spread(count, limit, seed)
            for row in _rows(index, item_at(index), examples, from_bytes)
        ]
    # Items that are batches gave more than was asked for.
    return [found[index] for index in spread(len(found), limit, seed)]


def _check_kind(source: Any) -> None:
    """Raise ConfigError for what is no collection of samples."""
    items = hasattr(source, "__iter__") or hasattr(source, "__getitem__")
    if isinstance(source, (str, bytes, Mapping)) or not items:
        keys = f" with {_keys(source)}" if isinstance(source, Mapping) else ""
        raise ConfigError(
            f"its calibration data is of type {type(source).__name__}{keys}: not samples",
            hint="Return a list, tensor, array, Dataset, DataLoader or generator of samples"
            + (", not the function that makes it." if callable(source) else "."),
        )


def zipped(source: Any, examples: Sequence[torch.Tensor]) -> Any:
    """Return items of arrays of all samples and of all labels, given as a tuple; else the source.

    (inputs, labels), each with a row for each sample, is no collection of two samples.
    """
    if not isinstance(source, tuple) or len(source) != len(examples) + 1:
        return source
    fits = all(
        getattr(values, "ndim", 0) == example.dim() and tuple(values.shape)[1:] == example.shape[1:]
        for values, example in zip(source, examples, strict=False)
    )
    if not fits or len({len(values) for values in source}) != 1:
        return source
    return list(zip(*source, strict=True))


def _by_number(source: Any) -> tuple[int, Callable[[int], Any]] | None:
    """Return how many items there are, and how to get one; None if only in their own order.

    A DataLoader over all of a data set is asked for single samples of that: in its own order, the
    last ones come when all others have been loaded.
    """
    from torch.utils.data import DataLoader, RandomSampler, SequentialSampler

    if isinstance(source, DataLoader) and _has_numbers(source.dataset):
        data, collate = source.dataset, source.collate_fn
        takes_all = isinstance(source.sampler, SequentialSampler) or (
            isinstance(source.sampler, RandomSampler) and not source.sampler.replacement
        )
        if takes_all and source.batch_size is not None:
            return len(data), lambda index: collate([data[index]])  # type: ignore[arg-type]
    if _has_numbers(source):
        return len(source), source.__getitem__
    return None


def _has_numbers(source: Any) -> bool:
    return hasattr(source, "__len__") and hasattr(source, "__getitem__")


def _reservoir(
    source: Iterable[Any],
    examples: Sequence[torch.Tensor],
    limit: int,
    seed: int,
    from_bytes: FromBytes | None,
) -> list[Labelled]:
    """Draw from an iterable in one pass: Vitter's algorithm R (ACM TOMS 11, 1985)."""
    kept: list[Labelled] = []
    random = np.random.RandomState(seed)
    seen = 0
    for index, item in enumerate(source):
        if index == MOST_ITEMS:
            break
        for row in _rows(index, item, examples, from_bytes):
            seen += 1
            if len(kept) < limit:
                kept.append(row)
            elif (place := random.randint(seen)) < limit:
                kept[place] = row
    return kept


def _rows(
    index: int, item: Any, examples: Sequence[torch.Tensor], from_bytes: FromBytes | None
) -> Iterator[Labelled]:
    """Yield the rows of one item: one, or as many as its batch has."""
    if isinstance(item, Mapping) and len(examples) == 1:
        item = of_keys(item, f"calibration sample {index}")
    if isinstance(item, Mapping):
        raise ConfigError(
            f"calibration sample {index} is a dict with {_keys(item)}, the model takes "
            f"{len(examples)} inputs",
            hint="Give tuples, the inputs in the order of forward()'s arguments, then the label: "
            "[(sample['a'], sample['b'], sample['label']) for sample in data], say.",
        )
    values = item if isinstance(item, (tuple, list)) else (item,)
    if len(values) < len(examples):
        raise ConfigError(
            f"calibration sample {index} has {len(values)} inputs, the model takes {len(examples)}",
            hint="Of several inputs, a sample is a tuple, in the order of forward()'s arguments.",
        )
    # What follows the inputs is the label, or as many as there are rows.
    label = values[len(examples)] if len(values) > len(examples) else None
    batches = [
        _batch(index, value, example, from_bytes)
        for value, example in zip(values, examples, strict=False)
    ]
    sizes = {len(batch) for batch in batches}
    if len(sizes) != 1:
        raise ConfigError(f"calibration sample {index} has inputs of different batches: {sizes}")
    rows = list(zip(*batches, strict=True))
    for number, row in enumerate(rows):
        yield row, _label_of(label, number, len(rows))


def _label_of(label: Any, number: int, rows: int) -> Any:
    """Return one row's label: a part of what has an entry for each row, else all of it."""
    if isinstance(label, (list, tuple)):
        return label[number] if len(label) == rows > 1 else label
    shape: Sequence[int] = getattr(label, "shape", ())
    batched = len(shape) > 0 and shape[0] == rows and (rows > 1 or len(shape) > 1)
    return label[number] if batched else label


def _batch(
    index: int, value: Any, example: torch.Tensor, from_bytes: FromBytes | None
) -> list[torch.Tensor]:
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
        if tensor.dtype is torch.uint8 and from_bytes is not None:
            tensor = from_bytes(tensor)
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
        f"calibration sample {index} has shape {list(tensor.shape)}, the model takes {list(shape)}",
        hint=_fitting(tuple(tensor.shape), tuple(shape)),
    )


def _fitting(given: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Return what to do about a sample of another shape."""
    one = shape[1:] if shape[:1] == (1,) else shape
    if len(given) >= len(one) >= 3 and (*given[:-3], given[-1], *given[-3:-1])[-len(one) :] == one:
        return "Its last axis is the channels: sample.movedim(-1, -3)."
    return (
        f"A sample is one tensor of {list(one)}, a batch of them, or a tuple of that and a label. "
        "Arrays of all samples and of all labels: list(zip(samples, labels))."
    )


def _keys(item: Mapping[Any, Any]) -> str:
    return ", ".join(repr(key) for key in list(item)[:6]) or "nothing in it"


def _dtype(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")
