# SPDX-License-Identifier: BSD-3-Clause
"""Layers on signals as layers on images of height 1."""

from __future__ import annotations

from typing import Any

from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, is_tensor, value_of
from mcugen.export.captured.masked_softmax import SOFTMAX_AXIS
from mcugen.export.curve import CURVE
from mcugen.export.norm_operators import GROUP_NORM

#: Operators of numbers, whatever the axes.
_POINTWISE = frozenset(
    {
        CURVE,
        *(
            getattr(ATEN, name).default
            for name in (
                *("relu", "relu6", "hardtanh", "clamp", "clamp_min", "clamp_max", "hardsigmoid"),
                *("hardswish", "sigmoid", "tanh", "silu", "gelu", "dropout", "clone", "alias"),
                *("sqrt", "rsqrt", "log", "log1p", "log2", "log10", "maximum", "minimum"),
            )
        ),
        *(getattr(ATEN, name).Tensor for name in ("add", "sub", "mul", "div")),
        ATEN.where.self,
    }
)
_NORM = ATEN._native_batch_norm_legit_no_training.default


def lift_signals(module: GraphModule) -> None:
    """Compute with [N, C, 1, L] what works on signals [N, C, L], from one such layer to the next.

    ExecuTorch's Cortex-M operators take images. A signal is given the axis once, where the first
    layer wants it, and loses it where something else than layers on signals reads it.
    """
    lift = _Lift(module)
    for node in list(module.graph.nodes):
        if node.op == "call_function":
            lift.visit(node)
    module.graph.eliminate_dead_code()
    module.recompile()


