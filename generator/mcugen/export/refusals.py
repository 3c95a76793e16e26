# SPDX-License-Identifier: BSD-3-Clause
"""Why a model could not be exported, in its author's terms. Imports torch.

torch and ExecuTorch refuse late, and in terms of their own graphs. What a model has that cannot be
exported is looked for only then, so that nothing which works is refused here.
"""

from __future__ import annotations

import dataclasses
import inspect
import warnings
from pathlib import Path
from typing import Any

import torch

from mcugen.base.errors import (
    ExportError,
    LoweringError,
    PteError,
    QuantizationError,
    UnsupportedOperatorError,
)
from mcugen.base.explain import first_line, in_brief, raised_at
from mcugen.export.provenance import layer_of, line_of, place
from mcugen.model.source import ModelSource

_BRANCH = (
    "a Python `if`, `while`, `assert` or `for` depends on the values in a tensor",
    "Choose with torch.where(condition, a, b), or decide outside of the model.",
)
#: What torch's tracers say, in any case, to what it means and what to write instead.
_UNTRACEABLE = (
    ("data-dependent branching", *_BRANCH),
    ("could not guard on data-dependent", *_BRANCH),
    ("data dependent expression", *_BRANCH),
    ("data-dependent expression", *_BRANCH),
    ("dynamic control flow", *_BRANCH),
)
_UNTRACEABLE_HINT = "Write it with torch's operators on tensors. --verbose shows torch's own words."


def clarified(error: ExportError, source: ModelSource) -> ExportError | None:
    """Return what to tell in the place of `error`; None if that says itself what is wrong.

    It does where we raised it: what has no other exception as its cause, and does not speak of a
    `.pte` that its author has never seen.
    """
    ours = error.__cause__ is None and not isinstance(error, PteError)
    if ours or isinstance(error, UnsupportedOperatorError):
        return None
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        found = _wrong_dtype(source) or _does_not_run(source)
        if found is not None:
            return found
        program, failure = _trace(source)
        if program is None:
            assert failure is not None
            return _untraceable(source, failure)
        return _unlowerable(source, program)


def _wrong_dtype(source: ModelSource) -> ExportError | None:
    """Return the error of a model that is in another float type than the device's."""
    for index, value in enumerate(source.example_inputs):
        if value.is_complex():
            return QuantizationError(
                f"{source.name}: example input {index} is {_dtype(value)}; the firmware does not "
                "have complex numbers",
                hint="Take the real and the imaginary part as inputs of their own.",
            )
        if value.is_floating_point() and value.dtype is not torch.float32:
            return QuantizationError(
                f"{source.name}: example input {index} is {_dtype(value)}; a model must compute in "
                "float32 before it is quantized",
                hint="Return module.float(), and example inputs and samples with .float().",
            )
    for name, parameter in source.module.named_parameters():
        if parameter.is_floating_point() and parameter.dtype is not torch.float32:
            return QuantizationError(
                f"{source.name}: parameter '{name}' is {_dtype(parameter)}; a model must compute "
                "in float32 before it is quantized",
                hint="Return module.float().",
            )
    return None


def _does_not_run(source: ModelSource) -> ExportError | None:
    """Return the error of a model that PyTorch itself does not run, or of what it returns."""
    shapes = ", ".join(f"{_dtype(x)} {list(x.shape)}" for x in source.example_inputs)
    try:
        result = source.module(*source.example_inputs)
    except Exception as error:  # the user's code: anything
        layer = _failing_layer(source.module, error)
        return QuantizationError(
            f"{source.name}: its forward() fails in PyTorch on the example inputs ({shapes}), in "
            f"{place(layer, _own_line(error))}: {in_brief(error)}",
            hint="The example inputs must be what the model takes, with a batch of 1.",
        )
    for leaf in torch.utils._pytree.tree_leaves(result):
        if not isinstance(leaf, (torch.Tensor, int, float, bool, type(None))):
            kind = type(leaf)
            shown = repr(leaf) if isinstance(leaf, (str, bytes)) else ""
            what = f"{kind.__name__} ({shown:.40})" if shown else kind.__name__
            return LoweringError(
                f"{source.name}: its forward() returns a {what}",
                hint="Return tensors only: alone, or in a tuple, named tuple or dict"
                + (
                    f", or call torch.export.register_dataclass({kind.__name__})."
                    if dataclasses.is_dataclass(leaf)
                    else "."
                ),
            )
    return None


