# SPDX-License-Identifier: BSD-3-Clause
"""Batch norm that belongs to a layer, and batch norm that does not."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, is_tensor, value_of
from mcugen.export.captured.resample import scale_channels

_CONVOLUTIONS = frozenset(
    {
        ATEN.conv1d.default,
        ATEN.conv1d.padding,
        ATEN.conv2d.default,
        ATEN.conv2d.padding,
        ATEN.conv_transpose1d.default,
        ATEN.conv_transpose2d.input,
    }
)
#: A channel that is scaled by less than this part of its shift is taken for a constant: its bias
#: in units of the weight's scale would not fit 32 bits.
_LEAST_SCALE = 2.0**-12


def settle_norms(module: GraphModule) -> None:
    """Leave only such batch norms as may be folded into the layer before.

    torchao folds every one that follows a layer: also where the layer's output is used elsewhere,
    too, or its weights are those of another layer. The first becomes what it is, a factor and a
    term per channel: a depthwise convolution of one pixel, exact in int8 with a scale per channel.
    For the second the layer gets weights of its own.
    """
    editor = Editor(module)
    for node in list(module.graph.nodes):
        if node.target is ATEN._native_batch_norm_legit_no_training.default:
            source = node.args[0]
            if _may_be_folded(source):
                _own_weights(editor, source)
            else:
                _replace(editor, node)
    module.graph.eliminate_dead_code()
    module.recompile()


def _may_be_folded(layer: Any) -> bool:
    if layer.target is ATEN.linear.default:
        if value_of(layer.args[0]).dim() != 2:
            return False  # it normalizes another axis than the layer's outputs
    elif layer.target not in _CONVOLUTIONS:
        return False
    parameters = [each for each in layer.args[1:3] if each is not None]
    return len(layer.users) == 1 and all(each.op == "get_attr" for each in parameters)


def _own_weights(editor: Editor, layer: Node) -> None:
    for index in (1, 2):
        parameter = layer.args[index] if len(layer.args) > index else None
        if isinstance(parameter, Node) and _is_shared(editor, parameter):
            own = editor.constant(layer, editor.attribute(parameter))
            layer.update_arg(index, own)


def _is_shared(editor: Editor, parameter: Node) -> bool:
    """Whether anything else reads the parameter, by this node or by another one."""
    same = [
        node
        for node in editor.graph.nodes
        if node.op == "get_attr" and node.target == parameter.target
    ]
    return sum(len(node.users) for node in same) > 1


def _replace(editor: Editor, node: Node) -> None:
    x, gamma, beta, mean, variance, _, eps = node.args
    if not is_tensor(x) or not 2 <= value_of(x).dim() <= 4:  # type: ignore[arg-type]
        return
    scale = torch.rsqrt(editor.attribute(variance) + eps)  # type: ignore[arg-type]
    if gamma is not None:
        scale = scale * editor.attribute(gamma)  # type: ignore[arg-type]
    shift = -editor.attribute(mean) * scale  # type: ignore[arg-type]
    if beta is not None:
        shift = shift + editor.attribute(beta)  # type: ignore[arg-type]
    least = shift.abs() * _LEAST_SCALE
    scale = torch.where(scale.abs() < least, torch.copysign(least, scale), scale)

    result = scale_channels(editor, node, x, scale, shift)  # type: ignore[arg-type]
    for user in list(node.users):  # one getitem a result; the statistics are not used in eval mode
        if user.args[1] == 0:
            editor.replace(user, result)
