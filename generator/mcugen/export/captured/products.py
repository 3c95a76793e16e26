# SPDX-License-Identifier: BSD-3-Clause
"""Products with a constant matrix, and of stacks that broadcast."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, is_float, value_of

_PRODUCTS = (ATEN.matmul.default, ATEN.mm.default, ATEN.bmm.default)


def settle_products(module: GraphModule) -> None:
    """Leave matmul of activations with equal leading axes, which lowering makes a bmm of.

    A product with a constant matrix is a linear layer; one of stacks that broadcast is a bmm of as
    many as there are in all, one of two matrices, or of vectors, a bmm of one.
    """
    editor = Editor(module)
    for node in list(module.graph.nodes):
        if node.target in _PRODUCTS and is_float(node):
            other = _rewritten(editor, node)
            if other is not None:
                editor.replace(node, other)
    module.graph.eliminate_dead_code()
    module.recompile()


def _rewritten(editor: Editor, node: Node) -> Node | None:
    left, right = node.args
    assert isinstance(left, Node) and isinstance(right, Node)
    ranks = value_of(left).dim(), value_of(right).dim()
    if right.op == "get_attr" and ranks[0] > 1 and ranks[1] < 3:
        rows = editor.attribute(right).view(-1, 1) if ranks[1] == 1 else editor.attribute(right)
        weight = editor.constant(node, rows.t().contiguous())
        result = editor.call(node, ATEN.linear.default, left, weight)
        return editor.call(node, ATEN.squeeze.dim, result, -1) if ranks[1] == 1 else result
    if left.op == "get_attr" and ranks[1] > 1 and ranks[0] < 3:
        weight = editor.constant(node, editor.attribute(left).view(-1, value_of(left).shape[-1]))
        columns = editor.call(node, ATEN.transpose.int, right, -2, -1)
        result = editor.call(node, ATEN.linear.default, columns, weight)
        if ranks[0] == 1:
            return editor.call(node, ATEN.squeeze.dim, result, -1)
        return editor.call(node, ATEN.transpose.int, result, -2, -1)
    constant = "get_attr" in (left.op, right.op)
    stacks = value_of(left).shape[:-2], value_of(right).shape[:-2]
    if min(ranks) > 2 and stacks[0] == stacks[1] and not constant:
        return None
    if ranks[0] == 1:
        left = editor.call(node, ATEN.reshape.default, left, [1, -1])
    if ranks[1] == 1:
        right = editor.call(node, ATEN.reshape.default, right, [-1, 1])
    stack = list(torch.broadcast_shapes(*stacks))
    sides = [_stacked(editor, node, side, stack) for side in (left, right)]
    result = editor.call(node, ATEN.bmm.default, *sides)
    return editor.call(node, ATEN.reshape.default, result, list(value_of(node).shape))


def _stacked(editor: Editor, node: Node, side: Node, stack: list[int]) -> Node:
    """Return `side` as [product of `stack`, rows, columns]."""
    matrix = list(value_of(side).shape[-2:])
    shape = [math.prod(stack), *matrix]
    if side.op == "get_attr":
        return editor.constant(node, editor.attribute(side).expand(*stack, *matrix).reshape(shape))
    result: Any = side
    if list(value_of(side).shape[:-2]) != stack:
        result = editor.call(node, ATEN.expand.default, result, [*stack, *matrix])
    return editor.call(node, ATEN.reshape.default, result, shape)
