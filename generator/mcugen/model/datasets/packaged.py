# SPDX-License-Identifier: BSD-3-Clause
"""Real data that packages on PyPI carry as files: read from what is installed, without a download.

The packages themselves are not imported: their files are enough, and so `pip install --no-deps` is.
"""

from __future__ import annotations

import importlib
from importlib import metadata
from pathlib import Path

import numpy as np

from mcugen.base.errors import ConfigError, ToolMissingError
from mcugen.model.catalog import DATASETS

SPLITS = ("train", "test")
#: Files are sorted by class; in this order the first samples stand for all.
_ORDER_SEED = 0


def read(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return all inputs and labels of a split, in an order drawn by a seed.

    Raises ToolMissingError if the package is not installed; ConfigError for an unknown split.
    """
    if split not in SPLITS:
        raise ConfigError(f"dataset '{name}' has no split '{split}': {' or '.join(SPLITS)}")
    reader = DATASETS[name].reader
    assert reader is not None
    inputs, labels = importlib.import_module(reader).read(split)
    order = np.random.RandomState(_ORDER_SEED).permutation(len(inputs))
    return inputs[order], labels[order].astype(np.int64)


def require(name: str) -> None:
    """Raise ToolMissingError, naming the extra, if the dataset's package is not installed."""
    _installed(name)


def version(name: str) -> str:
    """Return the installed package that carries a dataset, with its version."""
    return f"{DATASETS[name].package} {_installed(name).version}"


def data_file(name: str, path: str) -> Path:
    """Return a file of the package that carries a dataset.

    Raises ToolMissingError if the package is not installed, or is another one than expected.
    """
    file = Path(str(_installed(name).locate_file(path)))
    if not file.is_file():
        raise ToolMissingError(
            f"dataset '{name}': {version(name)} has no file {path}", hint=_hint(name)
        )
    return file


def _installed(name: str) -> metadata.Distribution:
    try:
        return metadata.distribution(DATASETS[name].package)
    except metadata.PackageNotFoundError:
        raise ToolMissingError(
            f"dataset '{name}' comes with the package {DATASETS[name].package}, "
            "which is not installed",
            hint=_hint(name),
        ) from None


def _hint(name: str) -> str:
    extra, package = DATASETS[name].extra, DATASETS[name].package
    return (
        f"pip install 'mcugen[{extra}]' (in a clone: '.[{extra}]'). Only a file of it is read: "
        f"pip install --no-deps {package} is enough."
    )
