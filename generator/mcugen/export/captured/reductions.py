# SPDX-License-Identifier: BSD-3-Clause
"""Largest, smallest, mean and sum over axes."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, is_float, is_tensor, value_of
from mcugen.export.captured.resample import weigh

_EXTREMES = {ATEN.max.dim: ATEN.amax.default, ATEN.min.dim: ATEN.amin.default}
_OVERALL = {ATEN.max.default: ATEN.amax.default, ATEN.min.default: ATEN.amin.default}
#: More numbers than this are averaged in float: int8 weights of 1 / n, and sums of 32 bits.
_MOST = 1 << 15


def settle_reductions(module: GraphModule) -> None:
    """Give reductions a form that runs on int8.

    The largest over an axis is `amax` unless its place is asked for, too. A mean or a sum is a
    linear layer with equal weights, so that its result has a range of its own; but a mean over the
    pixels of an image is left to be an average pool.
    """
    editor = Editor(module)
    for node in list(module.graph.nodes):
        if node.op != "call_function":
            continue
        if node.target in _EXTREMES:
            _without_places(editor, node)
        elif node.target in _OVERALL and is_float(node):
            editor.replace(node, editor.call(node, _OVERALL[node.target], node.args[0], []))
        elif node.target in (ATEN.mean.dim, ATEN.sum.dim_IntList, ATEN.mean.default):
            other = _weighted(editor, node)
            if other is not None:
                editor.replace(node, other)
    module.graph.eliminate_dead_code()
    module.recompile()


def _without_places(editor: Editor, node: Node) -> None:
    results = {user.args[1]: user for user in node.users}
    if 0 not in results:
        return
    source, axis, *keep = node.args
    keep_axis = bool(keep and keep[0]) or bool(node.kwargs.get("keepdim", False))
    largest = editor.call(node, _EXTREMES[node.target], source, [axis], keep_axis)
    editor.replace(results[0], largest)
    if 1 in results:
        which = ATEN.argmax if node.target is ATEN.max.dim else ATEN.argmin
        places = editor.call(node, which.default, source, axis, keep_axis)
        editor.replace(results[1], places)


def _weighted(editor: Editor, node: Node) -> Node | None:
    source: Any = node.args[0]
    if not is_tensor(source) or not is_float(source) or not is_float(node):
        return None
    if node.kwargs.get("dtype") is not None:
        return None
    shape = list(value_of(source).shape)
    rank = len(shape)
    axes: Any = node.args[1] if len(node.args) > 1 else None
    axes = sorted({axis % rank for axis in (axes or range(rank))}) if rank else []
    if node.target is ATEN.mean.dim and rank == 4 and axes == [2, 3]:
        return None
    count = 1
    for axis in axes:
        count *= shape[axis]
    if not axes or not 0 < count <= _MOST:
        return None
    kept = [axis for axis in range(rank) if axis not in axes]
    order = kept + axes
    if order != list(range(rank)):
        source = editor.call(node, ATEN.permute.default, source, order)
    if len(axes) > 1 or not kept:
        source = editor.call(node, ATEN.reshape.default, source, [*(shape[a] for a in kept), count])
        if not kept:
            source = editor.call(node, ATEN.reshape.default, source, [1, count])
    mean = node.target is not ATEN.sum.dim_IntList
    weights = torch.full((1, count), 1 / count if mean else 1.0)
    result = weigh(editor, node, source, value_of(source).dim() - 1, weights)
    return editor.call(node, ATEN.reshape.default, result, list(value_of(node).shape))
