# SPDX-License-Identifier: BSD-3-Clause
"""A model saved by `torch.export.save`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcugen.base.errors import ConfigError
from mcugen.base.explain import first_line, in_brief
from mcugen.base.quiet import quiet
from mcugen.model.dims import OpenAxis, open_axes, sizes_asked_for, sizes_of_samples, with_sizes
from mcugen.model.pt2_archive import read_as_data
from mcugen.model.source import ModelRef, ModelSource


def load_pt2(
    ref: ModelRef,
    *,
    trust: bool = False,
    dims: Mapping[str, int] | None = None,
    sample_shape: Sequence[int] | None = None,
) -> ModelSource:
    """Load a `.pt2`: as data only, unless `trust`, with which torch may run code that is in it.

    Args:
        dims: sizes of dynamic axes, by name, as `--dim` gives them.
        sample_shape: of a calibration sample: gives the sizes that `dims` does not.

    Raises ConfigError if the file is no such model, or does not take these sizes.
    """
    import torch

    assert ref.path is not None
    with quiet():
        file = str(ref.path) if trust else read_as_data(ref.path)
        try:
            program = torch.export.load(file)
            module = program.module(check_guards=False)
        except Exception as error:  # zipfile, JSON, pickle, RuntimeError: all mean "not a .pt2"
            raise ConfigError(
                f"{ref.path} is not a usable .pt2 file: {first_line(error)}"
            ) from error
    match program.example_inputs:
        case (tuple() | list() as args, {**kwargs}) if args and not kwargs:
            pass
        case _:
            raise ConfigError(
                f"{ref.path} carries no positional example inputs",
                hint="Export it with torch.export.export(model, (example,)) before saving.",
            )
    if not all(isinstance(value, torch.Tensor) for value in args):
        raise ConfigError(f"{ref.path} has example inputs that are not tensors")
    takes = len(program.graph_signature.user_inputs)
    if len(args) != takes:
        raise ConfigError(f"{ref.path} has {len(args)} example inputs for a program of {takes}")
    from mcugen.model.made import check_tensors

    check_tensors(module, args, ref.path.name)
    inputs, notes = _pinned(program, module, args, dims or {}, sample_shape, ref.path.name)
    return ModelSource(ref.name, module, inputs, None, None, ref.path.name, notes=notes)


def _pinned(
    program: Any,
    module: Any,
    example: Sequence[Any],
    dims: Mapping[str, int],
    sample_shape: Sequence[int] | None,
    model: str,
) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """Return the inputs with a size for each dynamic axis, and which, for the user.

    The batch is 1 where the model treats its rows apart. Another axis has the size that was asked
    for, else the calibration samples', else the example's.
    """
    from mcugen.model.batch import pin_batch

    axes = open_axes(program)
    asked = sizes_asked_for(axes, dims, model=model)
    if not axes:
        return tuple(example), ()
    sampled: dict[str, int] = {}
    if sample_shape is not None and len(example) == 1:
        sampled = sizes_of_samples(axes, example[0].shape, sample_shape)
    inputs = with_sizes(example, axes, sampled | asked)
    _check_runs(module, inputs, axes, sampled | asked, model)
    before, notes = inputs, []
    if any(axis.input == axis.axis == 0 and axis.symbol not in asked for axis in axes):
        inputs, note = pin_batch(module, before)
        notes += [str(note)] if inputs is not before else []
    for axis in axes:
        size = inputs[axis.input].shape[axis.axis]
        if axis.symbol is None or size != before[axis.input].shape[axis.axis]:
            continue  # it follows from another one, or is the batch
        if axis.symbol in asked:
            notes.append(f"{axis.name} is fixed to {size}")
        elif axis.axis or size != 1:
            whose = "that of the calibration samples" if axis.symbol in sampled else "its example's"
            notes.append(
                f"{axis.name} is dynamic ({axis.range}): fixed to {size}, {whose}; "
                f"--dim {axis.name}=N for another"
            )
    return inputs, tuple(notes)


def _check_runs(
    module: Any, inputs: Any, axes: Sequence[OpenAxis], sizes: Mapping[str, int], model: str
) -> None:
    """Raise ConfigError if the program takes no inputs of these sizes."""
    import torch

    changed = [
        f"{axis.name}={sizes[axis.symbol]}"
        for axis in axes
        if axis.symbol is not None and axis.symbol in sizes
    ]
    if not changed:
        return
    try:
        with torch.no_grad():
            module(*inputs)
    except Exception as error:  # torch raises many types
        raise ConfigError(
            f"{model} does not run with {', '.join(changed)}: {in_brief(error, 160)}",
            hint="--dim NAME=N sets another size, of those that it was exported for.",
        ) from error
