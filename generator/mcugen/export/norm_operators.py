# SPDX-License-Identifier: BSD-3-Clause
"""Norms by the statistics of each sample, as operators of torch. Imports torch.

`mcugen::layer_norm` and `group_norm` compute in float what torch's do, with one result; they stand
in captured graphs in the place of every such norm. `mcugen::quantized_…` are what they are lowered
to; those have a schema and shapes only: the host reference computes them
(mcugen.program.reference.norms).

    layer_norm  input [...], normalised over the last `axes` of its axes; weight and bias of these
                axes' shape, or None. Without `subtract_mean` it is RMS norm.
    group_norm  input [N, C, ...], normalised in `groups` groups of neighbouring channels; weight
                and bias [C], or None. With a group per channel it is instance norm.
"""

from __future__ import annotations

from typing import Any

import torch

#: A fragment: other operators of the namespace are defined elsewhere.
_LIBRARY = torch.library.Library("mcugen", "FRAGMENT")
_OWN = {
    "layer_norm": "int axes, bool subtract_mean",
    "group_norm": "int groups",
}
#: What the int8 forms take besides; firmware/ops/quantized/operators.toml has the same.
_INT8 = {
    "layer_norm": f"{_OWN['layer_norm']}, int input_zero_point",
    "group_norm": _OWN["group_norm"],
}
_NUMBERS = (
    "int epsilon, int spread_bits, int shift, int output_zero_point, int activation_min, "
    "int activation_max"
)


def _define(kind: str) -> None:
    _LIBRARY.define(
        f"{kind}(Tensor input, Tensor? weight, Tensor? bias, {_OWN[kind]}, float eps) -> Tensor"
    )
    int8 = f"Tensor input, Tensor weight, Tensor bias, {_INT8[kind]}, {_NUMBERS}"
    _LIBRARY.define(f"quantized_{kind}({int8}) -> Tensor")
    _LIBRARY.define(f"quantized_{kind}.out({int8}, *, Tensor(a!) out) -> Tensor(a!)")
    for name in (kind, f"quantized_{kind}"):
        torch.library.register_fake(f"mcugen::{name}", _like_input, lib=_LIBRARY)


def _like_input(input: torch.Tensor, *_: Any) -> torch.Tensor:
    return torch.empty_like(input)


for _kind in _OWN:
    _define(_kind)

LAYER_NORM = torch.ops.mcugen.layer_norm.default
GROUP_NORM = torch.ops.mcugen.group_norm.default


@torch.library.impl(_LIBRARY, "layer_norm", "CompositeExplicitAutograd")
def _layer_norm(
    input: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    axes: int,
    subtract_mean: bool,
    eps: float,
) -> torch.Tensor:
    shape = input.shape[input.dim() - axes :]
    if subtract_mean:
        result = torch.nn.functional.layer_norm(input, shape, weight, bias, eps)
    else:
        result = torch.nn.functional.rms_norm(input, shape, weight, eps)
        result = result if bias is None else result + bias
    return _laid_out(result, input)


@torch.library.impl(_LIBRARY, "group_norm", "CompositeExplicitAutograd")
def _group_norm(
    input: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    groups: int,
    eps: float,
) -> torch.Tensor:
    # torch refuses groups of one element, which are their bias.
    rows = input.reshape(input.shape[0], groups, -1)
    whitened = torch.nn.functional.layer_norm(rows, rows.shape[2:], None, None, eps)
    result = whitened.reshape(input.shape)
    shape = (1, -1, *[1] * (input.dim() - 2))
    if weight is not None:
        result = result * weight.reshape(shape)
    if bias is not None:
        result = result + bias.reshape(shape)
    return _laid_out(result, input)


def _laid_out(result: torch.Tensor, input: torch.Tensor) -> torch.Tensor:
    """Return `result` in the memory order of `input`, and sharing none of its memory."""
    return torch.empty_like(input).copy_(result)
