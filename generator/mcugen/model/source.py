# SPDX-License-Identifier: BSD-3-Clause
"""Where a model comes from: bundled, `file.py:factory`, a `.pt2`, a `.pte`, memory. No torch."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import ConfigError
from mcugen.model.catalog import BUNDLED, ModelInfo
from mcugen.model.description import Model

if TYPE_CHECKING:
    import numpy as np
    import torch

Progress = Callable[[str, int, int], None]


class ModelKind(StrEnum):
    """How a model is given."""

    BUNDLED = "bundled"
    FACTORY = "factory"
    PT2 = "pt2"
    PTE = "pte"
    OBJECT = "object"


@dataclass(frozen=True)
class ModelRef:
    """A model as it is named or handed over, resolved but not loaded."""

    kind: ModelKind
    name: str
    path: Path | None = None  #: of the file, where there is one
    factory: str | None = None  #: name of the callable in a `.py` file
    info: ModelInfo | None = None  #: for bundled models
    given: Model | None = None  #: the model itself, where it is in memory


@dataclass(frozen=True)
class Change:
    """Something that was changed in a model, its function being the same."""

    what: str  #: "batch norm folded"
    layer: str  #: the module it was done to, "body.4"; "" for the model itself
    line: str | None  #: of the user's source: "net.py, line 12"
    why: str


@dataclass(frozen=True)
class ModelSource:
    """A loaded PyTorch model, in eval mode, with what it takes to quantize it."""

    name: str
    module: torch.nn.Module
    example_inputs: tuple[torch.Tensor, ...]
    calibration: Iterable[Any] | None  #: the model's own: tensors, tuples of tensors or arrays
    preprocess: Callable[[np.ndarray], np.ndarray] | None  #: from stored samples to model input
    provenance: str
    dependencies: tuple[Path, ...] = ()  #: files read while loading a user's model
    notes: tuple[str, ...] = ()  #: what was done to the model that its author may not expect
    changes: tuple[Change, ...] = ()  #: what was done to it while it was loaded
    evaluation: Any = None  #: the model's own labelled samples: items (*inputs, label), or arrays
    class_names: tuple[str, ...] = ()  #: of those labels


def resolve_model(model: str | Model) -> ModelRef:
    """Return what a MODEL argument names, without loading it, or a model in memory. No torch.

    Raises ConfigError for an unknown name (with the nearest match), a missing file, another type.
    """
    if isinstance(model, Model):
        return ModelRef(ModelKind.OBJECT, _name(model.title), given=model)
    if not isinstance(model, str):
        raise ConfigError(
            f"a model cannot be a {type(model).__name__}",
            hint="Give mcugen.Model(module, example_inputs, calibration), or a name as the command "
            "line takes it.",
        )
    for info in BUNDLED:
        if info.name == model:
            return ModelRef(ModelKind.BUNDLED, model, info=info)
    file, _, factory = model.rpartition(":")
    if file.endswith(".py"):
        path = _existing(Path(file))
        if not factory.isidentifier():
            raise ConfigError(f"'{factory}' in '{model}' is not the name of a function")
        return ModelRef(ModelKind.FACTORY, _name(f"{path.stem}_{factory}"), path, factory)
    suffix = Path(model).suffix.lower()
    if suffix in (".pte", ".pt2"):
        path = _existing(Path(model))
        return ModelRef(ModelKind(suffix[1:]), _name(path.stem), path)
    if suffix == ".py":
        raise ConfigError(
            f"'{model}' names a file but no function in it",
            hint=f"Write {model}:FUNCTION; it returns (module, example_inputs).",
        )
    if suffix in (".pt", ".pth"):
        raise ConfigError(
            f"'{model}': a file of weights alone does not say what the network is",
            hint="Write a function that builds the network and loads them: file.py:FUNCTION.",
        )
    names = [info.name for info in BUNDLED]
    close = difflib.get_close_matches(model, names, n=1, cutoff=0.4)
    raise ConfigError(
        f"unknown model '{model}'",
        hint=(f"Did you mean '{close[0]}'? " if close else "")
        + f"MODEL is one of {', '.join(names)}, or file.py:FUNCTION, a .pt2 or a .pte file.",
    )


def _existing(path: Path) -> Path:
    path = path.expanduser()
    if not path.is_file():
        raise ConfigError(f"no such model file: {path}")
    return path


def _name(text: str) -> str:
    """Return `text` as a model name: letters, digits, '_', '-', '.'."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text) or "model"
