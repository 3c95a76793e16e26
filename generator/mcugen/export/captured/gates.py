# SPDX-License-Identifier: BSD-3-Clause
"""Hardsigmoid behind a layer as part of it."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, value_of

_LAYERS = (ATEN.linear.default, ATEN.conv2d.default, ATEN.conv_transpose2d.input)


def fold_hardsigmoids(module: GraphModule) -> None:
    """Put a sixth and one half of a hardsigmoid into the layer before it; a clamp stays behind.

    ExecuTorch puts them into the layer's scale and zero point. The zero point is then outside of
    int8 where the output stays below one half, and rounded everywhere else.
    """
    editor = Editor(module)
    for node in list(module.graph.nodes):
        if node.target is not ATEN.hardsigmoid.default:
            continue
        layer = node.args[0]
        if not _is_own(layer):
            continue
        weight, bias = _parameters(editor, layer)
        outputs = value_of(layer).shape[-1 if layer.target is ATEN.linear.default else 1]
        shift = torch.full((outputs,), 0.5) if bias is None else bias / 6 + 0.5
        args = list(layer.args) + [None] * (3 - len(layer.args))
        args[1] = editor.constant(layer, weight / 6)
        args[2] = editor.constant(layer, shift)
        layer.args = tuple(args)
        editor.replace(node, editor.call(node, ATEN.clamp.default, layer, 0.0, 1.0))
    module.graph.eliminate_dead_code()
    module.recompile()


def _is_own(layer: Any) -> bool:
    return (
        layer.op == "call_function"
        and layer.target in _LAYERS
        and len(layer.users) == 1
        and all(each is None or each.op == "get_attr" for each in layer.args[1:3])
    )


def _parameters(editor: Editor, layer: Node) -> tuple[torch.Tensor, torch.Tensor | None]:
    weight: Any = layer.args[1]
    bias: Any = layer.args[2] if len(layer.args) > 2 else None
    return editor.attribute(weight), None if bias is None else editor.attribute(bias)
