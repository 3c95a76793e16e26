# SPDX-License-Identifier: BSD-3-Clause
"""A model of the user's own: a function in a Python file, or what a script holds."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mcugen.base.errors import ConfigError, LoweringError
from mcugen.base.explain import in_brief, raised_at
from mcugen.model.files_read import files_read, library_files
from mcugen.model.source import Change, ModelRef, ModelSource


def load_factory(ref: ModelRef) -> ModelSource:
    """Return what the factory made: a module, example inputs, and calibration data if it gave any.

    Raises ConfigError if that is not what it returns; LoweringError if its own code fails.
    """
    assert ref.path is not None and ref.factory is not None
    where = f"{ref.path}:{ref.factory}"
    with files_read() as files:
        try:
            made = _import_file(ref.path, ref.factory)()
        except ConfigError:
            raise
        except (Exception, SystemExit) as error:  # a user's code may raise anything
            raise _failed(where, ref.factory, error) from error
    path = ref.path.resolve()
    dependencies = tuple(sorted({path, *files, *library_files(path.parent)}))
    return _source_of(made, ref, where, f"{ref.path.name}:{ref.factory}", dependencies)


def load_given(ref: ModelRef) -> ModelSource:
    """Return a copy of a model in memory, in eval mode: the user's own stays as it is.

    Raises ConfigError for a module that cannot be quantized.
    """
    from mcugen.model.made import copied

    assert ref.given is not None
    given, notes = ref.given, []
    try:
        module = copied(given.module)
    except Exception as error:  # a user's __deepcopy__, a tensor that is a result of others
        module = given.module
        if module.training:
            notes.append(f"the module is left in eval mode: no copy of it ({in_brief(error)})")
    source = _source_of(
        replace(given, module=module), ref, f"mcugen.Model '{ref.name}'", "mcugen.Model", ()
    )
    return replace(source, notes=(*source.notes, *notes))


def _source_of(
    made: Any, ref: ModelRef, where: str, provenance: str, dependencies: tuple[Path, ...]
) -> ModelSource:
    """Return what a factory made, or a user gave, checked."""
    calibration = preprocess = evaluation = None
    if isinstance(made, Sequence) and len(made) in (2, 3):
        module, inputs = made[0], made[1]
        calibration = made[2] if len(made) == 3 else None
    else:
        module, inputs = getattr(made, "module", None), getattr(made, "example_inputs", None)
        calibration = getattr(made, "calibration", None)
        preprocess = getattr(made, "preprocess", None)
        evaluation = getattr(made, "evaluation", None)
    import torch

    if isinstance(inputs, torch.Tensor):
        inputs = (inputs,)
    if (
        not isinstance(module, torch.nn.Module)
        or not inputs
        or not all(isinstance(value, torch.Tensor) for value in inputs)
    ):
        raise ConfigError(
            f"{where} returned {_what(made)}; it must return (module, example_inputs) or (module, "
            "example_inputs, calibration), or an mcugen.Model",
            hint="example_inputs is a tuple of tensors, as forward() takes them, with a batch of "
            "1: return module.eval(), (torch.zeros(1, 3, 32, 32),), samples",
        )
    from mcugen.model.batch import pin_batch
    from mcugen.model.made import apart, check_made, unwrapped

    if hasattr(module, "in_float"):
        module = module.in_float()  # type: ignore[operator]  # trained with int8 in place, by mcugen.qat
    module = unwrapped(module)
    check_made(module, inputs, where)

    notes = []
    changes = []
    training = [name for name, each in module.named_modules() if each.training]
    if training:
        which = "the model" if module.training else f"layer {training[0]}"
        notes.append(f"{which} is in train mode: dropout is left out, norms use what they learned")
        outermost = "" if module.training else training[0]
        changes.append(
            Change("eval mode", outermost, None, "it was in train mode, where results vary")
        )
    example_inputs, pinned = pin_batch(module.eval(), apart(inputs))
    if pinned:
        notes.append(pinned)
    return ModelSource(
        name=ref.name,
        module=module,
        example_inputs=example_inputs,
        calibration=calibration,
        preprocess=preprocess,
        provenance=provenance,
        dependencies=dependencies,
        notes=tuple(notes),
        changes=tuple(changes),
        evaluation=evaluation,
        class_names=_class_names(made, evaluation),
    )


def _class_names(made: Any, evaluation: Any) -> tuple[str, ...]:
    """Return the classes' names: what the factory says, or torchvision's `classes` of its data."""
    names = getattr(made, "class_names", None)
    while names is None and evaluation is not None:
        names = getattr(evaluation, "classes", None)
        evaluation = getattr(evaluation, "dataset", None)  # of a DataLoader, of a Subset
    return tuple(map(str, names or ()))


def _failed(where: str, factory: str, error: BaseException) -> LoweringError:
    """Return the error of a factory that raised one: where in the user's files, and what to do."""
    frames = raised_at(error)
    at = f", in {Path(frames[-1][0]).name}, line {frames[-1][1]}" if frames else ""
    hint = "--verbose shows the traceback."
    if isinstance(error, SystemExit):
        hint = (
            "Its file ends the program: keep what reads the command line under "
            'if __name__ == "__main__".'
        )
    elif isinstance(error, ModuleNotFoundError):
        hint = f"Install it for this Python: {sys.executable} -m pip install PACKAGE"
    elif isinstance(error, FileNotFoundError):
        hint = (
            f"Relative paths are looked up from the working folder, {Path.cwd()}; "
            "Path(__file__).parent is that of your file."
        )
    elif isinstance(error, TypeError) and f"{factory}()" in str(error):
        hint = "A factory is called without arguments: give them defaults."
    return LoweringError(f"{where} failed{at}: {in_brief(error)}", hint=hint)


def _what(made: Any) -> str:
    """Return what a factory returned, by types: "(Linear, list)"."""
    if isinstance(made, Sequence) and not isinstance(made, (str, bytes)):
        return f"({', '.join(type(each).__name__ for each in made[:4])})"
    return "nothing" if made is None else f"a {type(made).__name__}"


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
        names = [
            name
            for name, value in vars(module).items()
            if callable(value) and getattr(value, "__module__", "") == module_name
        ]
        close = difflib.get_close_matches(factory, names, n=1)
        others = f"It has: {', '.join(names[:8])}." if names else "It has none."
        raise ConfigError(
            f"{path} has no function '{factory}'",
            hint=f"Did you mean '{close[0]}'?" if close else others,
        )
    return function
