# SPDX-License-Identifier: BSD-3-Clause
"""Samples for calibration and verification, from a source named in one line, or a Python object.

`FILE.npz`, `FILE.npz:x=NAME,y=NAME`, `FILE.npy`, `FILE.csv`, `FILE.csv:window=N,hop=N,...`,
`tfds:NAME[:VERSION][/SPLIT]`, `tfds:BUILDER.py[/SPLIT]`, or a folder of `.npy` files, images or
audio, with a subfolder for each class where they have one.

No torch here: arrays in, arrays out. Images come in the layout they are stored in (NHWC).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from mcugen.base.cache import file_sha256
from mcugen.base.errors import ConfigError
from mcugen.model.catalog import DATASETS
from mcugen.model.datasets import packaged
from mcugen.model.feed import as_model_input
from mcugen.model.samples import Progress, Samples, spread
from mcugen.model.sources.array_files import load_npy, load_npz
from mcugen.model.sources.csv_windows import load_csv
from mcugen.model.sources.folder import listing, load_folder
from mcugen.model.sources.objects import samples_from
from mcugen.model.sources.text import split_options
from mcugen.model.sources.tfds import BUNDLED, PREFIX, load_tfds, split_name, tfds_source

__all__ = [
    "BUNDLED",
    "TFDS_PREFIX",
    "Samples",
    "as_model_input",
    "load_csv",
    "load_dataset",
    "load_folder",
    "load_npy",
    "load_npz",
    "load_source",
    "load_tfds",
    "require_dataset",
    "samples_from",
    "source_fingerprint",
    "source_parts",
    "source_path",
    "spread",
    "tfds_source",
]

TFDS_PREFIX = PREFIX
#: Which samples stand for all, where a source has more than are asked for.
SEED = 0


def require_dataset(name: str) -> None:
    """Raise ToolMissingError if the package that carries a dataset of `DATASETS` is missing."""
    if DATASETS[name].reader is not None:
        packaged.require(name)


def load_dataset(
    name: str,
    split: str,
    limit: int | None = None,
    *,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Samples:
    """Return samples of a dataset of `DATASETS`: those that spread(limit, seed) chooses."""
    if DATASETS[name].reader is None:
        return load_tfds(name, split, limit, seed=seed, progress=progress)
    inputs, labels = packaged.read(name, split)
    where = f"{name}/{split} of {packaged.version(name)}"
    return Samples(inputs, labels, where).cut(limit, seed)


def load_source(
    source: str,
    limit: int | None = None,
    *,
    seed: int | None = SEED,
    progress: Progress | None = None,
) -> Samples:
    """Return the samples that a source names.

    Args:
        source: as this module's head says.
        limit: the most of them; None: all.
        seed: which ones, in which order, if there are more: drawn from all. None: the first ones.
        progress: called while files are read and datasets are prepared.

    Raises ConfigError, naming file and line, for what is not there, damaged, or not clear.
    """
    if source.startswith(PREFIX):
        name, split = split_name(source.removeprefix(PREFIX))
        return load_tfds(name, split, limit, seed=seed, progress=progress)
    path, options = _path_and_options(source)
    suffix = path.suffix.lower()
    if path.is_dir():
        return load_folder(path, limit, seed=seed, progress=progress)
    if suffix == ".npy" and path.is_file():
        return load_npy(path, limit, seed=seed)
    if suffix in (".csv", ".tsv") and path.is_file():
        return load_csv(path, limit, seed=seed, options=options, progress=progress)
    if suffix == ".npz" or path.is_file():
        return load_npz(path, limit, seed=seed, options=options)
    raise ConfigError(
        f"data '{source}' not found",
        hint="FILE.npz, FILE.npy, FILE.csv, tfds:NAME, or a folder of .npy files, images or audio.",
    )


def source_path(source: str) -> Path | None:
    """Return the file or folder that a source names; None for `random` and for tfds' names."""
    return source_parts(source)[0]


def source_parts(source: str) -> tuple[Path | None, str]:
    """Return that, and what follows it: ":window=100", of a builder's file "/test"; else ""."""
    if source.startswith(PREFIX):
        name, split = split_name(source.removeprefix(PREFIX))
        return (Path(name).expanduser(), f"/{split}") if name.endswith(".py") else (None, "")
    if source == "random":
        return None, ""
    path, options = _path_and_options(source)
    return path, f":{options}" if options else ""


def _path_and_options(source: str) -> tuple[Path, str]:
    for suffix in (".npz", ".csv", ".tsv"):
        name, options = split_options(source, suffix)
        if options:
            return Path(name).expanduser(), options
    return Path(source).expanduser(), ""


def source_fingerprint(source: str, limit: int | None = None, *, seed: int | None = SEED) -> str:
    """Return what changes when the samples that load_source() gives change.

    Of a folder, all names count, those of classes without samples, too, and the bytes of the files
    that would be chosen.
    """
    path = source_path(source)
    if path is None:
        return source
    if not path.is_dir():
        return f"{source}\0{file_sha256(path) if path.is_file() else ''}"
    there = listing(path)
    digest = hashlib.sha256(repr(there.class_names).encode())
    for file in there.files:
        digest.update(f"{file.relative_to(path).as_posix()}\0".encode())
    for index in spread(len(there.files), limit, seed):
        digest.update(there.files[index].read_bytes())
    return digest.hexdigest()
