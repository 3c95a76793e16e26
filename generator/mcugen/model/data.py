# SPDX-License-Identifier: BSD-3-Clause
"""Samples for calibration and verification: tensorflow-datasets, `.npz` files, folders, or noise.

No torch here: arrays in, arrays out. Images come in the layout they are stored in (NHWC).
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import importlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mcugen.base.cache import cache_dir, file_sha256
from mcugen.base.errors import ConfigError, ToolMissingError
from mcugen.base.quiet import quiet
from mcugen.model.catalog import DATASETS
from mcugen.model.datasets import packaged

#: Datasets whose builders come with mcugen: name to package.
BUNDLED = {"digits8": "mcugen.model.datasets.digits8.digits8_dataset_builder"}

#: Prefix of a calibration source that names a tensorflow-datasets dataset.
TFDS_PREFIX = "tfds:"
_IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp"})


@dataclass(frozen=True)
class Samples:
    """Arrays of one split, sample first."""

    inputs: np.ndarray  #: [n, ...] as stored
    labels: np.ndarray | None  #: int64[n], None where the data has no labels
    provenance: str  #: where the samples come from, for the report


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


def tfds_source(name: str, split: str) -> Any:
    """Return a random-access `tfds.data_source` of one split; prepares the dataset if need be.

    Args:
        name: a bundled dataset, or anything `tfds.builder` knows, as "name" or "name:version".
        split: "train", "test", or any split expression tfds takes, e.g. "train[:100]".

    Raises ConfigError for a dataset or split that is not there.
    """
    with quiet():
        builder = _tfds_builder(name)
        try:
            try:
                builder.download_and_prepare()
            except OSError:
                # Another process may have put the same dataset there in the meantime.
                builder = _tfds_builder(name)
                builder.download_and_prepare()
            return builder.as_data_source(split=split)
        except Exception as error:  # tfds raises many types; the user needs the cause, not the type
            raise ConfigError(
                f"dataset '{name}', split '{split}': {_first_line(error)}",
                hint="Datasets that need a download need network access to their host.",
            ) from error


def _tfds_builder(name: str) -> Any:
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ToolMissingError(
            f"tensorflow-datasets cannot be imported: {error}",
            hint="pip install 'tensorflow-datasets==4.9.10' array_record importlib_resources",
        ) from error

    tfds.disable_progress_bar()
    data_dir = cache_dir() / "tfds"
    if name in BUNDLED:
        module = importlib.import_module(BUNDLED[name])
        # An edited builder makes its data anew, whether its version was raised or not.
        source = file_sha256(Path(str(module.__file__)))[:12]
        return module.Builder(data_dir=str(data_dir / source), file_format="array_record")
    try:
        return tfds.builder(name, data_dir=str(data_dir), file_format="array_record")
    except Exception as error:  # DatasetNotFoundError, ValueError, RegisteredError, ...
        close = difflib.get_close_matches(name, BUNDLED, n=1)
        raise ConfigError(
            f"unknown dataset '{name}': {_first_line(error)}",
            hint=f"Did you mean tfds:{close[0]}?" if close else "Bundled: " + ", ".join(BUNDLED),
        ) from error


def load_tfds(
    name: str, split: str, limit: int | None = None, *, seed: int | None = None
) -> Samples:
    """Return samples of a split as arrays: those that spread(limit, seed) chooses.

    The inputs are the feature "image", else the only feature that is not the label.
    """
    source = tfds_source(name, split)
    if len(source) == 0:
        raise ConfigError(f"dataset '{name}', split '{split}' has no samples")
    first = source[0]
    features = [key for key in first if key != "label"]
    if "image" in features:
        key = "image"
    elif len(features) == 1:
        key = features[0]
    else:
        raise ConfigError(
            f"dataset '{name}' has features {', '.join(sorted(first))}: "
            "which one is the model's input is not clear",
            hint="Write the samples to an .npz file, as array 'x', and use --calibrate FILE.npz.",
        )
    rows = [source[index] for index in spread(len(source), limit, seed)]
    try:
        inputs = np.stack([np.asarray(row[key]) for row in rows])
    except ValueError as error:
        raise ConfigError(f"dataset '{name}': samples differ in shape ({error})") from error
    labels = np.array([row["label"] for row in rows], np.int64) if "label" in first else None
    return Samples(inputs, labels, f"tfds:{name}/{split}")


def require_dataset(name: str) -> None:
    """Raise ToolMissingError if the package that carries a dataset of `DATASETS` is missing."""
    if DATASETS[name].reader is not None:
        packaged.require(name)


def load_dataset(
    name: str, split: str, limit: int | None = None, *, seed: int | None = None
) -> Samples:
    """Return samples of a dataset of `DATASETS`: those that spread(limit, seed) chooses."""
    if DATASETS[name].reader is None:
        return load_tfds(name, split, limit, seed=seed)
    inputs, labels = packaged.read(name, split)
    chosen = spread(len(inputs), limit, seed)
    where = f"{name}/{split} of {packaged.version(name)}"
    return Samples(inputs[chosen], labels[chosen], where)


def load_npz(path: Path, limit: int | None = None, *, seed: int | None = None) -> Samples:
    """Return the samples of an `.npz`: array "x" (or the only one) and labels "y" if present."""
    try:
        with np.load(path, allow_pickle=False) as file:
            names = list(file.files)
            inputs_name = "x" if "x" in names else next((n for n in names if n != "y"), None)
            if inputs_name is None or ("x" not in names and len(set(names) - {"y"}) != 1):
                raise ConfigError(
                    f"{path} holds {', '.join(names) or 'no arrays'}; expected 'x' (samples) and "
                    "optionally 'y' (labels)"
                )
            inputs = _numbers(lambda: file[inputs_name], f"{path}: array '{inputs_name}'")
            labels = _labels(file) if "y" in names else None
    except FileNotFoundError as error:
        raise ConfigError(f"no such file: {path}") from error
    except ConfigError:
        raise
    except Exception as error:  # zipfile, zlib, numpy: many types
        # numpy takes a file of any other kind for a pickle, and says so.
        why = f": {_first_line(error)}" if zipfile.is_zipfile(path) else ""
        raise ConfigError(
            f"{path} is not a readable .npz file{why}",
            hint="numpy.savez(FILE, x=samples) writes one, with one sample per row.",
        ) from error
    if inputs.ndim < 1 or len(inputs) == 0:
        raise ConfigError(f"{path}: array '{inputs_name}' has no samples")
    if labels is not None and labels.ndim < 1:
        raise ConfigError(f"{path}: array 'y' is one number; expected a label for each sample")
    if labels is not None and len(labels) != len(inputs):
        raise ConfigError(f"{path}: {len(inputs)} samples but {len(labels)} labels")
    chosen = spread(len(inputs), limit, seed)
    return Samples(inputs[chosen], None if labels is None else labels[chosen], path.name)


def load_npy(path: Path, limit: int | None = None, *, seed: int | None = None) -> Samples:
    """Return the samples of an `.npy` file, one per row."""
    rows = _numbers(lambda: np.load(path, mmap_mode="r", allow_pickle=False), str(path))
    if rows.ndim < 1 or len(rows) == 0:
        raise ConfigError(f"{path} has no samples")
    return Samples(np.asarray(rows[spread(len(rows), limit, seed)]), None, path.name)


def _numbers(read: Callable[[], Any], what: str) -> np.ndarray:
    """Return an array of real numbers. Raises ConfigError for other ones and for no array."""
    try:
        values = np.asanyarray(read())
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise ConfigError(f"{what} cannot be read: {_first_line(error)}") from error
        raise ConfigError(f"{what} is no array of numbers") from error
    except (OSError, EOFError) as error:
        raise ConfigError(f"{what} cannot be read: {_first_line(error)}") from error
    if values.dtype.kind not in "biuf":
        raise ConfigError(f"{what} is {values.dtype}: not real numbers")
    return values


def _labels(file: Any) -> np.ndarray | None:
    """Return the labels "y" as numbers; None for names, which nothing here compares."""
    try:
        return np.asarray(file["y"].astype(np.int64))
    except ValueError:  # text, or Python objects, which would have to be unpickled
        return None


def load_folder(path: Path, limit: int | None = None, *, seed: int | None = None) -> Samples:
    """Return the samples of a folder of `.npy` files, or of images (needs Pillow), by name."""
    arrays = sorted(path.rglob("*.npy"))
    arrays = [arrays[index] for index in spread(len(arrays), limit, seed)]
    images = sorted(file for file in path.rglob("*") if file.suffix.lower() in _IMAGE_SUFFIXES)
    images = [images[index] for index in spread(len(images), limit, seed)]
    try:
        if arrays:
            rows = [
                _numbers(
                    functools.partial(np.load, file, allow_pickle=False),
                    f"cannot read the samples in {path}: {file.name}",
                )
                for file in arrays
            ]
        elif images:
            from PIL import Image

            rows = [_pixels(Image.open(file)) for file in images]
            rows = [row[..., np.newaxis] if row.ndim == 2 else row for row in rows]
        else:
            raise ConfigError(f"{path} holds no .npy files and no images")
        inputs = np.stack(rows)
    except ImportError as error:
        raise ToolMissingError("reading images needs Pillow", hint="pip install pillow") from error
    except ConfigError:
        raise
    except Exception as error:  # Pillow and numpy raise many types for a damaged or huge file
        raise ConfigError(f"cannot read the samples in {path}: {_first_line(error)}") from error
    return Samples(inputs, None, path.name)


def _pixels(image: Any) -> np.ndarray:
    """Return an image's values; of one with a palette, those of its colours."""
    return np.asarray(image.convert("RGB") if image.mode in ("P", "PA") else image)


