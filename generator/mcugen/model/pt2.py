# SPDX-License-Identifier: BSD-3-Clause
"""A model saved by `torch.export.save`."""

from __future__ import annotations

from typing import Any

from mcugen.base.errors import ConfigError
from mcugen.base.explain import first_line
from mcugen.base.quiet import quiet
from mcugen.model.pt2_archive import read_as_data
from mcugen.model.source import ModelRef, ModelSource


def load_pt2(ref: ModelRef, *, trust: bool = False) -> ModelSource:
    """Load a `.pt2`: as data only, unless `trust`, with which torch may run code that is in it."""
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
    from mcugen.model.batch import pin_batch

    inputs, notes = tuple(args), []
    dynamic = _dynamic_axes(program)
    if any(axis == 0 for _, axis in dynamic):
        inputs, pinned = pin_batch(module, inputs)
        notes += [pinned] if pinned else []
    for index, axis in dynamic:
        size = inputs[index].shape[axis]
        if axis or size != 1:
            notes.append(f"axis {axis} of input {index} is dynamic: fixed to {size}, its example's")
    return ModelSource(ref.name, module, inputs, None, None, ref.path.name, notes=tuple(notes))


def _dynamic_axes(program: Any) -> list[tuple[int, int]]:
    """Return (input, axis) of each axis whose size the program leaves open."""
    import torch

    names = program.graph_signature.user_inputs
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    return [
        (index, axis)
        for index, name in enumerate(names)
        if isinstance(value := nodes[name].meta.get("val"), torch.Tensor)
        for axis, size in enumerate(value.shape)
        if isinstance(size, torch.SymInt)
    ]
