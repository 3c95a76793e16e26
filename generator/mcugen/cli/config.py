# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen.toml`: a project's defaults, found upwards from the working directory.

    model = "net.py:make"        # relative paths are relative to this file
    board = "nucleo"
    io = "int8"
    output = "firmware"
    calibrate = "samples.npz"
    strict = true
    accept_loss = true
    pixels = "-1..1"
    calibration_method = "percentile:99.9"
    calibration_samples = 256
    layer_method = ["body.4=minmax"]
    float_layer = ["head"]
    max_drop = 1.0
    dim = ["x.1=30"]
    data = "test.npz"
    metric = "accuracy"
    samples = 500
    optimize = "size"

    [preprocess]                 # from stored samples to what the model takes: model/preprocess.py
    steps = [{ do = "resize", height = 96, width = 96 }, { do = "scale", scale = 0.0039 }]

An option on the command line wins over the file, the file over the built-in default.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import ConfigError
from mcugen.base.ownership import owner_besides
from mcugen.flow.settings import check_io, check_metric, check_optimize, nearest

if TYPE_CHECKING:
    from mcugen.model.preprocess import Preprocess

CONFIG_NAME = "mcugen.toml"


@dataclass(frozen=True)
class Config:
    """What a `mcugen.toml` says; None where it says nothing.

    Paths are absolute. root: folder of the file, or the working directory when there is none;
    `mcugen_out` lies in it.
    """

    root: Path
    path: Path | None = None
    model: str | None = None
    board: str | None = None
    io: str | None = None
    output: Path | None = None
    calibrate: str | None = None
    strict: bool | None = None
    accept_loss: bool | None = None
    pixels: str | None = None
    preprocess: Preprocess | None = None
    calibration_method: str | None = None
    calibration_samples: int | None = None
    layer_method: list[str] | None = None
    float_layer: list[str] | None = None
    max_drop: float | None = None
    dim: list[str] | None = None
    optimize: str | None = None
    data: str | None = None
    metric: str | None = None
    samples: int | None = None
    runs: int | None = None
    warmups: int | None = None
    simulate: bool | None = None
    device: str | None = None
    timeout_s: float | None = None


_KEYS = tuple(f.name for f in fields(Config) if f.name not in ("root", "path"))
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "model": ((str,), "a string"),
    "board": ((str,), "a string"),
    "io": ((str,), "a string"),
    "output": ((str,), "a string"),
    "calibrate": ((str,), "a string"),
    "device": ((str,), "a string"),
    "strict": ((bool,), "true or false"),
    "accept_loss": ((bool,), "true or false"),
    "pixels": ((str,), "a string"),
    "preprocess": ((dict,), "a table, [preprocess], with steps = [...]"),
    "calibration_method": ((str,), "a string"),
    "calibration_samples": ((int,), "a whole number"),
    "layer_method": ((list,), "a list of strings"),
    "float_layer": ((list,), "a list of strings"),
    "max_drop": ((int, float), "a number"),
    "dim": ((list,), "a list of strings"),
    "optimize": ((str,), "a string"),
    "data": ((str,), "a string"),
    "metric": ((str,), "a string"),
    "simulate": ((bool,), "true or false"),
    "samples": ((int,), "a whole number"),
    "runs": ((int,), "a whole number"),
    "warmups": ((int,), "a whole number"),
    "timeout_s": ((int, float), "a number"),
}
_MINIMUM = {
    "calibration_samples": 1,
    "max_drop": 0,
    "samples": 1,
    "runs": 1,
    "warmups": 0,
    "timeout_s": 0.1,
}


def find_config(start: Path) -> Path | None:
    """Return the nearest `mcugen.toml` in `start` or a folder above it."""
    for folder in (start, *start.parents):
        candidate = folder / CONFIG_NAME
        if candidate.is_file():
            return candidate
    return None