def _trace(source: ModelSource) -> tuple[Any, Exception | None]:
    failure: Exception | None = None
    for strict in (True, False):
        try:
            return torch.export.export(source.module, source.example_inputs, strict=strict), None
        except Exception as error:  # torch raises many types
            failure = failure or error
    return None, failure


def _untraceable(source: ModelSource, error: Exception) -> ExportError:
    text = str(error).lower()
    what, hint = first_line(error).rstrip(". "), _UNTRACEABLE_HINT
    for words, meaning, instead in _UNTRACEABLE:
        if words in text:
            what, hint = meaning, instead
            break
    frames = raised_at(error)
    layer = _layer_at(source.module, frames)
    code = _code(frames)
    return QuantizationError(
        f"{source.name}: torch.export cannot trace it, in {place(layer, _own_line(error))}: {what}"
        + (f": {code}" if code else ""),
        hint=hint,
    )


def _unlowerable(source: ModelSource, program: Any) -> ExportError | None:
    """Return the error of a graph that holds what the firmware has no word for; None if none."""
    calls = [node for node in program.graph.nodes if node.op == "call_function"]
    for fits, what, hint in (
        (
            _is_complex,
            "computes complex numbers, which the firmware does not have",
            "Compute the real and the imaginary part as tensors of their own (a Fourier transform "
            "is a product with matrices of cosines and sines), or transform outside of the model.",
        ),
        (
            _depends_on_data,
            "makes a shape or number of the values in a tensor; memory is planned before anything "
            "runs",
            "Keep shapes fixed: multiply by a mask, choose with torch.where, take the largest few "
            "with torch.topk, or do it outside of the model.",
        ),
        (
            _is_double,
            "computes in float64; the device computes in float32 and int8",
            "Leave out .double(), and give torch.float32 where a dtype is asked for.",
        ),
    ):
        for node in calls:
            if any(fits(value) for value in _values(node)):
                return LoweringError(
                    f"{source.name}: {_operator(node)} in {place(layer_of(node), line_of(node))} "
                    f"{what}",
                    hint=hint,
                )
    return None


def _values(node: Any) -> list[Any]:
    value = node.meta.get("val")
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _is_complex(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_complex()


def _is_double(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype is torch.float64


def _depends_on_data(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return any(not isinstance(size, int) for size in value.shape)
    return isinstance(value, (torch.SymInt, torch.SymFloat, torch.SymBool))


def _operator(node: Any) -> str:
    """Return "aten.nonzero" for torch.ops.aten.nonzero.default."""
    return ".".join(str(node.target).split(".")[:2])


def _dtype(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _own_line(error: BaseException) -> str | None:
    frames = raised_at(error)
    return f"{Path(frames[-1][0]).name}, line {frames[-1][1]}" if frames else None


def _code(frames: list[tuple[str, int]]) -> str:
    """Return the line of the user's source, in backticks, where it can be read."""
    import linecache

    text = linecache.getline(*frames[-1]).strip() if frames else ""
    return f"`{text}`" if text else ""


def _failing_layer(module: torch.nn.Module, error: BaseException) -> str:
    """Return the name of the innermost module whose code an exception came through."""
    names = {id(each): name for name, each in module.named_modules()}
    layer = ""
    frame = error.__traceback__
    while frame is not None:
        own = frame.tb_frame.f_locals.get("self")
        layer = names.get(id(own), layer)
        frame = frame.tb_next
    return layer


def _layer_at(module: torch.nn.Module, frames: list[tuple[str, int]]) -> str:
    """Return the name of the module in whose forward() the innermost of these lines lies."""
    for file, line in reversed(frames):
        for name, each in module.named_modules():
            code = getattr(inspect.unwrap(type(each).forward), "__code__", None)
            if code is None or code.co_filename != file:
                continue
            lines = [number for _, _, number in code.co_lines() if number is not None]
            if code.co_firstlineno <= line <= max(lines, default=0):
                return name
    return ""
