# SPDX-License-Identifier: BSD-3-Clause
"""CSV files of sensors: a row per step or per sample, a column per channel.

    time,ax,ay,az,label
    0.00,0.1,9.7,0.3,walking

`data.csv:window=100,hop=50,channels=ax+ay+az,label=label,group=person`. Without `window`, each row
is a sample, [channels]. With it, samples are windows of that many rows, [window, channels], one
beginning every `hop` rows (default: as long as the window); none goes over a change of label or of
`group`, a column that tells recordings apart. `label` is "label", "class", "target" or "y" where
there is such a column, in capitals or not; text is numbered in the order of the alphabet.
`channels` are all columns that are neither. A column is told by its name, or by its number from 0.
The delimiter is a comma, semicolon or tab.
"""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.samples import Progress, Samples, numbered, spread
from mcugen.model.sources.text import options_of, positive

_OPTIONS = ("window", "hop", "label", "channels", "group")
_LABELS = ("label", "labels", "class", "y", "target")


def load_csv(
    path: Path,
    limit: int | None = None,
    *,
    seed: int | None = None,
    options: str = "",
    progress: Progress | None = None,
) -> Samples:
    """Return float32[n, window, channels] or [n, channels]. Raises ConfigError naming the line."""
    chosen = options_of(options, _OPTIONS, path.name)
    window = positive(chosen, "window", path.name)
    hop = positive(chosen, "hop", path.name) or window
    if window is None and "hop" in chosen:
        raise ConfigError(f"{path.name}: hop needs a window")
    if progress:
        progress(f"reading {path.name}", 0, 1)
    header, rows, lines = _rows(path)
    label = _column(chosen.get("label"), header, path)
    if label is None:
        label = _label_of(header)
    group = _column(chosen.get("group"), header, path)
    if "channels" in chosen:
        columns = [_column(name, header, path) for name in chosen["channels"].split("+")]
    else:
        columns = [i for i in range(len(header)) if i not in (label, group)]
    if not columns:
        raise ConfigError(f"{path} has no column of a channel: {', '.join(header)}")
    values = np.empty((len(rows), len(columns)), np.float32)
    for place, column in enumerate(columns):
        assert column is not None
        values[:, place] = _numbers(rows[:, column], lines, header[column], path)
    labels = classes = None
    if label is not None:
        labels, classes = _labels(rows[:, label], lines, path)
    if progress:
        progress(f"reading {path.name}", 1, 1)
    if window is None:
        return Samples(values, labels, path.name, classes).cut(limit, seed)
    assert hop is not None
    starts = _starts(rows, [i for i in (label, group) if i is not None], window, hop)
    if not starts:
        raise ConfigError(
            f"{path} has no window of {window} rows with one label: {len(rows)} rows in all"
        )
    taken = [starts[i] for i in spread(len(starts), limit, seed)]
    return Samples(
        np.stack([values[start : start + window] for start in taken]),
        None if labels is None else labels[taken],
        f"{path.name}, windows of {window} every {hop} rows",
        classes,
        tuple(f"{path.name}, line {lines[start]}" for start in taken),
    )


def _rows(path: Path) -> tuple[list[str], np.ndarray, list[int]]:
    """Return the names of the columns, text[rows, columns], and each row's line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            delimiter = max(",;\t", key=first.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter)
            rows: list[list[str]] = []
            lines: list[int] = []
            for row in reader:
                if not any(cell.strip() for cell in row):
                    continue
                if rows and len(row) != len(rows[0]):
                    raise ConfigError(
                        f"{path}, line {reader.line_num}: {len(row)} columns, {len(rows[0])} above"
                    )
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except FileNotFoundError as error:
        raise ConfigError(f"no such file: {path}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} is not a readable CSV file: {error}") from error
    if rows and not all(_is_number(cell) for cell in rows[0]):
        header, rows, lines = rows[0], rows[1:], lines[1:]
    else:
        header = [str(i) for i in range(len(rows[0]))] if rows else []
    if not rows:
        raise ConfigError(f"{path} has no rows of samples")
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise ConfigError(f"{path} has several columns '{sorted(twice)[0]}'")
    return header, np.array(rows, str), lines


def _column(name: str | None, header: list[str], path: Path) -> int | None:
    if name is None:
        return None
    if name in header:
        return header.index(name)
    if name.isdecimal() and int(name) < len(header):
        return int(name)
    raise ConfigError(f"{path} has no column '{name}': {', '.join(header)}")


def _label_of(header: list[str]) -> int | None:
    """Return the column of the labels, if one is called so; a y between x and z is an axis."""
    lower = [name.lower() for name in header]
    axes = {"x", "z"} <= set(lower)
    names = (name for name in _LABELS if name in lower and not (name == "y" and axes))
    return next(map(lower.index, names), None)


def _numbers(cells: np.ndarray, lines: list[int], name: str, path: Path) -> np.ndarray:
    try:
        values = cells.astype(np.float64)
    except ValueError:
        bad = next(i for i, cell in enumerate(cells) if not _is_number(cell))
        what = f"'{cells[bad]}'" if cells[bad] else "nothing"
        raise ConfigError(
            f"{path}, line {lines[bad]}, column '{name}': {what} is no number",
            hint=f"If it tells the class: {path.name}:label={name}. If it is no channel: "
            f"{path.name}:channels=A+B+C names those that are, by name or from 0.",
        ) from None
    if not np.isfinite(values).all():
        bad = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ConfigError(f"{path}, line {lines[bad]}, column '{name}': {cells[bad]}")
    return values


def _labels(
    cells: np.ndarray, lines: list[int], path: Path
) -> tuple[np.ndarray | None, tuple[str, ...] | None]:
    if "" in cells:
        bad = int(np.flatnonzero(cells == "")[0])
        raise ConfigError(f"{path}, line {lines[bad]}: no label")
    try:
        return numbered(cells.astype(np.float64))
    except ValueError:
        return numbered(cells)


def _starts(rows: np.ndarray, marks: list[int], window: int, hop: int) -> list[int]:
    """Return the rows at which windows begin, none of which goes over a change of a mark."""
    changes = np.zeros(len(rows), bool)
    for column in marks:
        changes[1:] |= rows[1:, column] != rows[:-1, column]
    begins = [0, *np.flatnonzero(changes).tolist(), len(rows)]
    return [
        start
        for begin, end in itertools.pairwise(begins)
        for start in range(begin, end - window + 1, hop)
    ]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
