# SPDX-License-Identifier: BSD-3-Clause
"""Factors and terms of each channel: (x - mean) / std, PReLU."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, is_float, is_tensor, value_of
from mcugen.export.captured.resample import scale_channels


def settle_channels(module: GraphModule) -> None:
    """Put one depthwise convolution in the place of arithmetic with constants per channel."""
    editor = Editor(module)
    done: set[Node] = set()
    for node in list(module.graph.nodes):
        if node.op != "call_function" or node in done:
            continue
        if node.target is ATEN.prelu.default:
            _prelu(editor, node)
        elif (first := _affine(editor, node)) is not None:
            source, factors, terms = first
            last = node
            while len(last.users) == 1:
                [user] = last.users
                following = _affine(editor, user)
                if following is None or following[0] is not last:
                    break
                factors, terms = factors * following[1], terms * following[1] + following[2]
                last = user
                done.add(user)
            last.replace_all_uses_with(scale_channels(editor, last, source, factors, terms))
    module.graph.eliminate_dead_code()
    module.recompile()


def _affine(editor: Editor, node: Node) -> tuple[Node, torch.Tensor, torch.Tensor] | None:
    """Return source, factors and terms of an operator that is `source * factors + terms`."""
    if node.target not in _AFFINE or not is_float(node) or not 2 <= value_of(node).dim() <= 4:
        return None
    if node.kwargs.get("alpha", 1) != 1:
        return None
    for index in range(2):
        source, other = node.args[index], node.args[1 - index]
        if not is_tensor(source) or value_of(source).shape != value_of(node).shape:  # type: ignore[arg-type]
            continue
        numbers = _per_channel(editor, node, other)
        if numbers is None or (index and node.target is ATEN.div.Tensor):
            continue
        one, none = torch.ones_like(numbers), torch.zeros_like(numbers)
        match node.target:
            case ATEN.add.Tensor:
                return source, one, numbers  # type: ignore[return-value]
            case ATEN.sub.Tensor:
                return (source, one, -numbers) if index == 0 else (source, -one, numbers)  # type: ignore[return-value]
            case ATEN.mul.Tensor:
                return source, numbers, none  # type: ignore[return-value]
            case _:
                return source, 1 / numbers, none  # type: ignore[return-value]
    return None


def _per_channel(editor: Editor, node: Node, value: Any) -> torch.Tensor | None:
    """Return the constant's numbers, one a channel of what `node` gives."""
    if not isinstance(value, Node) or value.op != "get_attr" or not is_float(value):
        return None
    shape = value_of(node).shape
    numbers = editor.attribute(value)
    own = [1] * (len(shape) - numbers.dim()) + list(numbers.shape)
    if numbers.numel() == 1 or own[1] != shape[1] or numbers.numel() != shape[1]:
        return None
    return numbers.flatten()


def _prelu(editor: Editor, node: Node) -> None:
    source, slopes = node.args
    if not is_tensor(source) or not is_tensor(slopes) or slopes.op != "get_attr":  # type: ignore[union-attr]
        return
    numbers = editor.attribute(slopes)  # type: ignore[arg-type]
    if numbers.numel() == 1 or not 2 <= value_of(source).dim() <= 4:  # type: ignore[arg-type]
        return
    above = editor.call(node, ATEN.relu.default, source)
    below = editor.call(node, ATEN.clamp.default, source, None, 0.0)
    scaled = scale_channels(editor, node, below, numbers, torch.zeros_like(numbers))
    editor.replace(node, editor.call(node, ATEN.add.Tensor, above, scaled))


_AFFINE = frozenset({ATEN.add.Tensor, ATEN.sub.Tensor, ATEN.mul.Tensor, ATEN.div.Tensor})
