# SPDX-License-Identifier: BSD-3-Clause
"""A model saved by `torch.export.save`."""

from __future__ import annotations

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
    return ModelSource(ref.name, module, tuple(args), None, None, ref.path.name)