class _Lift:
    def __init__(self, module: GraphModule) -> None:
        self.editor = Editor(module)
        self.images: dict[Node, Node] = {}  #: of a signal

    def visit(self, node: Node) -> None:
        """Add the image of what `node` gives, if it has one, and let its readers have a signal."""
        if node.target is ATEN.mean.dim:
            self._mean(node)
            return
        if node.target in (ATEN.adaptive_max_pool1d.default, _NORM):
            if value_of(node.args[0]).dim() == 3:  # type: ignore[arg-type]
                self._norm(node) if node.target is _NORM else self._adaptive_max(node)
            return
        image = self._image(node)
        if image is None:
            return
        signal = self.editor.call(node, ATEN.squeeze.dim, image, 2)
        node.replace_all_uses_with(signal)
        self.images[signal] = image

    def _image(self, node: Node) -> Node | None:
        layer = _LAYERS.get(node.target)
        if layer is not None and value_of(node.args[0]).dim() == 3:  # type: ignore[arg-type]
            return layer(self, node)  # type: ignore[no-any-return]
        if not is_tensor(node) or value_of(node).dim() != 3:
            return None
        if node.target in _POINTWISE and self._all_are_signals(node):
            args = [self.of(node, each) if is_tensor(each) else each for each in node.args]
            image = self.editor.call(node, node.target, *args, **node.kwargs)
            if SOFTMAX_AXIS in node.meta:
                image.meta[SOFTMAX_AXIS] = _AXES[node.meta[SOFTMAX_AXIS]]
            return image
        if node.target is ATEN.cat.default:
            parts: Any = node.args[0]
            axis = (node.args[1] if len(node.args) > 1 else 0) % 3  # type: ignore[operator]
            if all(each in self.images for each in parts):
                images = [self.images[each] for each in parts]
                return self.editor.call(node, ATEN.cat.default, images, _AXES[axis])
        if node.target in (ATEN.slice.Tensor, ATEN.constant_pad_nd.default):
            return self._moved(node)
        if node.target is ATEN.index_select.default and node.args[0] in self.images:
            axis = node.args[1] % 3  # type: ignore[operator]
            image = self.images[node.args[0]]  # type: ignore[index]
            return self.editor.call(node, node.target, image, _AXES[axis], node.args[2])
        return None

    def _moved(self, node: Node) -> Node | None:
        source, *rest = node.args
        if source not in self.images:
            return None
        if node.target is ATEN.slice.Tensor:
            rest = [_AXES[rest[0] % 3], *rest[1:]] if rest else rest  # type: ignore[operator]
        elif len(rest[0]) > 2:  # type: ignore[arg-type]
            rest = [[*rest[0][:2], 0, 0, *rest[0][2:]], *rest[1:]]  # type: ignore[index]
        return self.editor.call(node, node.target, self.images[source], *rest, **node.kwargs)  # type: ignore[index]

    def _all_are_signals(self, node: Node) -> bool:
        """Whether an input has an image already, and every other one can be given one."""
        tensors = [each for each in node.args if is_tensor(each)]
        ranks = {value_of(each).dim() for each in tensors}  # type: ignore[arg-type]
        return ranks <= {0, 3} and any(each in self.images for each in tensors)

    def of(self, before: Node, signal: Any) -> Node:
        """Return the image of a signal; one more axis where there is none."""
        if value_of(signal).dim() == 0:
            return signal  # type: ignore[no-any-return]
        if signal not in self.images:
            self.images[signal] = self.editor.call(before, ATEN.unsqueeze.default, signal, 2)
        return self.images[signal]

    def _mean(self, node: Node) -> None:
        source, axes, *rest = node.args
        if source not in self.images or [axis % 3 for axis in axes] != [2]:  # type: ignore[operator, union-attr]
            return
        image = self.images[source]  # type: ignore[index]
        mean = self.editor.call(node, ATEN.mean.dim, image, [2, 3], *rest, **node.kwargs)
        if value_of(node).dim() == 2:
            node.replace_all_uses_with(mean)
            return
        signal = self.editor.call(node, ATEN.squeeze.dim, mean, 2)
        node.replace_all_uses_with(signal)
        self.images[signal] = mean

    def _adaptive_max(self, node: Node) -> None:
        if any(user.args[1] == 1 for user in node.users):
            return
        size = [1, *_one(node.args[1], [1])]
        image = self.of(node, node.args[0])
        pool = self.editor.call(node, ATEN.adaptive_max_pool2d.default, image, size)
        self._results(node, pool)

    def _norm(self, node: Node) -> None:
        image = self.of(node, node.args[0])
        self._results(node, self.editor.call(node, node.target, image, *node.args[1:]))

    def _results(self, node: Node, layer: Node) -> None:
        """Let what reads the first result of `node` read that of a layer on images."""
        for user in list(node.users):  # one getitem a result
            if user.args[1] == 0:
                result = self.editor.call(user, user.target, layer, 0)
                signal = self.editor.call(user, ATEN.squeeze.dim, result, 2)
                user.replace_all_uses_with(signal)
                self.images[signal] = result

    def convolution(self, node: Node) -> Node:
        """Return a convolution of the image."""
        transposed = node.target is ATEN.conv_transpose1d.default
        args: list[Any] = [*node.args, *[None] * (3 - len(node.args))]
        x, weight, bias, *rest = args
        if weight.op == "get_attr":
            weight = self.editor.constant(node, self.editor.attribute(weight).unsqueeze(2))
        else:
            weight = self.editor.call(node, ATEN.unsqueeze.default, weight, 2)
        # stride, padding, dilation, groups; transposed: output_padding and groups come before
        names = ["stride", "padding", "dilation", "groups"]
        if transposed:
            names = ["stride", "padding", "output_padding", "groups", "dilation"]
        given = dict(zip(names, rest, strict=False))
        options = [
            given.get(name, 1)
            if name == "groups"
            else [*_NOTHING[name], *_one(given.get(name), _NOTHING[name])]
            for name in names
        ]
        target = ATEN.conv_transpose2d.input if transposed else ATEN.conv2d.default
        return self.editor.call(node, target, self.of(node, x), weight, bias, *options)

    def pool(self, node: Node) -> Node:
        """Return a pool of the image."""
        is_max = node.target is ATEN.max_pool1d.default
        names = ["kernel_size", "stride", "padding"]
        names += ["dilation", "ceil_mode"] if is_max else ["ceil_mode", "count_include_pad"]
        given: dict[str, Any] = {**dict(zip(names, node.args[1:], strict=False)), **node.kwargs}
        kernel = _one(given["kernel_size"], [1])
        args = [[1, *kernel], [1, *(_one(given.get("stride"), kernel))]]
        args.append([0, *_one(given.get("padding"), [0])])
        if is_max:
            args += [[1, *_one(given.get("dilation"), [1])], given.get("ceil_mode", False)]
            target = ATEN.max_pool2d.default
        else:
            args += [given.get("ceil_mode", False), given.get("count_include_pad", True)]
            target = ATEN.avg_pool2d.default
        return self.editor.call(node, target, self.of(node, node.args[0]), *args)

    def adaptive(self, node: Node) -> Node:
        """Return an adaptive average pool of the image."""
        size = [1, *_one(node.args[1], [1])]
        image = self.of(node, node.args[0])
        return self.editor.call(node, ATEN.adaptive_avg_pool2d.default, image, size)

    def group_norm(self, node: Node) -> Node:
        """Return a norm of the image, by the statistics of its own."""
        return self.editor.call(node, GROUP_NORM, self.of(node, node.args[0]), *node.args[1:])

    def upsample(self, node: Node) -> Node:
        """Return an upsampled image. A factor stays one: it need not be the ratio of the sizes."""
        image = self.of(node, node.args[0])
        _, size, *corners, factors = node.args
        size = [1, *size] if size else None  # type: ignore[misc]
        factors = [1.0, *factors] if factors else None  # type: ignore[misc]
        return self.editor.call(node, _UPSAMPLES[node.target], image, size, *corners, factors)


def _one(value: Any, otherwise: list[int]) -> list[int]:
    if value is None or (isinstance(value, (list, tuple)) and not value):
        return otherwise
    return [value] if isinstance(value, int) else list(value)


#: Axes of an image for those of a signal.
_AXES = (0, 1, 3)
_NOTHING = {"stride": [1], "padding": [0], "output_padding": [0], "dilation": [1]}
_UPSAMPLES: dict[Any, Any] = {
    ATEN.upsample_nearest1d.vec: ATEN.upsample_nearest2d.vec,
    ATEN.upsample_linear1d.vec: ATEN.upsample_bilinear2d.vec,
}
_LAYERS: dict[Any, Any] = {
    ATEN.conv1d.default: _Lift.convolution,
    ATEN.conv_transpose1d.default: _Lift.convolution,
    ATEN.max_pool1d.default: _Lift.pool,
    ATEN.avg_pool1d.default: _Lift.pool,
    ATEN.adaptive_avg_pool1d.default: _Lift.adaptive,
    GROUP_NORM: _Lift.group_norm,
    **dict.fromkeys(_UPSAMPLES, _Lift.upsample),
}
