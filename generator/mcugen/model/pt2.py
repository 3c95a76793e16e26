# SPDX-License-Identifier: BSD-3-Clause
"""A model saved by `torch.export.save`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcugen.base.errors import ConfigError
from mcugen.base.explain import first_line
from mcugen.base.quiet import quiet
from mcugen.model.source import ModelRef, ModelSource

if TYPE_CHECKING:
    pass


def load_pt2(ref: ModelRef) -> ModelSource:
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
