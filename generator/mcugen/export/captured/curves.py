# SPDX-License-Identifier: BSD-3-Clause
"""What works on each number of one tensor by itself, as one function of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, is_float, is_tensor, value_of
from mcugen.export.captured.masked_softmax import SOFTMAX_AXIS
from mcugen.export.curve import CURVE, written
from mcugen.export.norm_operators import GROUP_NORM, LAYER_NORM


def _overloads(overload: str, names: str) -> frozenset[Any]:
    return frozenset(getattr(getattr(ATEN, name), overload) for name in names.split())


#: Nothing, in front of a function or behind it.
_COPIES = _overloads("default", "alias clone detach _to_copy") | {ATEN.to.dtype}
_BOUNDS = _overloads("default", "relu hardtanh clamp hardsigmoid")
#: The names that the quantizer knows these by.
_BY_OTHER_NAMES: dict[Any, Callable[..., tuple[Any, tuple[Any, ...]]]] = {
    ATEN.relu6.default: lambda x: (ATEN.hardtanh.default, (x, 0.0, 6.0)),
    ATEN.clamp_min.default: lambda x, low: (ATEN.clamp.default, (x, low)),
    ATEN.clamp_max.default: lambda x, high: (ATEN.clamp.default, (x, None, high)),
}
#: What ExecuTorch has an int8 operator for, or a place in the operator before it.
_KNOWN = (
    _BOUNDS
    | _COPIES
    | _overloads("default", "gelu hardswish log log10 log1p log2 rsqrt sigmoid silu sqrt tanh")
)
#: Operators of numbers: with one tensor that is none, beside single numbers.
_POINTWISE = (
    _KNOWN
    | _overloads("default", "abs acos acosh asin asinh atan atanh ceil celu cos cosh elu erf erfc")
    | _overloads("default", "exp exp2 expm1 floor frac hardshrink leaky_relu log_sigmoid logit")
    | _overloads("default", "mish neg reciprocal round selu sign sin sinh softplus softshrink")
    | _overloads("default", "square tan threshold trunc prelu maximum minimum")
    | _overloads("default", "bitwise_not logical_and logical_not logical_or logical_xor")
    | _overloads("Scalar", "add sub mul div rsub eq ne lt le gt ge fmod remainder pow")
    | _overloads("Tensor", "add sub mul div eq ne lt le gt ge fmod remainder")
    | _overloads("Tensor", "bitwise_and bitwise_or")
    | _overloads("Tensor_Scalar", "pow")
    | _overloads("Tensor_Tensor", "pow")
    | _overloads("Scalar", "masked_fill")
    | _overloads("Tensor", "masked_fill")
    | _overloads("self", "where")
    | _overloads("Scalar", "where")
    | _overloads("ScalarSelf", "where")
    | _overloads("ScalarOther", "where")
)
#: What a bound behind it is part of.
_LAYERS = (
    _overloads("default", "conv1d conv2d linear max_pool1d max_pool2d")
    | _overloads("default", "_native_batch_norm_legit_no_training")
    | _overloads("padding", "conv1d conv2d")
    | _overloads("Tensor", "add sub")
    | _overloads("input", "conv_transpose2d")
    | _overloads("default", "conv_transpose1d")
    | {GROUP_NORM, LAYER_NORM}
)


def replace_curves(module: GraphModule) -> None:
    """Put one mcugen::curve in the place of operators that make a function of one tensor.

    `x * torch.sigmoid(x)`, `1 - z`, `(x - 0.5) / 0.2`, `where(x > 0, x, 0.1 * x)`: in int8 each is
    a table, and no rounding lies between its operators. What the operator before it does at no cost
    (relu behind a convolution) stays with that.
    """
    editor = Editor(module)
    steps: dict[Node, list[Node]] = {}  #: of a node: what computes it from its source, in order
    sources: dict[Node, Node] = {}
    for node in module.graph.nodes:
        if node.target in _BY_OTHER_NAMES:
            node.target, node.args = _BY_OTHER_NAMES[node.target](*node.args)
        source = _source(editor, node, sources)
        if source is not None:
            sources[node] = source
            before = [each for arg in node.all_input_nodes for each in steps.get(arg, ())]
            steps[node] = [*dict.fromkeys(before), node]
    stay: set[Node] = set()  #: as they are, and so what they work on is needed
    for node, chain in reversed(steps.items()):
        users = [
            user for user in node.users if sources.get(user) is not sources[node] or user in stay
        ]
        if not users:
            continue
        if not is_float(node) or _is_known(chain):
            stay.add(node)
            continue
        curve = editor.call(node, CURVE, sources[node], _written(editor, chain, sources[node]))
        for user in users:
            user.replace_input_with(node, curve)
    module.graph.eliminate_dead_code()
    module.recompile()


def _source(editor: Editor, node: Node, sources: dict[Node, Node]) -> Node | None:
    """Return the tensor that `node` is a function of, number by number; None if of several."""
    if node.op != "call_function" or node.target not in _POINTWISE or not is_tensor(node):
        return None
    if SOFTMAX_AXIS in node.meta:  # its number is yet to be chosen
        return None
    if value_of(node).dtype not in (torch.float32, torch.bool):
        return None
    found: set[Node] = set()
    for arg in node.all_input_nodes:
        if _is_number(editor, arg):
            continue
        if not is_tensor(arg) or value_of(arg).shape != value_of(node).shape:
            return None
        found.add(arg)
    functions = {sources.get(arg, arg) for arg in found}
    if len(functions) != 1 or _belongs_to_layer(node):
        return None
    [source] = functions
    return source if is_float(source) and value_of(source).dtype is torch.float32 else None


def _belongs_to_layer(node: Node) -> bool:
    before = node.args[0]
    return (
        node.target in _BOUNDS
        and isinstance(before, Node)
        and before.target in _LAYERS
        and len(before.users) == 1
        and len(before.all_input_nodes) > 1
    )


def _is_number(editor: Editor, node: Node) -> bool:
    return node.op == "get_attr" and is_tensor(node) and value_of(node).numel() == 1


def _is_known(chain: list[Node]) -> bool:
    does = [node for node in chain if node.target not in _COPIES]
    return not does or (len(does) == 1 and does[0].target in _KNOWN)


def _written(editor: Editor, chain: list[Node], source: Node) -> str:
    places = {source: -1} | {node: index for index, node in enumerate(chain)}

    def say(each: Any) -> Any:
        if isinstance(each, Node):
            if each not in places:
                return {"number": editor.attribute(each).item()}
            return {"of": places[each]}
        if isinstance(each, torch.dtype):
            return {"dtype": str(each).removeprefix("torch.")}
        if isinstance(each, (list, tuple)):
            return [say(item) for item in each]
        return each

    return written(
        [
            {
                "op": str(node.target),
                "args": [say(each) for each in node.args],
                "kwargs": {
                    name: say(each)
                    for name, each in node.kwargs.items()
                    if name not in ("memory_format", "device", "layout", "pin_memory")
                },
            }
            for node in chain
        ]
    )