def load_config(start: Path) -> Config:
    """Return the configuration that applies in folder `start`.

    Raises ConfigError: not TOML, unknown key (with the nearest one), wrong type, bad value; or it
    lies in a folder above and belongs to somebody else.
    """
    start = start.absolute()
    path = find_config(start)
    if path is None:
        return Config(root=start)
    owner = owner_besides(path, start)
    if owner is not None:  # it names a model, and a model may be a Python file
        raise ConfigError(
            f"{path} belongs to {owner}, and this folder does not: it is not taken for yours",
            hint=f"Put an {CONFIG_NAME} of your own (it may be empty) in {start}.",
        )
    return read_config(path, shown=os.path.relpath(path, start))


def read_config(path: Path, *, shown: str | None = None) -> Config:
    """Return what the file at `path` says; `shown` is its name in messages."""
    shown = shown or str(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{shown} is not TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{shown} cannot be read: {error.strerror}") from None
    values: dict[str, Any] = {}
    for key, value in document.items():
        if key not in _KEYS:
            match = nearest(key, _KEYS)
            raise ConfigError(
                f"{shown}: unknown key '{key}'" + (f"; did you mean '{match}'?" if match else ""),
                hint=f"Keys: {', '.join(_KEYS)}.",
            )
        values[key] = _checked(key, value, shown)
    root = path.parent.absolute()
    if "output" in values:
        values["output"] = root / values["output"]
    if "model" in values:
        values["model"] = _model_path(values["model"], root)
    if values.get("board", "").endswith(".toml"):
        values["board"] = str(root / values["board"])
    for key in ("calibrate", "data"):
        if key in values:
            values[key] = _source_path(values[key], root)
    return Config(root=root, path=path, **values)


def _checked(key: str, value: object, shown: str) -> object:
    kinds, words = _KINDS[key]
    is_bool = isinstance(value, bool)
    strings = not isinstance(value, list) or all(isinstance(each, str) for each in value)
    if not isinstance(value, kinds) or (is_bool and bool not in kinds) or not strings:
        raise ConfigError(f"{shown}: '{key}' must be {words}, not {value!r}")
    if key in _MINIMUM and isinstance(value, (int, float)) and value < _MINIMUM[key]:
        raise ConfigError(f"{shown}: '{key}' must be at least {_MINIMUM[key]}, not {value!r}")
    if isinstance(value, str) and not value:
        raise ConfigError(f"{shown}: '{key}' is empty")
    if key == "preprocess":
        return _preprocess(value, f"{shown}: [preprocess]")
    if key == "io":
        return check_io(str(value), where=f"{shown}: 'io'")
    if key == "optimize":
        return check_optimize(str(value), where=f"{shown}: 'optimize'")
    if key == "metric":
        return check_metric(str(value), where=f"{shown}: 'metric'")
    return value


def _preprocess(table: Any, where: str) -> Preprocess:
    from mcugen.model.preprocess import Preprocess  # numpy, for who has such a table

    if list(table) != ["steps"]:
        others = [key for key in table if key != "steps"]
        raise ConfigError(
            f"{where}: unknown key '{others[0]}'" if others else f"{where} has no steps",
            hint='steps = [{ do = "scale", scale = 0.0078, offset = -1 }]',
        )
    return Preprocess.from_json(table["steps"], where)


def _reads_as_path(text: str) -> bool:
    return (
        "/" in text
        or "\\" in text
        or text.endswith((".pte", ".pt2", ".py", ".npz", ".npy", ".csv"))
    )


def _source_path(source: str, root: Path) -> str:
    """Make the path of data absolute; names of data sets stay, and what follows a file's name."""
    prefix = "tfds:" if source.startswith("tfds:") else ""
    rest = source.removeprefix(prefix)
    if prefix and ".py" not in rest:
        return source
    if (root / rest).exists() or prefix or _reads_as_path(rest) or rest.partition(":")[1]:
        return f"{prefix}{root / rest}"
    return source


def _model_path(model: str, root: Path) -> str:
    """Make a model's path absolute; a bundled model's name stays. `file.py:factory` is a path."""
    head, colon, factory = model.rpartition(":")
    if colon and head.endswith(".py"):
        return f"{root / head}:{factory}"
    return str(root / model) if _reads_as_path(model) else model