def load_source(source: str, limit: int | None = None, *, seed: int | None = None) -> Samples:
    """Return the samples named by `--calibrate`: a file, `tfds:NAME[/SPLIT]` or a folder."""
    if source.startswith(TFDS_PREFIX):
        name, _, split = source.removeprefix(TFDS_PREFIX).partition("/")
        return load_tfds(name, split or "train", limit, seed=seed)
    path = Path(source).expanduser()
    if path.is_dir():
        return load_folder(path, limit, seed=seed)
    if path.suffix == ".npy" and path.is_file():
        return load_npy(path, limit, seed=seed)
    if path.suffix == ".npz" or path.is_file():
        return load_npz(path, limit, seed=seed)
    raise ConfigError(
        f"calibration data '{source}' not found",
        hint="--calibrate takes FILE.npz, FILE.npy, tfds:NAME, a folder of .npy files or images, "
        "or random.",
    )


def source_fingerprint(source: str) -> str:
    """Return what changes when the data behind a `--calibrate` value changes."""
    if source == "random" or source.startswith(TFDS_PREFIX):
        return source
    path = Path(source).expanduser()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(f"{file.relative_to(path) if file != path else file.name}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def as_model_input(samples: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return samples as float32, whole numbers as they are, each of `shape` (batch of 1).

    A sample may come with or without axes of size 1, and a 4-D input as NHWC or NCHW: whichever
    matches the model's NCHW shape. What fits both is taken as NCHW.

    Raises ConfigError if no reading fits.
    """
    want = shape[1:] if len(shape) > 1 and shape[0] == 1 else shape
    rows = samples
    if rows.shape[1:] == shape:
        rows = rows.reshape(len(rows), *want) if shape[0] == 1 else rows
    if rows.shape[1:] != want:
        if _without_ones(rows.shape[1:]) == _without_ones(want):
            rows = rows.reshape(len(rows), *want)
        elif rows.ndim == 4 and len(want) == 3:
            rows = rows.transpose(0, 3, 1, 2)
    if rows.shape[1:] != want:
        raise ConfigError(
            f"samples have shape {list(samples.shape[1:])}, the model's input is {list(shape)}",
            hint="Give one sample per row, in the model's own shape or as NHWC.",
        )
    rows = rows.astype(np.float32) if rows.dtype.kind == "f" else rows
    return np.ascontiguousarray(rows.reshape(len(rows), *shape))


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
