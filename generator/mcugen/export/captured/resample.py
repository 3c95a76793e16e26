# SPDX-License-Identifier: BSD-3-Clause
"""What rewrites share: picking along an axis, weighted sums along it, factors of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.fx import Node

from mcugen.export.captured.edit import ATEN, Editor, value_of


def pick(editor: Editor, before: Node, source: Node, axis: int, places: Sequence[int]) -> Node:
    """Insert what takes these places along an axis; nothing if they are all, in order."""
    if list(places) == list(range(value_of(source).shape[axis])):
        return source
    chosen = editor.constant(before, torch.tensor(list(places)))
    return editor.call(before, ATEN.index_select.default, source, axis, chosen)


def weigh(editor: Editor, before: Node, source: Node, axis: int, weights: torch.Tensor) -> Node:
    """Insert weighted sums along an axis: `weights` is [outputs, inputs], float32.

    A linear layer over the axis, which is put last for it: a scale per output, a range of its own.
    """
    rank = value_of(source).dim()
    order = [each for each in range(rank) if each != axis] + [axis]
    if order != list(range(rank)):
        source = editor.call(before, ATEN.permute.default, source, order)
    constant = editor.constant(before, weights)
    result = editor.call(before, ATEN.linear.default, source, constant)
    if order != list(range(rank)):
        back = [order.index(each) for each in range(rank)]
        result = editor.call(before, ATEN.permute.default, result, back)
    return result


def scale_channels(
    editor: Editor, before: Node, source: Node, factors: torch.Tensor, terms: torch.Tensor
) -> Node:
    """Insert `source * factors + terms`, one of each a channel; `source` has 2 to 4 axes.

    A depthwise convolution of one pixel: exact in int8 with a scale per channel.
    """
    shape = list(value_of(source).shape)
    channels = shape[1]
    image: Any = source
    if len(shape) == 2:
        image = editor.call(before, ATEN.view.default, source, [*shape, 1, 1])
    elif len(shape) == 3:
        image = editor.call(before, ATEN.unsqueeze.default, source, 2)
    weight = editor.constant(before, factors.reshape(channels, 1, 1, 1).to(torch.float32))
    bias = editor.constant(before, terms.to(torch.float32))
    result = editor.call(
        before, ATEN.conv2d.default, image, weight, bias, [1, 1], [0, 0], [1, 1], channels
    )
    if len(shape) < 4:
        result = editor.call(before, ATEN.view.default, result, shape)
    return result
