# SPDX-License-Identifier: BSD-3-Clause
"""`.npz` and `.npy` files, one sample per row."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.samples import Samples, numbered, spread
from mcugen.model.sources.text import first_line, numbers, options_of

_LABELS, _NAMES = "y", "class_names"


def load_npz(
    path: Path, limit: int | None = None, *, seed: int | None = None, options: str = ""
) -> Samples:
    """Return the samples of an `.npz`: array "x" (or the only one) and labels "y" if present.

    options: "x=images,y=targets" for arrays of other names. Array "class_names" names the labels;
    labels that are text are numbered by it, else in the order of the alphabet.
    """
    names_of = options_of(options, ("x", "y"), path.name)
    try:
        with np.load(path, allow_pickle=False) as file:
            names = list(file.files)
            labels_name = _existing(names_of.get("y"), names, path)
            inputs_name = _existing(names_of.get("x"), names, path) or _inputs(names, path)
            inputs = numbers(lambda: file[inputs_name], f"{path}: array '{inputs_name}'")
            labels_name = labels_name or (_LABELS if _LABELS in names else None)
            labels, classes = _labels(file, labels_name) if labels_name else (None, None)
            named = None
            if _NAMES in names and _NAMES not in (inputs_name, labels_name):
                named = tuple(str(each) for each in file[_NAMES].astype(str).reshape(-1))
    except FileNotFoundError as error:
        raise ConfigError(f"no such file: {path}") from error
    except ConfigError:
        raise
    except Exception as error:  # zipfile, zlib, numpy: many types
        # numpy takes a file of any other kind for a pickle, and says so.
        why = f": {first_line(error)}" if zipfile.is_zipfile(path) else ""
        raise ConfigError(
            f"{path} is not a readable .npz file{why}",
            hint="numpy.savez(FILE, x=samples) writes one, with one sample per row.",
        ) from error
    if inputs.ndim < 1 or len(inputs) == 0:
        raise ConfigError(f"{path}: array '{inputs_name}' has no samples")
    if labels is not None and labels.ndim < 1:
        raise ConfigError(
            f"{path}: array '{labels_name}' is one number; expected a label for each sample"
        )
    if labels is not None and len(labels) != len(inputs):
        raise ConfigError(f"{path}: {len(inputs)} samples but {len(labels)} labels")
    found = Samples(inputs, labels, path.name, classes or named)
    return (found.numbered_as(named) if classes and named else found).cut(limit, seed)


def _existing(name: str | None, names: list[str], path: Path) -> str | None:
    if name is not None and name not in names:
        raise ConfigError(f"{path} has no array '{name}': it holds {', '.join(names)}")
    return name


def _inputs(names: list[str], path: Path) -> str:
    rest = [name for name in names if name not in (_LABELS, _NAMES)]
    if "x" not in names and len(rest) != 1:
        raise ConfigError(
            f"{path} holds {', '.join(names) or 'no arrays'}; expected 'x' (samples) and "
            "optionally 'y' (labels)",
            hint=f"{path.name}:x=NAME,y=NAME takes arrays of other names.",
        )
    return "x" if "x" in names else rest[0]


def _labels(file: Any, name: str) -> tuple[np.ndarray | None, tuple[str, ...] | None]:
    try:
        return numbered(np.asarray(file[name]))
    except ValueError:  # Python objects, which would have to be unpickled
        return None, None


def load_npy(path: Path, limit: int | None = None, *, seed: int | None = None) -> Samples:
    """Return the samples of an `.npy` file, one per row; only the chosen ones are read."""
    rows = numbers(lambda: np.load(path, mmap_mode="r", allow_pickle=False), str(path))
    if rows.ndim < 1 or len(rows) == 0:
        raise ConfigError(f"{path} has no samples")
    return Samples(np.asarray(rows[spread(len(rows), limit, seed)]), None, path.name)
