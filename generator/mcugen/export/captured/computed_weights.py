# SPDX-License-Identifier: BSD-3-Clause
"""Layers whose weights or bias are computed from an input, in terms of what the device has."""

from __future__ import annotations

from typing import Any

from torch.fx import GraphModule, Node

from mcugen.base.errors import QuantizationError
from mcugen.export.captured.edit import ATEN, Editor, arguments_of, is_float, value_of
from mcugen.export.provenance import layer_of, line_of, place

_CONVOLUTION = "aten.conv"


def settle_computed_weights(name: str, module: GraphModule) -> None:
    """Leave layers with constant weights and bias only.

    A linear layer with other weights is a product, another bias is added. Constants must have been
    folded.

    Raises QuantizationError for a convolution with other weights: the device's take constant ones.
    """
    editor = Editor(module)
    for node in list(module.graph.nodes):
        convolves = str(node.target).startswith(_CONVOLUTION)
        if not is_float(node) or not (convolves or node.target is ATEN.linear.default):
            continue
        given = arguments_of(node)
        if convolves and _is_computed(given["weight"]):
            raise _refused(name, node)
        if _is_computed(given["weight"]) or _is_computed(given["bias"]):
            editor.replace(node, _settled(editor, node, given, convolves))
    module.graph.eliminate_dead_code()
    module.recompile()


def _is_computed(node: Any) -> bool:
    return isinstance(node, Node) and node.op != "get_attr"


def _settled(editor: Editor, node: Node, given: dict[str, Any], convolves: bool) -> Node:
    bias = given["bias"]
    if _is_computed(given["weight"]):
        turned = editor.call(node, ATEN.transpose.int, given["weight"], -2, -1)
        result = editor.call(node, ATEN.matmul.default, given["input"], turned)
    else:
        result = editor.call(node, node.target, *{**given, "bias": None}.values())
    if bias is None:
        return result
    if convolves:
        ones = [1] * (value_of(node).dim() - 2)
        bias = editor.call(node, ATEN.reshape.default, bias, [1, -1, *ones])
    return editor.call(node, ATEN.add.Tensor, result, bias)


def _refused(name: str, node: Node) -> QuantizationError:
    return QuantizationError(
        f"{name}: the weights of the convolution in {place(layer_of(node), line_of(node))} are "
        "computed from an input; the device's convolutions have constant weights",
        hint="Where they are a mixture of constant ones, mix the results of constant convolutions: "
        "it is the same sum. Or multiply slices of the image with them, by torch.matmul.",
    )
