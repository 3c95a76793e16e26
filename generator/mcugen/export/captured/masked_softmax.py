# SPDX-License-Identifier: BSD-3-Clause
"""Masks in front of a softmax: minus infinity is no end of a range of 256 numbers.

What is masked gets a number that is low enough to leave nothing of it behind the softmax. How low
depends on what is not masked, which calibration samples tell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch.fx import GraphModule, Interpreter, Node

from mcugen.export.captured.edit import ATEN, Editor, is_float, is_tensor, value_of

#: Below this, a number in a mask stands for minus infinity.
_LOWEST = -1000.0
#: Of the softmax's smallest step, what all that is masked may add up to.
_SHARE = 1 / 2
_STEPS = 256
#: In the meta of a `where`: the axis of the softmax behind it. A rewrite that makes such a `where`
#: anew copies it, with the axis as it is then; one that has no place for it leaves it alone.
SOFTMAX_AXIS = "masked_softmax_axis"
#: In the meta of a module: the names of the numbers that are yet to be chosen.
_LOWS = "masked_softmax_lows"
_SHAPES = (ATEN.view.default, ATEN.unsqueeze.default, ATEN.expand.default, ATEN.reshape.default)


def replace_masked_softmax(module: GraphModule) -> None:
    """Select between scores and a low number where a mask is added to them, or written into them.

    settle_lows has to put that number in, before ranges are observed.
    """
    editor = Editor(module)
    for node in list(module.graph.nodes):
        if node.target in (ATEN.softmax.int, ATEN._softmax.default) and is_float(node):
            scores = node.args[0]
            found = _masked(editor, scores) if isinstance(scores, Node) else None
            if found is not None:
                axis = node.args[1] % value_of(node).dim()  # type: ignore[operator]
                node.update_arg(0, selected(editor, node, *found, axis))
    module.graph.eliminate_dead_code()
    module.recompile()


def selected(
    editor: Editor, before: Node, scores: Node, masked: Node, rest: Node | None, axis: int
) -> Node:
    """Return `scores` plus `rest`, and where `masked` is true a number that settle_lows chooses."""
    if rest is not None:
        scores = editor.call(before, ATEN.add.Tensor, scores, rest)
    low = editor.constant(before, torch.full((), math.nan, dtype=value_of(scores).dtype))
    editor.module.meta.setdefault(_LOWS, []).append(str(low.target))
    node = editor.call(before, ATEN.where.self, masked, low, scores)
    node.meta[SOFTMAX_AXIS] = axis
    return node


def split_mask(editor: Editor, before: Node, mask: Node) -> tuple[Node, Node | None] | None:
    """Return where a mask that is added hides, and what else it adds; None if that is not known.

    A mask of booleans is true where nothing is hidden, as scaled_dot_product_attention has it.
    """
    if value_of(mask).dtype is torch.bool:
        return editor.call(before, ATEN.logical_not.default, mask), None
    if mask.op == "get_attr":
        numbers = editor.attribute(mask)
        hidden = numbers <= _LOWEST
        if not hidden.any():
            return None
        rest = numbers.masked_fill(hidden, 0.0)
        kept = editor.constant(before, rest) if rest.any() else None
        return editor.constant(before, hidden), kept
    if mask.target in _SHAPES and isinstance(mask.args[0], Node):
        inner = split_mask(editor, before, mask.args[0])
        if inner is None or inner[1] is not None or value_of(mask.args[0]).dtype is torch.bool:
            return None
        return editor.call(before, mask.target, inner[0], *mask.args[1:]), None
    written = _written(editor, mask)
    if written is not None and _is_zero(editor, written[0]):
        return written[1], None
    return None


def settle_lows(module: GraphModule, samples: Iterable[tuple[torch.Tensor, ...]]) -> None:
    """Choose how low masked scores are, from the scores of samples."""
    nodes = [node for node in module.graph.nodes if SOFTMAX_AXIS in node.meta]
    names = set(module.meta.get(_LOWS, ()))
    left = {node.target for node in module.graph.nodes if node.op == "get_attr"} & names
    if left != {node.args[1].target for node in nodes} or any(map(_has_nan, module.graph.nodes)):
        raise AssertionError("a rewrite lost where scores are masked")
    if not nodes:
        return
    run = _ScoreRows(module, nodes)
    with torch.no_grad():
        for sample in samples:
            run.run(*sample)
    for node in nodes:
        low = run.highest[node] - math.log(_STEPS / _SHARE * max(run.hidden[node], 1))
        # Where every row is masked wholly, any number gives the same.
        low = low if math.isfinite(low) else 0.0
        getattr(module, str(node.args[1].target)).data.fill_(low)


def _has_nan(node: Node) -> bool:
    return any(isinstance(arg, float) and math.isnan(arg) for arg in node.args)


class _ScoreRows(Interpreter):
    """Finds the least of the rows' largest scores, and the most masked scores of a row."""

    def __init__(self, module: GraphModule, nodes: list[Node]) -> None:
        super().__init__(module)
        self.highest = dict.fromkeys(nodes, math.inf)
        self.hidden = dict.fromkeys(nodes, 0)

    def run_node(self, n: Node) -> Any:
        """Run a node, and look at it."""
        result = super().run_node(n)
        if n in self.highest:
            masked, _, scores = map(self.env.__getitem__, n.args)  # type: ignore[arg-type]
            masked, scores = torch.broadcast_tensors(masked, scores)
            axis = n.meta[SOFTMAX_AXIS]
            largest = scores.masked_fill(masked, -math.inf).amax(axis)
            finite = largest[largest.isfinite()]  # a row may be masked wholly
            if finite.numel():
                self.highest[n] = min(self.highest[n], float(finite.min()))
            self.hidden[n] = max(self.hidden[n], int(masked.sum(axis).max()))
        return result


