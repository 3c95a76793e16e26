# SPDX-License-Identifier: BSD-3-Clause
"""tensorflow-datasets, without TensorFlow: by name, mcugen's own builders, or a builder's file."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from mcugen.base.cache import cache_dir, file_sha256, make_cache_dir, sha256_hex
from mcugen.base.errors import ConfigError, ToolMissingError
from mcugen.base.locks import locked
from mcugen.base.quiet import quiet
from mcugen.model.samples import Progress, Samples, spread, stacked
from mcugen.model.sources.text import first_line

#: Datasets whose builders come with mcugen: name to package.
BUNDLED = {"digits8": "mcugen.model.datasets.digits8.digits8_dataset_builder"}
#: Prefix of a source that names a dataset.
PREFIX = "tfds:"
#: Features that are the input, where there are others.
_INPUTS = ("image", "audio", "speech")
_LABEL = "label"
_SUFFIX = "_dataset_builder"
#: How tfds names the folder of a dataset that it is preparing: constants.INCOMPLETE_PREFIX.
_INCOMPLETE = "incomplete."


def split_name(source: str) -> tuple[str, str]:
    """Return dataset and split of "NAME[/CONFIG][:VERSION][/SPLIT]" or "FILE.py[/SPLIT]".

    Without a split: "train". Of two parts, the second one is the split; a CONFIG needs both.
    """
    if ".py" in source:
        head, _, rest = source.partition(".py")
        return head + ".py", rest.removeprefix("/") or "train"
    name, _, split = source.rpartition("/")
    return (name, split) if name else (split, "train")


def tfds_source(name: str, split: str, *, progress: Progress | None = None) -> Any:
    """Return a random-access `tfds.data_source` of one split; prepares the dataset if need be.

    A preparation that was interrupted leaves nothing that passes for a dataset, and is done again;
    files that it had downloaded are kept, and not downloaded again.

    Args:
        name: a bundled dataset, anything `tfds.builder` knows, as "name" or "name:version", or a
            Python file with a builder in it.
        split: "train", "test", or any split expression tfds takes, e.g. "train[:100]".
        progress: called before a preparation, and after.

    Raises ConfigError for a dataset or split that is not there.
    """
    return _prepared(name, split, progress)[1]


def _prepared(name: str, split: str, progress: Progress | None) -> tuple[Any, Any]:
    """Return the builder of a dataset, and the data source of a split."""
    with quiet():
        builder = _builder(name)
        anew = not builder.data_path.exists()
        if progress and anew:
            progress(f"preparing {PREFIX}{name}", 0, 1)
        try:
            if anew:
                builder = _prepare(name, builder)
            source = builder.as_data_source(split=split)
        except Exception as error:  # tfds raises many types; the user needs the cause, not the type
            raise ConfigError(
                f"dataset '{name}', split '{split}': {first_line(error)}",
                hint="Datasets that need a download need network access to their host.",
            ) from error
        if progress and anew:
            progress(f"preparing {PREFIX}{name}", 1, 1)
        return builder, source


def _prepare(name: str, builder: Any) -> Any:
    """Prepare a dataset, one process at a time; leave nothing of an earlier one that was killed."""
    locks = make_cache_dir() / "locks"
    locks.mkdir(exist_ok=True)
    with locked(locks / f"tfds-{sha256_hex(str(builder.data_path).encode())[:16]}"):
        for left in Path(builder.data_path).parent.glob(f"{_INCOMPLETE}*"):
            shutil.rmtree(left, ignore_errors=True)
        builder = _builder(name)  # another process may have prepared it in the meantime
        builder.download_and_prepare()
    return builder


def _builder(name: str) -> Any:
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
        return _of_file(module.Builder, Path(str(module.__file__)), data_dir)
    if name.endswith(".py"):
        file = Path(name).expanduser()
        return _of_file(_class_in(file, tfds), file, data_dir)
    try:
        return tfds.builder(name, data_dir=str(data_dir), file_format="array_record")
    except Exception as error:  # DatasetNotFoundError, ValueError, RegisteredError, ...
        close = difflib.get_close_matches(name, BUNDLED, n=1)
        raise ConfigError(
            f"unknown dataset '{name}': {first_line(error)}",
            hint=f"Did you mean {PREFIX}{close[0]}?" if close else "Bundled: " + ", ".join(BUNDLED),
        ) from error


def _of_file(builder: Any, file: Path, data_dir: Path) -> Any:
    # An edited builder makes its data anew, whether its version was raised or not.
    source = file_sha256(file)[:12]
    return builder(data_dir=str(data_dir / source), file_format="array_record")


def _class_in(file: Path, tfds: Any) -> Any:
    """Return the builder that a Python file of the user's own defines."""
    if not file.is_file():
        raise ConfigError(f"no such file: {file}")
    # tfds takes the dataset's name from that of the module.
    module_name = file.stem.removesuffix(_SUFFIX) + _SUFFIX
    spec = importlib.util.spec_from_file_location(module_name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        with tfds.core.registered.skip_registration():  # it may be read twice in one process
            spec.loader.exec_module(module)
    except Exception as error:  # the user's code: anything
        raise ConfigError(f"{file} cannot be imported: {first_line(error)}") from error
    found: list[Any] = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, tfds.core.DatasetBuilder)
        and value.__module__ == module_name
    ]
    if len(found) != 1:
        raise ConfigError(
            f"{file} has {len(found) or 'no'} dataset builders; expected one",
            hint="A class that derives from tfds.core.GeneratorBasedBuilder: `tfds new NAME` "
            "writes one.",
        )
    if found[0].pkg_dir_path is None:  # where tfds looks for checksums and a citation
        from etils import epath

        found[0].pkg_dir_path = epath.Path(file.resolve().parent)
    return found[0]


