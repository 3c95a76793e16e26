# SPDX-License-Identifier: BSD-3-Clause
"""Pools and resizing, in the forms that the device has no operator for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, arguments_of, value_of
from mcugen.export.captured.resample import pick, weigh

#: Places along an axis that each output is made of.
Windows = list[list[int]]


def settle_pools(module: GraphModule) -> None:
    """Leave max_pool2d and avg_pool2d without ceil_mode and dilation.

    Adaptive pools with equal windows are plain ones. The largest of unequal, spread or cut windows
    is the largest of as many pictures as a window has elements; a mean or an interpolation of such
    is a weighted sum along each axis.
    """
    editor = Editor(module)
    for node in list(module.graph.nodes):
        if node.op == "call_function" and node.target in _REWRITES:
            image = node.args[0]
            if value_of(image).dim() != 4:  # type: ignore[arg-type]
                continue
            other = _REWRITES[node.target](editor, node)
            if other is not None:
                editor.replace_first(node, other)
    module.graph.eliminate_dead_code()
    module.recompile()


def _max_pool(editor: Editor, node: Node) -> Node | None:
    given = arguments_of(node)
    kernel, stride, padding, dilation = _geometry(given)
    sizes, outs = _sizes(node)
    plain = _is_plain(node, kernel, stride, padding)
    if dilation == [1, 1] and plain:
        if not given["ceil_mode"]:
            return None
        return editor.call(node, ATEN.max_pool2d.default, node.args[0], kernel, stride, padding)
    windows = [
        [
            [
                place
                for tap in range(kernel[axis])
                if 0 <= (place := out * stride[axis] - padding[axis] + tap * dilation[axis]) < size
            ]
            for out in range(outs[axis])
        ]
        for axis, size in enumerate(sizes)
    ]
    return _largest(editor, node, windows)


def _adaptive_max_pool(editor: Editor, node: Node) -> Node | None:
    if any(user.args[1] == 1 for user in node.users):
        return None
    sizes, outs = _sizes(node)
    if all(size % out == 0 for size, out in zip(sizes, outs, strict=True)):
        kernel = [size // out for size, out in zip(sizes, outs, strict=True)]
        return editor.call(node, ATEN.max_pool2d.default, node.args[0], kernel, kernel)
    return _largest(editor, node, [_adaptive(*each) for each in zip(sizes, outs, strict=True)])


def _adaptive_avg_pool(editor: Editor, node: Node) -> Node | None:
    sizes, outs = _sizes(node)
    if all(size % out == 0 for size, out in zip(sizes, outs, strict=True)):
        kernel = [size // out for size, out in zip(sizes, outs, strict=True)]
        return editor.call(node, ATEN.avg_pool2d.default, node.args[0], kernel, kernel)
    means = [
        [{place: 1 / len(window) for place in window} for window in _adaptive(*each)]
        for each in zip(sizes, outs, strict=True)
    ]
    return _weighed(editor, node, means)


def _avg_pool(editor: Editor, node: Node) -> Node | None:
    given = arguments_of(node)
    if given["divisor_override"]:
        return None
    kernel, stride, padding, _ = _geometry(given)
    include = given["count_include_pad"]
    sizes, outs = _sizes(node)
    if _is_plain(node, kernel, stride, padding):
        source: Any = node.args[0]
        if include and any(padding):
            # Lowering's own padding goes by the memory order before layouts are settled.
            amounts = [padding[1], padding[1], padding[0], padding[0]]
            source = editor.call(node, ATEN.constant_pad_nd.default, source, amounts, 0.0)
            padding, include = [0, 0], False
        # Lowering takes an empty stride, which stands for the kernel's size, as it is.
        args = (kernel, stride, padding, False, include)
        return editor.call(node, ATEN.avg_pool2d.default, source, *args)
    means = []
    for axis, size in enumerate(sizes):
        rows = []
        for out in range(outs[axis]):
            start = out * stride[axis] - padding[axis]
            end = min(start + kernel[axis], size + padding[axis])
            places = range(max(start, 0), min(end, size))
            count = end - start if include else len(places)
            rows.append({place: 1 / count for place in places})
        means.append(rows)
    return _weighed(editor, node, means)


def _nearest(editor: Editor, node: Node) -> Node:
    source: Any = node.args[0]
    for axis, weights in _probed(node):
        source = pick(editor, node, source, axis, weights.argmax(1).tolist())
    return source


def _linear(editor: Editor, node: Node) -> Node:
    source: Any = node.args[0]
    for axis, weights in _probed(node):
        if weights.shape[0] != weights.shape[1] or not torch.equal(
            weights, torch.eye(len(weights))
        ):
            source = weigh(editor, node, source, axis, weights)
    return source


def _probed(node: Node) -> list[tuple[int, torch.Tensor]]:
    """Return the weights [outputs, inputs] of a resizing along each axis: what it does to ones."""
    sizes, outs = _sizes(node)
    found = []
    for axis in range(2):
        other = sizes[1 - axis]
        ones = torch.eye(sizes[axis])
        rows = ones[:, None, :, None] if axis == 0 else ones[:, None, None, :]
        rows = rows.expand(-1, 1, *((-1, other) if axis == 0 else (other, -1)))
        result = node.target(rows, *node.args[1:], **node.kwargs)  # type: ignore[operator]
        lines = result[:, 0, :, 0] if axis == 0 else result[:, 0, 0, :]
        assert lines.shape[1] == outs[axis]
        found.append((2 + axis, lines.T.contiguous()))
    return found


def _largest(editor: Editor, node: Node, windows: Sequence[Windows]) -> Node:
    source: Any = node.args[0]
    for axis, rows in enumerate(windows, 2):
        most = max(len(row) for row in rows)
        taps = [
            pick(editor, node, source, axis, [row[min(tap, len(row) - 1)] for row in rows])
            for tap in range(most)
        ]
        source = taps[0]
        for tap in taps[1:]:
            source = editor.call(node, ATEN.maximum.default, source, tap)
    return source


def _weighed(editor: Editor, node: Node, rows: Sequence[list[dict[int, float]]]) -> Node:
    source: Any = node.args[0]
    for axis, outputs in enumerate(rows, 2):
        weights = torch.zeros(len(outputs), value_of(source).shape[axis])
        for index, output in enumerate(outputs):
            for place, weight in output.items():
                weights[index, place] = weight
        source = weigh(editor, node, source, axis, weights)
    return source


def _adaptive(size: int, out: int) -> Windows:
    return [list(range(index * size // out, -(-(index + 1) * size // out))) for index in range(out)]


def _geometry(given: dict[str, Any]) -> tuple[list[int], ...]:
    kernel = _pair(given["kernel_size"])
    stride = _pair(given["stride"] or kernel)
    padding = _pair(given["padding"])
    return kernel, stride, padding, _pair(given.get("dilation", 1))


def _is_plain(node: Node, kernel: list[int], stride: list[int], padding: list[int]) -> bool:
    """Return whether the output is as large as it is without ceil_mode."""
    sizes, outs = _sizes(node)
    return all(
        outs[axis] == (sizes[axis] + 2 * padding[axis] - kernel[axis]) // stride[axis] + 1
        for axis in range(2)
    )


def _pair(value: Any) -> list[int]:
    if isinstance(value, int):
        return [value, value]
    return list(value) if len(value) == 2 else [value[0], value[0]]


def _sizes(node: Node) -> tuple[list[int], list[int]]:
    """Return height and width of the input, and of the output."""
    value = value_of(node)
    result = value if isinstance(value, torch.Tensor) else value[0]
    source = value_of(node.args[0])  # type: ignore[arg-type]
    return list(source.shape[2:]), list(result.shape[2:])


_REWRITES: dict[Any, Callable[[Editor, Node], Node | None]] = {
    ATEN.max_pool2d.default: _max_pool,
    ATEN.adaptive_max_pool2d.default: _adaptive_max_pool,
    ATEN.adaptive_avg_pool2d.default: _adaptive_avg_pool,
    ATEN.avg_pool2d.default: _avg_pool,
    ATEN.upsample_nearest2d.vec: _nearest,
    ATEN.upsample_bilinear2d.vec: _linear,
    ATEN.upsample_bicubic2d.vec: _linear,
}
