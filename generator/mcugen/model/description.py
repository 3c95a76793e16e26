# SPDX-License-Identifier: BSD-3-Clause
"""A model that a script or a notebook holds: `mcugen.Model`. No torch until there is a module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, eq=False)
class Model:
    """A PyTorch module, and what it takes to quantize and to verify it.

    The module is not changed. Raises ConfigError for what is no module or no tensor.
    """

    #: In float32, on the CPU; in eval mode or not.
    module: torch.nn.Module
    #: As `forward()` takes them: a tensor or a tuple of tensors, with a batch of 1.
    example_inputs: torch.Tensor | Sequence[torch.Tensor]
    #: Real inputs, from which the int8 ranges come: a list, tensor, array, `Dataset`, `DataLoader`
    #: or generator, with or without labels; or stored samples: a source's name (docs/data.md), or
    #: `Samples`. None: `calibrate` names some.
    calibration: Any = None
    #: Labelled samples that the model was not trained on: (inputs, labels), a `Dataset`, a
    #: `DataLoader` or a list of pairs; or stored samples, as above. None: verified on random
    #: inputs, without an accuracy.
    evaluation: Any = None
    #: From stored samples [n, ...], as files have them, to what `forward()` takes: `Preprocess` of
    #: mcugen.model.preprocess, or a function.
    preprocess: Callable[[np.ndarray], np.ndarray] | None = None
    #: Of the project, the report, and the files; None: the module's class. One that a factory
    #: returns is called after its file.
    name: str | None = None
    #: Of output 0, 1, ..., for reports.
    class_names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Check the types; a single example input becomes a tuple."""
        torch: Any = sys.modules.get("torch")  # who has a module has imported it
        if torch is None or not isinstance(self.module, torch.nn.Module):
            raise ConfigError(
                f"mcugen.Model: module is a {type(self.module).__name__}, not a torch.nn.Module",
                hint="mcugen.Model(module, example_inputs, calibration)",
            )
        inputs = self.example_inputs
        if isinstance(inputs, torch.Tensor):
            inputs = (inputs,)
        if not isinstance(inputs, (tuple, list)) or not inputs:
            raise ConfigError(
                f"mcugen.Model: example_inputs is a {type(inputs).__name__}, not a tensor or a "
                "tuple of tensors",
                hint="As forward() takes them, with a batch of 1: (torch.zeros(1, 3, 32, 32),)",
            )
        for number, value in enumerate(inputs):
            if not isinstance(value, torch.Tensor):
                raise ConfigError(
                    f"mcugen.Model: example input {number} is a {type(value).__name__}, "
                    "not a tensor"
                )
        if self.preprocess is not None and not callable(self.preprocess):
            raise ConfigError(
                f"mcugen.Model: preprocess is a {type(self.preprocess).__name__}, not a function"
            )
        if self.name is not None and not (isinstance(self.name, str) and self.name.strip()):
            raise ConfigError(f"mcugen.Model: name is {self.name!r}, not a name")
        object.__setattr__(self, "example_inputs", tuple(inputs))

    @property
    def title(self) -> str:
        """What it is called: its name, else its module's class."""
        return self.name or type(self.module).__name__