def _masked(editor: Editor, scores: Node) -> tuple[Node, Node, Node | None] | None:
    """Return the scores without a mask, where it hides, and what else it adds."""
    if scores.target is ATEN.baddbmm.default and not scores.kwargs:
        mask, left, right = scores.args
        found = split_mask(editor, scores, mask)  # type: ignore[arg-type]
        if found is None:
            return None
        return editor.call(scores, ATEN.bmm.default, left, right), *found
    if scores.target is ATEN.add.Tensor and not scores.kwargs:
        for source, mask in (scores.args, scores.args[::-1]):
            if (
                is_float(source)
                and is_float(mask)
                and value_of(source).shape == value_of(scores).shape
            ):  # type: ignore[arg-type]
                found = split_mask(editor, scores, mask)  # type: ignore[arg-type]
                if found is not None:
                    return source, *found  # type: ignore[return-value]
        return None
    written = _written(editor, scores)
    return None if written is None else (*written, None)


def _written(editor: Editor, node: Node) -> tuple[Node, Node] | None:
    """Return what masked_fill or where takes, and where it writes minus infinity instead."""
    if node.target in (ATEN.masked_fill.Scalar, ATEN.masked_fill.Tensor):
        source, masked, number = node.args
        return (source, masked) if _is_low(editor, number) else None  # type: ignore[return-value]
    if node.target in (ATEN.where.self, ATEN.where.ScalarSelf, ATEN.where.ScalarOther):
        chosen, left, right = node.args
        if _is_low(editor, left) and is_tensor(right):
            return right, chosen  # type: ignore[return-value]
        if _is_low(editor, right) and is_tensor(left):
            return left, editor.call(node, ATEN.logical_not.default, chosen)  # type: ignore[return-value]
    return None


def _is_low(editor: Editor, value: Any) -> bool:
    if isinstance(value, Node):
        return value.op == "get_attr" and bool((editor.attribute(value) <= _LOWEST).all())
    return value <= _LOWEST


def _is_zero(editor: Editor, node: Node) -> bool:
    return node.op == "get_attr" and not editor.attribute(node).any()
