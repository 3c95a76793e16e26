# SPDX-License-Identifier: BSD-3-Clause
"""Attention as the products and the softmax it is made of."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, arguments_of, value_of
from mcugen.export.captured.masked_softmax import selected, split_mask


def replace_attention(module: GraphModule) -> None:
    """Rewrite scaled_dot_product_attention.

    With a mask, if that is boolean, or known before: what it hides is a selection, what else it has
    (ALiBi's slopes, say) is added.

    torch's own decomposition guards against rows that are masked wholly, with operators that have
    no int8 form.
    """
    editor = Editor(module)
    for node in list(module.graph.nodes):
        if node.target is ATEN.scaled_dot_product_attention.default:
            other = _rewritten(editor, node)
            if other is not None:
                editor.replace(node, other)
    module.recompile()


def _rewritten(editor: Editor, node: Node) -> Node | None:
    given = arguments_of(node)
    if given.get("dropout_p") or given.get("enable_gqa"):
        return None
    found = None
    if given.get("attn_mask") is not None or given.get("is_causal"):
        mask = given.get("attn_mask") or _causal(editor, node, given)
        found = split_mask(editor, node, mask)
        if found is None and mask.op != "get_attr":
            return None
    scale = given.get("scale")
    if scale is None:
        scale = 1 / math.sqrt(value_of(given["query"]).shape[-1])
    keys = editor.call(node, ATEN.transpose.int, given["key"], -2, -1)
    scores = editor.call(node, ATEN.matmul.default, given["query"], keys)
    scores = editor.call(node, ATEN.mul.Tensor, scores, scale)
    if found is not None:
        scores = selected(editor, node, scores, *found, value_of(scores).dim() - 1)
    elif given.get("attn_mask") is not None:
        scores = editor.call(node, ATEN.add.Tensor, scores, mask)
    weights = editor.call(node, ATEN.softmax.int, scores, -1)
    return editor.call(node, ATEN.matmul.default, weights, given["value"])


def _causal(editor: Editor, node: Node, given: dict[str, Any]) -> Node:
    queries, keys = (value_of(given[name]).shape[-2] for name in ("query", "key"))
    return editor.constant(node, torch.ones(queries, keys, dtype=torch.bool).tril())
