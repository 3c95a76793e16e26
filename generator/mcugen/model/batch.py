# SPDX-License-Identifier: BSD-3-Clause
"""A device takes one sample at a time: a batch of example inputs becomes one. Imports torch."""

from __future__ import annotations

import torch
from torch.utils import _pytree

from mcugen.base.explain import in_brief

Inputs = tuple[torch.Tensor, ...]


def pin_batch(module: torch.nn.Module, inputs: Inputs) -> tuple[Inputs, str | None]:
    """Return the example inputs with a batch of 1, and what was done, for the user; None: nothing.

    The first axis is a batch if the module treats its rows apart: given the first row alone (of the
    inputs that share its size), it gives the first row of each output. Otherwise, and where the
    module takes no other size, the inputs stay as they are, and that is said.
    """
    size = inputs[0].shape[0] if inputs[0].dim() else 1
    if size == 1:
        return inputs, None
    one = tuple(value[:1] if value.dim() and value.shape[0] == size else value for value in inputs)
    try:
        of_all = _run(module, inputs)
    except Exception:  # the module does not run at all: its author hears that later
        return inputs, None
    try:
        of_one, failure = _run(module, one), ""
    except Exception as error:  # whatever the module raises for a size it does not take
        of_one, failure = [], in_brief(error, 120)
    rows = len(of_all) == len(of_one) and all(
        a.dim() > 0
        and a.shape[0] == size
        and b.shape == (1, *a.shape[1:])
        and torch.allclose(a[:1].double(), b.double(), rtol=1e-3, atol=1e-5, equal_nan=True)
        for a, b in zip(of_all, of_one, strict=True)
    )
    if rows:
        what = f"the example inputs are a batch of {size}; the firmware takes one sample at a time"
        return one, what
    if inputs[0].dim() == 1:  # a single sample without a batch axis
        return inputs, None
    why = f"does not take one alone ({failure})" if failure else "does not treat them apart"
    return inputs, (
        f"the example inputs have {size} rows, and the model {why}: the firmware takes all {size} "
        "at a time. For one sample at a time, give an example with a batch of 1"
    )


def _run(module: torch.nn.Module, inputs: Inputs) -> list[torch.Tensor]:
    with torch.no_grad():
        outputs = module(*inputs)
    return [value for value in _pytree.tree_leaves(outputs) if isinstance(value, torch.Tensor)]
