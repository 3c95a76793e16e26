# SPDX-License-Identifier: BSD-3-Clause
"""Samples from what Python code hands over: arrays, tensors, a torch `Dataset` or `DataLoader`.

torch is not imported: who has a tensor has done so.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.samples import Progress, Samples, numbered, spread, stacked

#: Of an iterable that cannot be indexed, which may have no end, this many samples are looked at.
MOST_SAMPLES = 4096
#: Keys of samples that are dicts, as Hugging Face's and tensorflow-datasets' are.
_INPUTS = ("image", "audio", "x", "input", "inputs", "features", "pixel_values", "input_values")
_LABELS = ("label", "labels", "y", "target", "targets")


def samples_from(
    source: Any,
    limit: int | None = None,
    *,
    seed: int | None = 0,
    progress: Progress | None = None,
) -> Samples:
    """Return the samples that an object holds: at most `limit`, drawn from all by a seed.

    Args:
        source: an array or tensor, sample first; (samples, labels) of two of them; a list,
            `Dataset` or other sequence of samples or of (sample, label); a `DataLoader`, whose
            batches are taken apart; a generator, of which MOST_SAMPLES are looked at; `Samples`.
        limit: the most samples; None: all.
        seed: None: the first ones.
        progress: called while samples are read.

    Raises ConfigError, naming the sample, for what is none of these. Models of several inputs need
    tuples, which this cannot tell from labels: of a longer tuple, the last one is the label.
    """
    if isinstance(source, Samples):
        return source.cut(limit, seed)
    what = type(source).__name__
    if _is_array(source):
        return _of_arrays(_array(source, "the samples"), None, what).cut(limit, seed)
    if isinstance(source, tuple) and len(source) == 2 and all(map(_is_array, source)):
        inputs, labels = _array(source[0], "the samples"), _array(source[1], "the labels")
        if inputs.ndim and labels.ndim and len(inputs) == len(labels):
            return _of_arrays(inputs, labels, "arrays").cut(limit, seed)
    if isinstance(source, (str, bytes, Mapping)) or not (
        hasattr(source, "__iter__") or hasattr(source, "__getitem__")
    ):
        raise ConfigError(
            f"data of type {what} are no samples",
            hint="Give an array, (samples, labels), a list, Dataset, DataLoader or generator; "
            "load_source() takes names.",
        )
    return _of_items(source, limit, seed, what, progress)


def _of_arrays(inputs: np.ndarray, labels: np.ndarray | None, what: str) -> Samples:
    if inputs.ndim < 1 or len(inputs) == 0:
        raise ConfigError(f"{what} holds no samples")
    numbers, names = (None, None) if labels is None else numbered(labels)
    return Samples(inputs, numbers, what, names)


def _of_items(
    source: Any, limit: int | None, seed: int | None, what: str, progress: Progress | None
) -> Samples:
    taken_apart, batches = _loader(source)
    if hasattr(taken_apart, "__len__") and hasattr(taken_apart, "__getitem__"):
        pairs = []
        chosen = spread(len(taken_apart), limit, seed)
        for done, index in enumerate(chosen):
            if progress and done % 64 == 0:
                progress(f"reading {what}", done, len(chosen))
            pairs.append(_pair(taken_apart[index], index))
        if progress:
            progress(f"reading {what}", len(chosen), len(chosen))
    else:
        pairs = _drawn(_each(taken_apart, batches), limit, seed)
    if not pairs:
        raise ConfigError(f"{what} holds no samples")
    labelled = [label for _, label in pairs if label is not None]
    if 0 < len(labelled) < len(pairs):
        raise ConfigError(f"{what}: {len(labelled)} of {len(pairs)} samples have a label")
    labels, names = numbered(stacked(labelled)) if labelled else (None, None)
    classes = getattr(getattr(source, "dataset", source), "classes", None)  # torchvision's
    if names is None and isinstance(classes, (list, tuple)):
        names = tuple(map(str, classes))
    return Samples(stacked([value for value, _ in pairs]), labels, what, names)


def _loader(source: Any) -> tuple[Any, bool]:
    """Return what to read single samples from, and whether it gives batches of them.

    A DataLoader over all of a data set is asked for that: in its own order, the last samples come
    when all others have been loaded.
    """
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(source, torch.utils.data.DataLoader):
        return source, False
    from torch.utils.data import RandomSampler, SequentialSampler, default_collate

    takes_all = isinstance(source.sampler, SequentialSampler) or (
        isinstance(source.sampler, RandomSampler) and not source.sampler.replacement
    )
    plain = source.collate_fn is default_collate and source.batch_size is not None
    if takes_all and plain and hasattr(source.dataset, "__len__"):
        return source.dataset, False
    return source, source.batch_size is not None or source.batch_sampler is not None


def _each(source: Iterable[Any], batches: bool) -> Iterable[tuple[np.ndarray, Any]]:
    number = 0
    for item in source:
        value, label = _pair(item, number)
        if not batches:
            yield value, label
            number += 1
            continue
        for place in range(len(value)):
            yield value[place], None if label is None else label[place]
            number += 1


def _drawn(
    items: Iterable[tuple[np.ndarray, Any]], limit: int | None, seed: int | None
) -> list[tuple[np.ndarray, Any]]:
    """Draw from an iterable in one pass: Vitter's algorithm R (ACM TOMS 11, 1985)."""
    kept: list[tuple[np.ndarray, Any]] = []
    random = np.random.RandomState(seed or 0)
    for seen, item in enumerate(items, 1):
        if limit is None or len(kept) < limit:
            kept.append(item)
        elif seed is None:
            break
        elif (place := random.randint(seen)) < limit:
            kept[place] = item
        if seen == MOST_SAMPLES:
            break
    return kept


def _pair(item: Any, number: int) -> tuple[np.ndarray, Any]:
    """Return a sample and its label, None without one."""
    label = None
    if isinstance(item, Mapping):
        item, label = of_keys(item, f"sample {number}")
    elif isinstance(item, (tuple, list)) and len(item) >= 2 and not np.isscalar(item[0]):
        item, label = item[0], item[-1]
    value = _array(item, f"sample {number}")
    if value.dtype.kind not in "biuf":
        raise ConfigError(f"sample {number} is of type {type(item).__name__}: not numbers")
    return value, None if label is None else _array(label, f"the label of sample {number}")


def of_keys(item: Mapping[Any, Any], what: str) -> tuple[Any, Any]:
    """Return the input and the label, None without one, of a sample or batch that is a dict.

    Raises ConfigError if no key, or several, are those of an input.
    """
    keys = [key for key in _INPUTS if key in item]
    if len(keys) != 1:
        raise ConfigError(
            f"{what} is a dict with {', '.join(map(repr, list(item)[:6])) or 'nothing in it'}: "
            "which one is the input is not clear",
            hint=f"One of {', '.join(_INPUTS)}; its label: {', '.join(_LABELS)}. Else give tuples: "
            "[(sample['a'], sample['b']) for sample in data], say.",
        )
    return item[keys[0]], next((item[key] for key in _LABELS if key in item), None)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (
        hasattr(value, "shape") and (hasattr(value, "__array__") or hasattr(value, "detach"))
    )


def _array(value: Any, what: str) -> np.ndarray:
    """Return an array of a tensor on any device, a Pillow image, a number or a list."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        convert: Callable[[], Any] = value.numpy
    else:
        convert = lambda: np.asarray(value)  # noqa: E731
    try:
        return np.asarray(convert())
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{what} is of type {type(value).__name__}: not numbers") from error
