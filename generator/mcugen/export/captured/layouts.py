# SPDX-License-Identifier: BSD-3-Clause
"""Memory orders: N, H, W, C for images where operators want it, as written everywhere else."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, is_tensor, value_of
from mcugen.export.norm_operators import GROUP_NORM, LAYER_NORM

#: Operators on images that the device has in N, H, W, C only.
_IMAGE = frozenset(
    {
        ATEN.conv2d.default,
        ATEN.conv2d.padding,
        ATEN.conv_transpose2d.input,
        ATEN.max_pool2d.default,
        ATEN.avg_pool2d.default,
        GROUP_NORM,
    }
)
#: Operators that take memory in the order of the axes: a new shape for the same bytes, rows.
_PLAIN = frozenset(
    {
        ATEN.view.default,
        ATEN._unsafe_view.default,
        ATEN.reshape.default,
        ATEN.flatten.using_ints,
        ATEN.unflatten.int,
        ATEN.as_strided.default,
        ATEN.linear.default,
        ATEN.matmul.default,
        ATEN.bmm.default,
        ATEN.mm.default,
        LAYER_NORM,
    }
)
_SOFTMAX = frozenset({ATEN.softmax.int, ATEN._softmax.default})


def settle_layouts(module: GraphModule) -> None:
    """Give every image the order N, H, W, C, as the device takes it, and copy where that matters.

    A view of an image in that order is another view than the one the user wrote, or none: it gets a
    copy in the order that was traced. An operator on images gets one the other way around, if what
    it works on was made by a view: quantization would leave it in float.
    """
    editor = Editor(module)
    for name, parameter in [*module.named_parameters(), *module.named_buffers()]:
        if parameter.dim() == 4:
            _put(module, name, parameter)
    for node in list(module.graph.nodes):
        if node.op == "placeholder" and is_tensor(node) and value_of(node).dim() == 4:
            with editor.mode:
                node.meta["val"] = value_of(node).to(memory_format=torch.channels_last)
        elif node.op == "get_attr":
            editor._keep_value(node)
        elif node.op == "call_function":
            _settle(editor, node)
            editor.refresh(node)
    module.recompile()


def _put(module: GraphModule, name: str, value: torch.Tensor) -> None:
    owner, _, attribute = name.rpartition(".")
    data = value.detach().to(memory_format=torch.channels_last)
    holder = module.get_submodule(owner)
    if isinstance(value, torch.nn.Parameter):
        setattr(holder, attribute, torch.nn.Parameter(data, requires_grad=value.requires_grad))
    else:
        setattr(holder, attribute, data)


def _settle(editor: Editor, node: Node) -> None:
    if node.target in _IMAGE:
        _order(editor, node, 0, torch.channels_last)
    elif node.target in _PLAIN:
        for index in range(2):
            _order(editor, node, index, torch.contiguous_format)
    elif node.target in _SOFTMAX:
        source: Any = node.args[0]
        rank = value_of(source).dim()
        dim = node.args[1] % rank  # type: ignore[operator]
        if dim == rank - 1:
            _order(editor, node, 0, torch.contiguous_format)
        elif rank == 4 and dim == 1:
            _order(editor, node, 0, torch.channels_last)


def _order(editor: Editor, node: Node, index: int, order: torch.memory_format) -> None:
    """Put a copy in the given order between `node` and its argument, unless it lies so."""
    source: Any = node.args[index] if len(node.args) > index else None
    if not is_tensor(source) or source.op == "get_attr":
        return
    value = value_of(source)
    if order is torch.channels_last:
        if value.dim() != 4 or _steps(value, (0, 2, 3, 1)) == value.stride()[1:]:
            return
    elif value.is_contiguous():
        return
    node.update_arg(index, editor.call(node, ATEN.clone.default, source, memory_format=order))


def _steps(value: torch.Tensor, order: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of all but the first axis that a dense tensor in this order has."""
    strides, step = [0] * len(order), 1
    for axis in reversed(order):
        strides[axis] = step
        step *= value.shape[axis]
    return tuple(strides[1:])