def load_tfds(
    name: str,
    split: str,
    limit: int | None = None,
    *,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Samples:
    """Return samples of a split as arrays: those that spread(limit, seed) chooses.

    The inputs are the feature "image" or "audio", else the only feature that is not the label; the
    label is the feature of that name, else the class that the dataset calls supervised.
    """
    builder, source = _prepared(name, split, progress)
    if len(source) == 0:
        raise ConfigError(f"dataset '{name}', split '{split}' has no samples")
    features = dict(builder.info.features.items())
    label = _label_feature(builder.info.supervised_keys, features)
    key = _input_feature(name, [each for each in source[0] if each != label])
    chosen = spread(len(source), limit, seed)
    inputs, labels = [], []
    for done, index in enumerate(chosen):
        if progress and done % 64 == 0:
            progress(f"reading {PREFIX}{name}", done, len(chosen))
        row = source[index]
        inputs.append(np.asarray(row[key]))
        labels.append(row.get(label))
    if progress:
        progress(f"reading {PREFIX}{name}", len(chosen), len(chosen))
    return Samples(
        stacked(inputs),
        np.array(labels, np.int64) if label is not None else None,
        f"{PREFIX}{Path(name).name if name.endswith('.py') else name}/{split}",
        _class_names(features.get(label)),
        None,
        getattr(features.get(key), "sample_rate", None),
    )


def _label_feature(supervised_keys: Any, features: dict[str, Any]) -> str | None:
    """Return "label", or the class that a dataset says is to be found out (wake_vision: person)."""
    if _LABEL in features:
        return _LABEL
    key = supervised_keys[1] if supervised_keys and len(supervised_keys) == 2 else None
    return key if isinstance(key, str) and hasattr(features.get(key), "num_classes") else None


def _input_feature(name: str, features: list[str]) -> str:
    known = [key for key in _INPUTS if key in features]
    if known or len(features) == 1:
        return known[0] if known else features[0]
    raise ConfigError(
        f"dataset '{name}' has features {', '.join(sorted(features))} beside labels: "
        "which one is the model's input is not clear",
        hint="Write the samples to an .npz file, as array 'x', and use --calibrate FILE.npz.",
    )


def _class_names(label: Any) -> tuple[str, ...] | None:
    names = getattr(label, "names", None)
    if not names or list(names) == [str(i) for i in range(len(names))]:
        return None
    return tuple(map(str, names))
