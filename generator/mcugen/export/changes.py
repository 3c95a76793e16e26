# SPDX-License-Identifier: BSD-3-Clause
"""What was changed in the user's model on the way to int8, all of it without changing its function.

Most are read off what became of each operator, so that the list cannot say what was not done.
Parametrizations and hooks of a module stand in no graph: they are looked for in the module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcugen.export.model_operators import Fate, ModelOperator
from mcugen.export.operators_traced import CapturedNode, TracedOperator
from mcugen.model.source import Change

if TYPE_CHECKING:
    import torch

_NORMS = ("aten.batch_norm", "aten._native_batch_norm_legit_no_training")
_DROPOUTS = (
    *("aten.dropout", "aten.dropout_", "aten.native_dropout", "aten.alpha_dropout"),
    *("aten.feature_dropout", "aten.feature_alpha_dropout"),
)
_SIGNALS = ("conv1d", "conv_transpose1d", "pool1d", "upsample_nearest1d", "upsample_linear1d")
_CLAMPS = (
    *("relu", "relu6", "hardtanh", "clamp", "clamp_min", "clamp_max"),
    *("hardsigmoid", "hardswish"),
)
_RESHAPES = ("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze")
_TABLE = "cortex_m::quantized_activation.out"
_ATTENTION = "aten.scaled_dot_product_attention"
#: Of parametrizations and hooks, by the names of their classes.
_REPARAMETRIZED = {
    "_WeightNorm": "weight_norm",
    "WeightNorm": "weight_norm",
    "_SpectralNorm": "spectral_norm",
    "SpectralNorm": "spectral_norm",
    "_Orthogonal": "orthogonal",
}


def module_changes(module: torch.nn.Module, inputs: Sequence[torch.Tensor]) -> tuple[Change, ...]:
    """Return what is done to a module whatever its operators become. Imports torch."""
    from torch.nn.utils import parametrize

    found = []
    images = [f"x.{index}" for index, value in enumerate(inputs) if value.dim() == 4]
    weights = any(parameter.dim() == 4 for parameter in module.parameters())
    if images or weights:
        found.append(
            Change(
                "channels-last",
                "",
                None,
                "images and weights of convolutions lie in memory as N, H, W, C: the device's "
                "kernels read all channels of a pixel at once",
            )
        )
    for name, layer in module.named_modules():
        kinds: list[object] = []
        if parametrize.is_parametrized(layer):
            for chain in layer.parametrizations.values():  # type: ignore[union-attr, operator]
                kinds += list(chain)
        kinds += list(layer._forward_pre_hooks.values())
        for kind in kinds:
            what = _REPARAMETRIZED.get(type(kind).__name__)
            if what is not None:
                why = "its weights are computed once, when the program is made"
                found.append(Change(f"{what} removed", name, None, why))
    return tuple(found)


def graph_changes(
    traced: Sequence[TracedOperator],
    captured: Sequence[CapturedNode],
    operators: Sequence[ModelOperator],
) -> tuple[Change, ...]:
    """Return what was done to the operators of a model, in their order.

    Args:
        traced: as the user's code calls them.
        captured: the graph that was quantized.
        operators: what became of each of `traced`.
    """
    targets: dict[str, list[str]] = {}
    for node in captured:
        targets.setdefault(node.origin, []).append(node.target)
    found = []
    for each, became in zip(traced, operators, strict=True):
        change = _change(became, targets.get(each.name, []))
        if change is not None and became.fate not in (Fate.CONSTANT, Fate.UNUSED):
            found.append(Change(change[0], each.layer, each.line, change[1]))
    return tuple(found)


def _change(became: ModelOperator, targets: Sequence[str]) -> tuple[str, str] | None:
    """Return what was done to an operator, and why; None: nothing."""
    operator = became.operator
    name = operator.removeprefix("aten.").rstrip("_")
    two_dimensional = any("2d" in target for target in targets)
    if operator in _NORMS:
        if became.fate is Fate.FUSED:
            return (
                "batch norm folded",
                f"its factor and term of each channel are in the weights of {became.within}",
            )
        if any("conv2d" in target for target in targets):
            return (
                "batch norm made a depthwise convolution",
                "no layer before it can take it in; one pixel, a scale per channel",
            )
    if operator in _DROPOUTS:
        return "dropout left out", "it does nothing but in training"
    if any(word in name for word in _SIGNALS) and two_dimensional:
        return f"{name} made 2-D", "the device's kernels take images: one more axis, of size 1"
    if name in _CLAMPS and became.fate is Fate.FUSED:
        return f"{name} fused", f"it is part of the kernel of {became.within}"
    if operator == _ATTENTION and len(targets) > 1:
        return "attention taken apart", "into products and a softmax, which are int8"
    if _TABLE in became.kernels:
        return f"{name} made a table", "a function of one number has 256 values in int8"
    if name in ("mean", "sum"):
        if any("pool" in kernel for kernel in became.kernels):
            return f"{name} made an average pool", "it is the mean of all pixels of a channel"
        if any("linear" in target for target in targets):
            return f"{name} made a linear layer", "of equal weights: the result has its own range"
    if name.startswith("adaptive_") and any("_pool" in target for target in targets):
        return f"{name} made a pool of fixed windows", "sizes are known before anything runs"
    moved = {kernel.partition("::")[2].partition("_copy")[0] for kernel in became.kernels}
    if name in _RESHAPES and (became.fate is Fate.VIEW or moved <= set(_RESHAPES)):
        return f"{name} left out", "the same bytes in the same order: another shape of them"
    return None
