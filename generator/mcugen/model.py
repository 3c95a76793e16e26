# SPDX-License-Identifier: BSD-3-Clause
"""Where a model comes from: the bundled ones, `file.py:factory`, a `.pt2`, a `.pte`.

Naming and listing models needs no torch; `load_model` does.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.errors import ConfigError, LoweringError
from mcugen.quiet import quiet

if TYPE_CHECKING:
    import numpy as np
    import torch

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ModelInfo:
    """A bundled model, as `mcugen models` lists it."""

    name: str
    description: str
    input: str
    trained: bool
    dataset: str | None  #: bundled labelled data for calibration and verification
    profile_model: str  #: answer to the MLPerf Tiny command `profile%`
    logits: bool  #: output 0 is a classifier's logits
    sources: tuple[str, ...]  #: files of this package that define it


_UNTRAINED = "untrained weights: for size and speed, not accuracy"
_TINY = ("models/mlperf_tiny.py",)

_BUNDLED = (
    ModelInfo(
        "digits",
        "small CNN for handwritten digits, trained here on scikit-learn's real digits",
        "float32[1, 1, 8, 8]",
        True,
        "digits8",
        "digits",
        True,
        (
            "models/digits.py",
            "models/digits_data.py",
            "datasets/digits8/digits8_dataset_builder.py",
        ),
    ),
    ModelInfo(
        "kws",
        f"MLPerf Tiny keyword spotting, DS-CNN ({_UNTRAINED})",
        "float32[1, 1, 49, 10]",
        False,
        None,
        "kws01",
        True,
        _TINY,
    ),
    ModelInfo(
        "vww",
        f"MLPerf Tiny visual wake words, MobileNetV1 x 0.25 ({_UNTRAINED})",
        "float32[1, 3, 96, 96]",
        False,
        None,
        "vww01",
        True,
        _TINY,
    ),
    ModelInfo(
        "ic",
        f"MLPerf Tiny image classification, ResNet-8 ({_UNTRAINED})",
        "float32[1, 3, 32, 32]",
        False,
        None,
        "ic01",
        True,
        _TINY,
    ),
    ModelInfo(
        "ad",
        f"MLPerf Tiny anomaly detection, autoencoder ({_UNTRAINED})",
        "float32[1, 640]",
        False,
        None,
        "ad01",
        False,
        _TINY,
    ),
)


class ModelKind(StrEnum):
    """How a model is given."""

    BUNDLED = "bundled"
    FACTORY = "factory"
    PT2 = "pt2"
    PTE = "pte"


@dataclass(frozen=True)
class ModelRef:
    """A model as named on the command line, resolved but not loaded."""

    kind: ModelKind
    name: str
    path: Path | None = None  #: of the file, for all but bundled models
    factory: str | None = None  #: name of the callable in a `.py` file
    info: ModelInfo | None = None  #: for bundled models


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


def list_models() -> tuple[ModelInfo, ...]:
    """Return the bundled models. No torch."""
    return _BUNDLED


def resolve_model(model: str) -> ModelRef:
    """Return what a MODEL argument names, without loading it. No torch.

    Raises ConfigError for an unknown name (with the nearest match) or a missing file.
    """
    for info in _BUNDLED:
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
    names = [info.name for info in _BUNDLED]
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


def load_model(ref: ModelRef, *, progress: Progress | None = None) -> ModelSource:
    """Load (and for `digits`, if need be, train) a PyTorch model. Imports torch.

    Raises ConfigError if the file holds no such model; LoweringError if its own code fails.
    """
    with quiet():
        import torch  # noqa: F401

    if ref.kind is ModelKind.BUNDLED:
        return _load_bundled(ref, progress)
    if ref.kind is ModelKind.FACTORY:
        return _load_factory(ref)
    if ref.kind is ModelKind.PT2:
        return _load_pt2(ref)
    raise ConfigError(f"{ref.path} is a compiled program: it has no PyTorch model")


def _load_bundled(ref: ModelRef, progress: Progress | None) -> ModelSource:
    import torch

    if ref.name == "digits":
        from mcugen.models import digits, digits_data

        return ModelSource(
            name=ref.name,
            module=digits.build(progress),
            example_inputs=(torch.zeros(1, 1, 8, 8),),
            calibration=None,
            preprocess=digits_data.preprocess,
            provenance="bundled, trained on tfds:digits8/train",
        )
    from mcugen.models import mlperf_tiny

    with quiet():
        module = mlperf_tiny.build(ref.name)
    return ModelSource(
        name=ref.name,
        module=module,
        example_inputs=mlperf_tiny.example_inputs(ref.name),
        calibration=None,
        preprocess=None,
        provenance=f"ExecuTorch's examples/models/mlperf_tiny, seed {mlperf_tiny.SEED}; untrained",
    )


def _load_pt2(ref: ModelRef) -> ModelSource:
    import torch

    assert ref.path is not None
    with quiet():
        try:
            program = torch.export.load(str(ref.path))
        except Exception as error:  # zipfile, JSON, pickle, RuntimeError: all mean "not a .pt2"
            raise ConfigError(
                f"{ref.path} is not a usable .pt2 file: {first_line(error)}"
            ) from error
        args, kwargs = program.example_inputs or ((), {})
        if not args or kwargs:
            raise ConfigError(
                f"{ref.path} carries no positional example inputs",
                hint="Export it with torch.export.export(model, (example,)) before saving.",
            )
        module = program.module(check_guards=False)
    return ModelSource(ref.name, module, tuple(args), None, None, ref.path.name)


def _load_factory(ref: ModelRef) -> ModelSource:
    assert ref.path is not None and ref.factory is not None
    where = f"{ref.path}:{ref.factory}"
    with files_read() as files:
        try:
            made = _import_file(ref.path, ref.factory)()
        except ConfigError:
            raise
        except Exception as error:  # a user's code may raise anything
            raise LoweringError(f"{where} failed: {type(error).__name__}: {error}") from error
    dependencies = tuple(sorted({ref.path.resolve(), *files}))
    calibration = preprocess = None
    if isinstance(made, Sequence) and len(made) in (2, 3):
        module, inputs = made[0], made[1]
        calibration = made[2] if len(made) == 3 else None
    else:
        module, inputs = getattr(made, "module", None), getattr(made, "example_inputs", None)
        calibration = getattr(made, "calibration", None)
        preprocess = getattr(made, "preprocess", None)
    import torch

    if isinstance(inputs, torch.Tensor):
        inputs = (inputs,)
    if (
        not isinstance(module, torch.nn.Module)
        or not inputs
        or not all(isinstance(value, torch.Tensor) for value in inputs)
    ):
        raise ConfigError(
            f"{where} must return (module, example_inputs) or (module, example_inputs, "
            "calibration), or an object with these attributes",
            hint="example_inputs is a tuple of tensors with batch size 1.",
        )
    return ModelSource(
        name=ref.name,
        module=module.eval(),
        example_inputs=tuple(inputs),
        calibration=calibration,
        preprocess=preprocess,
        provenance=f"{ref.path.name}:{ref.factory}",
        dependencies=dependencies,
    )


def _import_file(path: Path, factory: str) -> Callable[[], Any]:
    """Return the callable `factory` of a Python file; modules beside the file can be imported."""
    module_name = f"_mcugen_user_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    function = getattr(module, factory, None)
    if not callable(function):
        names = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        close = difflib.get_close_matches(factory, names, n=1)
        raise ConfigError(
            f"{path} has no function '{factory}'",
            hint=f"Did you mean '{close[0]}'?" if close else None,
        )
    return function


# --- which files a user's model was made from ---------------------------------------------------

_opened: set[str] | None = None
_hook_installed = False


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _opened is not None and event == "open" and isinstance(args[0], str):
        mode = args[1]
        if mode is None or "r" in str(mode):
            _opened.add(args[0])


@contextlib.contextmanager
def files_read() -> Iterator[set[Path]]:
    """Collect the user's files that Python opens in the block: modules, weights, configuration.

    The interpreter's own files and installed packages do not count (their versions are part of the
    cache key), nor does what C++ code opens by itself.
    """
    global _opened, _hook_installed
    if not _hook_installed:
        sys.addaudithook(_audit)  # Cannot be removed; does nothing while `_opened` is None.
        _hook_installed = True
    files: set[Path] = set()
    _opened = set()
    try:
        yield files
    finally:
        opened, _opened = _opened, None
        files.update(_own_files(opened))


# Not all of /usr: containers keep a user's own files in /usr/src.
_SYSTEM_FOLDERS = (
    *("/proc/", "/sys/", "/dev/", "/etc/", "/usr/bin/"),
    *("/usr/lib", "/usr/share/", "/usr/local/lib"),
)


def _own_files(opened: Iterable[str]) -> Iterator[Path]:
    installed = {Path(p).resolve() for p in (sys.prefix, sys.base_prefix, Path(__file__).parent)}
    for name in opened:
        path = Path(name)
        if path.suffix == ".pyc":
            with contextlib.suppress(ValueError, NotImplementedError):
                path = Path(importlib.util.source_from_cache(name))
        with contextlib.suppress(OSError):
            path = path.resolve()
            system = str(path).startswith(_SYSTEM_FOLDERS)
            if path.is_file() and not system and not installed & set(path.parents):
                yield path


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, or its type if it has none."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def explain(error: BaseException) -> str:
    """Return an exception's first line and that of what caused it, where they differ."""
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    text, cause = first_line(error), first_line(root)
    return text if cause in text else f"{text.rstrip('. ')}: {cause}"
