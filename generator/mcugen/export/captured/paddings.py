# SPDX-License-Identifier: BSD-3-Clause
"""Padding by other values than a constant, and by names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, value_of
from mcugen.export.captured.resample import pick


def _circular(place: int, size: int) -> int:
    return place % size


def _reflect(place: int, size: int) -> int:
    place = abs(place)
    return place if place < size else 2 * (size - 1) - place


def _replicate(place: int, size: int) -> int:
    return min(max(place, 0), size - 1)


_MODES: dict[str, Callable[[int, int], int]] = {
    "circular": _circular,
    "reflect": _reflect,
    "replicate": _replicate,
}
_NAMED = {
    getattr(ATEN, f"{name}_pad{rank}d").default: mode
    for name, mode in (("reflection", "reflect"), ("replication", "replicate"))
    for rank in (1, 2, 3)
}


def settle_paddings(module: GraphModule) -> None:
    """Pick the elements that pad, and give convolutions with padding="same" its amount."""
    editor = Editor(module)
    for node in list(module.graph.nodes):
        other = None
        if node.target is ATEN.pad.default:
            mode = node.args[2] if len(node.args) > 2 else "constant"
            if mode in _MODES:
                other = _picked(editor, node, _MODES[mode])
        elif node.target in _NAMED:
            other = _picked(editor, node, _MODES[_NAMED[node.target]])
        elif node.target in (ATEN.conv1d.padding, ATEN.conv2d.padding):
            other = _convolution(editor, node)
        if other is not None:
            editor.replace(node, other)
    module.recompile()


def _picked(editor: Editor, node: Node, place: Callable[[int, int], int]) -> Node:
    source: Any = node.args[0]
    amounts: Any = node.args[1]
    rank = value_of(source).dim()
    for index in range(len(amounts) // 2):
        before, after = amounts[2 * index : 2 * index + 2]
        axis = rank - 1 - index
        size = value_of(source).shape[axis]
        places = [place(each, size) for each in range(-before, size + after)]
        source = pick(editor, node, source, axis, places)
    return source


def _convolution(editor: Editor, node: Node) -> Node:
    names = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
    rank = value_of(node).dim() - 2
    given: dict[str, Any] = dict(zip(names, (None, None, None, 1, "valid", 1, 1), strict=True))
    given.update(zip(names, node.args, strict=False))
    given.update(node.kwargs)
    stride, dilation = (_each(given[name], rank) for name in ("stride", "dilation"))
    before, after = [0] * rank, [0] * rank
    if given["padding"] == "same":
        kernel = value_of(given["weight"]).shape[2:]
        for axis in range(rank):
            total = dilation[axis] * (kernel[axis] - 1)
            before[axis], after[axis] = total // 2, total - total // 2
    source = given["input"]
    if before != after:
        amounts = [side for axis in reversed(range(rank)) for side in (before[axis], after[axis])]
        source = editor.call(node, ATEN.constant_pad_nd.default, source, amounts, 0.0)
        before = [0] * rank
    target = ATEN.conv1d.default if rank == 1 else ATEN.conv2d.default
    return editor.call(
        node,
        target,
        *(source, given["weight"], given["bias"], stride, before, dilation, given["groups"]),
    )


def _each(value: Any, rank: int) -> list[int]:
    """Return a number for each axis."""
    if isinstance(value, int):
        return [value] * rank
    return list(value) * rank if len(value) == 1 else list(value)
