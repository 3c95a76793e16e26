# SPDX-License-Identifier: BSD-3-Clause
"""Samples as data holds them, and which of them to take. Arrays; no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mcugen.base.errors import ConfigError

#: Called as progress(what, done, total).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Samples:
    """Samples with what is known of them, sample first."""

    #: [n, ...] as stored; where samples differ in shape, object[n] of arrays.
    inputs: np.ndarray
    #: int64[n] classes; float[n, ...] where they are measured values; None where there are none.
    labels: np.ndarray | None
    provenance: str  #: where the samples come from, for the report
    class_names: tuple[str, ...] | None = None  #: of label 0, 1, ...
    names: tuple[str, ...] | None = None  #: of each sample: its file, mostly
    sample_rate_hz: int | None = None  #: of audio

    def __len__(self) -> int:
        """Return how many."""
        return len(self.inputs)

    def take(self, chosen: Sequence[int] | np.ndarray) -> Samples:
        """Return some of them, by number."""
        index = np.asarray(chosen, np.intp)
        return replace(
            self,
            inputs=self.inputs[index],
            labels=None if self.labels is None else self.labels[index],
            names=None if self.names is None else tuple(self.names[i] for i in index),
        )

    def numbered_as(self, names: Sequence[str]) -> Samples:
        """Return the samples with a model's numbers of the classes, told apart by their names.

        Data that hold some of the classes only number these 0, 1, ...: that is not what the model
        calls them. As many classes of quite other names keep their numbers, and it is said.

        Args:
            names: of the model's output 0, 1, ...; empty: not known.

        Raises ConfigError if the model does not have all of the names.
        """
        own = self.class_names
        if self.labels is None or not own or not names or own == tuple(names[: len(own)]):
            return self
        place = {name: number for number, name in enumerate(names)}
        others = [name for name in own if name not in place]
        if len(others) == len(own) == len(names):
            said = f", its classes {own[0]}, ... taken for the model's {names[0]}, ..., in order"
            return replace(self, provenance=self.provenance + said)
        if others:
            raise ConfigError(
                f"{self.provenance}: the model has no class {', '.join(map(repr, others[:4]))}",
                hint=f"Its class_names are {', '.join(names)}.",
            )
        if self.labels.dtype.kind != "i" or not 0 <= self.labels.min() <= self.labels.max() < len(
            own
        ):
            raise ConfigError(
                f"{self.provenance}: labels are not places among its {len(own)} class names"
            )
        numbers = np.array([place[name] for name in own], np.int64)
        return replace(self, labels=numbers[self.labels], class_names=tuple(names))

    def cut(self, limit: int | None, seed: int | None) -> Samples:
        """Return those that spread(limit, seed) chooses."""
        if limit is None or len(self) <= limit:
            return self
        return self.take(spread(len(self), limit, seed))


def spread(count: int, limit: int | None, seed: int | None = None) -> list[int]:
    """Return which of `count` samples to take: all, the first `limit`, or `limit` by a seed.

    Data lies sorted by class, by day or by person more often than not: where a few samples have to
    stand for all, the first ones do not.
    """
    if limit is None or count <= limit:
        return list(range(count))
    if seed is None:
        return list(range(limit))
    return [int(index) for index in np.random.RandomState(seed).permutation(count)[:limit]]


def stacked(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Return [n, ...], or object[n] of arrays where they differ in shape."""
    if len({row.shape for row in rows}) <= 1:
        return np.stack(rows) if rows else np.zeros(0, np.float32)
    ragged = np.empty(len(rows), object)
    for place, row in enumerate(rows):
        ragged[place] = row
    return ragged


def is_ragged(inputs: np.ndarray) -> bool:
    """Return whether samples differ in shape."""
    return bool(inputs.dtype == object)


def classes_of(labels: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return int64[n] and the names by number, in the order of the alphabet."""
    names, numbers = np.unique(np.asarray(labels, str), return_inverse=True)
    return numbers.reshape(-1).astype(np.int64), tuple(str(name) for name in names)


def numbered(values: np.ndarray) -> tuple[np.ndarray | None, tuple[str, ...] | None]:
    """Return labels as numbers, and their names if they were text; None for Python objects.

    Whole numbers become int64, other ones stay measured values, float64.
    """
    if values.dtype.kind in "US":
        return classes_of([str(each) for each in values.astype(str)])
    if values.dtype.kind not in "biuf":
        return None, None
    if values.dtype.kind == "f" and not bool((values == np.rint(values)).all()):
        return values.astype(np.float64), None
    return values.astype(np.int64), None
