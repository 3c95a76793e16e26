# SPDX-License-Identifier: BSD-3-Clause
"""A device takes one sample at a time: a batch of example inputs becomes one. Imports torch."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils import _pytree

Inputs = tuple[torch.Tensor, ...]


def pin_batch(module: torch.nn.Module, inputs: Inputs) -> tuple[Inputs, str | None]:
    """Return the example inputs with a batch of 1, and what was done, for the user; None: nothing.

    The first axis is a batch if all inputs share its size and the module treats its rows apart:
    given the first row alone, it gives the first row of each output. Otherwise, and where the
    module takes no other size, the inputs stay as they are.
    """
    size = inputs[0].shape[0] if inputs[0].dim() else 1
    if size == 1 or any(value.dim() == 0 or value.shape[0] != size for value in inputs):
        return inputs, None
    one = tuple(value[:1] for value in inputs)
    try:
        with torch.no_grad():
            of_all, of_one = _tensors(module(*inputs)), _tensors(module(*one))
    except Exception:  # whatever the module raises for a size it does not take
        return inputs, None
    rows = len(of_all) == len(of_one) and all(
        a.dim() > 0
        and a.shape[0] == size
        and b.shape == (1, *a.shape[1:])
        and torch.allclose(a[:1].double(), b.double(), rtol=1e-3, atol=1e-5)
        for a, b in zip(of_all, of_one, strict=True)
    )
    if not rows:
        return inputs, None
    return one, f"the example inputs are a batch of {size}; the firmware takes one sample at a time"


def _tensors(outputs: Any) -> list[torch.Tensor]:
    return [value for value in _pytree.tree_leaves(outputs) if isinstance(value, torch.Tensor)]
