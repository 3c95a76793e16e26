# SPDX-License-Identifier: BSD-3-Clause
"""What computes with masks and numbers as selections between tensors, which the quantizer knows."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, is_float, is_tensor, value_of
from mcugen.export.captured.masked_softmax import SOFTMAX_AXIS

#: A number beyond this stands for minus infinity, as in a mask of attention: in int8 it would be
#: the one end of a range whose other end is all the rest. Where no softmax follows, the operator
#: stays float.
_LARGEST = 1000.0
_ARITHMETIC = (ATEN.add.Tensor, ATEN.sub.Tensor, ATEN.mul.Tensor, ATEN.div.Tensor)


def replace_masks(module: GraphModule) -> None:
    """Rewrite masked_fill, `where` with numbers, and arithmetic on masks and integer constants."""
    editor = Editor(module)
    for node in list(module.graph.nodes):
        if node.op != "call_function" or SOFTMAX_AXIS in node.meta:
            continue
        other = _rewritten(editor, node)
        if other is not None:
            editor.replace(node, other)
    module.recompile()


def _rewritten(editor: Editor, node: Node) -> Node | None:
    match node.target:
        case ATEN.masked_fill.Scalar | ATEN.masked_fill.Tensor if is_float(node):
            whole, mask, number = node.args
            if _is_large(editor, number):
                return None
            return _where(editor, node, mask, number, whole)
        case ATEN.where.ScalarSelf | ATEN.where.ScalarOther | ATEN.where.Scalar if is_float(node):
            return _where(editor, node, *node.args)
        case ATEN.where.self if is_float(node):
            sides = node.args[1:]
            if all(is_float(each) and not _is_large(editor, each) for each in sides):
                return None
            return _where(editor, node, *node.args)
        case ATEN._to_copy.default | ATEN.to.dtype if is_float(node) and _is_mask(node.args[0]):
            return _where(editor, node, node.args[0], 1.0, 0.0)
        case ATEN.mul.Tensor if is_float(node) and any(map(_is_mask, node.args)):
            mask, other = sorted(node.args, key=_is_mask, reverse=True)
            if is_float(other) and value_of(other).shape == value_of(node).shape:
                return _where(editor, node, mask, other, 0.0)
    if node.target in _ARITHMETIC and is_float(node):
        for index, operand in enumerate(node.args[:2]):
            if is_tensor(operand) and not is_float(operand):
                node.update_arg(index, _as_float(editor, node, operand))
    return None


def _is_mask(node: object) -> bool:
    return is_tensor(node) and value_of(node).dtype is torch.bool  # type: ignore[arg-type]


def _where(editor: Editor, node: Node, mask: Any, chosen: Any, otherwise: Any) -> Node:
    if _is_large(editor, chosen) and is_float(otherwise):
        return editor.call(node, ATEN.masked_fill.Scalar, otherwise, mask, _number(editor, chosen))
    if _is_large(editor, otherwise) and is_float(chosen):
        negated = editor.call(node, ATEN.logical_not.default, mask)
        return editor.call(
            node, ATEN.masked_fill.Scalar, chosen, negated, _number(editor, otherwise)
        )
    sides = [_as_float(editor, node, each) for each in (chosen, otherwise)]
    return editor.call(node, ATEN.where.self, mask, *sides)


def _number(editor: Editor, value: Any) -> float | None:
    """Return a number, or the one that a constant is; None for what is no number."""
    if not isinstance(value, Node):
        return float(value)
    if value.op == "get_attr" and is_tensor(value) and value_of(value).numel() == 1:
        return float(editor.attribute(value))
    return None


def _is_large(editor: Editor, value: Any) -> bool:
    number = _number(editor, value)
    return number is not None and not abs(number) <= _LARGEST


def _as_float(editor: Editor, node: Node, value: Any) -> Node:
    dtype = value_of(node).dtype
    if not isinstance(value, Node):
        return editor.constant(node, torch.tensor(value, dtype=dtype))
    if is_float(value):
        return value
    if _is_mask(value):
        return _where(editor, node, value, 1.0, 0.0)
    if value.op == "get_attr":
        return editor.constant(node, editor.attribute(value).to(dtype))
    return editor.call(node, ATEN._to_copy.default, value, dtype=dtype)
