# SPDX-License-Identifier: BSD-3-Clause
"""Writes into a part of a tensor as what they give: the parts before, within and behind, joined.

The quantizer knows no operator that writes, and joins and slices well.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, arguments_of, is_tensor, value_of


def replace_writes(module: GraphModule) -> None:
    """Rewrite select_scatter, slice_scatter, copy, fill, index_fill, and index_put by a mask."""
    editor = Editor(module)
    for node in list(module.graph.nodes):
        rewrite = _REWRITES.get(node.target) if node.op == "call_function" else None
        other = rewrite(editor, node) if rewrite else None
        if other is not None:
            editor.replace(node, other)
    module.recompile()


def _select_scatter(editor: Editor, node: Node) -> Node:
    whole, part, dim, index = node.args[:4]
    shape = value_of(whole).shape
    dim, index = dim % len(shape), index % shape[dim]
    row = editor.call(node, ATEN.unsqueeze.default, part, dim)
    return _joined(editor, node, whole, row, dim, index, index + 1)


def _slice_scatter(editor: Editor, node: Node) -> Node:
    whole, part, dim, start, stop, step = arguments_of(node).values()
    size = value_of(whole).shape[dim]
    dim %= value_of(whole).dim()
    start, stop, _ = slice(start, stop).indices(size)
    if step == 1:
        return _joined(editor, node, whole, part, dim, start, max(stop, start))
    # Which row of the whole, or behind them which one of the part, lies at each place.
    places = list(range(size))
    for row, place in enumerate(range(start, stop, step)):
        places[place] = size + row
    both = editor.call(node, ATEN.cat.default, [whole, part], dim)
    chosen = editor.constant(node, torch.tensor(places))
    return editor.call(node, ATEN.index_select.default, both, dim, chosen)


def _joined(
    editor: Editor, node: Node, whole: Any, part: Any, dim: int, start: int, stop: int
) -> Node:
    size = value_of(whole).shape[dim]
    pieces = [
        editor.call(node, ATEN.slice.Tensor, whole, dim, 0, start) if start else None,
        part if stop > start else None,
        editor.call(node, ATEN.slice.Tensor, whole, dim, stop, size) if stop < size else None,
    ]
    kept = [piece for piece in pieces if piece is not None]
    if len(kept) == 1:
        return kept[0]
    return editor.call(node, ATEN.cat.default, kept, dim)


def _copy(editor: Editor, node: Node) -> Node:
    target, source = value_of(node.args[0]), node.args[1]  # type: ignore[arg-type]
    if value_of(source).dtype != target.dtype:  # type: ignore[arg-type]
        source = editor.call(node, ATEN._to_copy.default, source, dtype=target.dtype)
    if value_of(source).shape != target.shape:  # type: ignore[arg-type]
        source = editor.call(node, ATEN.expand.default, source, list(target.shape))
    return source  # type: ignore[return-value]


def _fill(editor: Editor, node: Node) -> Node | None:
    target, number = value_of(node.args[0]), node.args[1]  # type: ignore[arg-type]
    if isinstance(number, Node):
        if value_of(number).dtype != target.dtype:
            number = editor.call(node, ATEN._to_copy.default, number, dtype=target.dtype)
        return editor.call(node, ATEN.expand.default, number, list(target.shape))
    return editor.constant(node, torch.full(target.shape, number, dtype=target.dtype))


def _index_fill(editor: Editor, node: Node) -> Node:
    whole, dim, index, number = node.args
    shape = value_of(whole).shape  # type: ignore[arg-type]
    dim %= len(shape)  # type: ignore[operator]
    places = editor.constant(node, torch.arange(shape[dim]).view(-1, 1))
    if isinstance(index, Node) and index.op == "get_attr":
        row = editor.attribute(index).view(1, -1) % shape[dim]
        mask = editor.constant(node, (editor.attribute(places) == row).any(1))
    else:
        row = editor.call(node, ATEN.view.default, index, [1, -1])
        row = editor.call(node, ATEN.remainder.Scalar, row, shape[dim])
        mask = editor.call(node, ATEN.any.dim, editor.call(node, ATEN.eq.Tensor, places, row), 1)
    mask = editor.call(
        node, ATEN.view.default, mask, [-1 if axis == dim else 1 for axis in range(len(shape))]
    )
    if not isinstance(number, Node):
        number = editor.constant(node, torch.tensor(number, dtype=value_of(whole).dtype))
    return editor.call(node, ATEN.where.self, mask, number, whole)


def _index_put(editor: Editor, node: Node) -> Node | None:
    whole, indices, values = node.args[:3]
    if arguments_of(node)["accumulate"] or len(indices) != 1 or not is_tensor(indices[0]):  # type: ignore[arg-type]
        return None
    mask = indices[0]  # type: ignore[index]
    if value_of(mask).dtype is not torch.bool or value_of(values).numel() != 1:  # type: ignore[arg-type]
        return None
    rank = value_of(whole).dim()  # type: ignore[arg-type]
    shape = value_of(mask).shape
    if len(shape) < rank:
        mask = editor.call(node, ATEN.view.default, mask, [*shape, *[1] * (rank - len(shape))])
    if value_of(values).dim() > 0:  # type: ignore[arg-type]
        values = editor.call(node, ATEN.view.default, values, [])
    return editor.call(node, ATEN.where.self, mask, values, whole)


_REWRITES: dict[Any, Any] = {
    ATEN.select_scatter.default: _select_scatter,
    ATEN.slice_scatter.default: _slice_scatter,
    ATEN.copy.default: _copy,
    ATEN.fill.Scalar: _fill,
    ATEN.fill.Tensor: _fill,
    ATEN.index_fill.int_Scalar: _index_fill,
    ATEN.index_fill.int_Tensor: _index_fill,
    ATEN.index_put.default: _index_put,
}
