# SPDX-License-Identifier: BSD-3-Clause
"""Compute what depends on no input: constants made in forward(), and weights that are computed."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node
from torch.fx.node import map_arg

from mcugen.export.captured.edit import ATEN, Editor, is_tensor, value_of

#: These take a tensor for its shape only.
_LIKE = frozenset(
    each
    for name in ("zeros", "ones", "full", "empty")
    for each in (getattr(ATEN, f"{name}_like").default, getattr(ATEN, f"new_{name}").default)
)
_EMPTY = frozenset({ATEN.empty.memory_format, ATEN.empty_like.default, ATEN.new_empty.default})
#: Larger ones are left: a position table for a picture is not worth its flash.
_MOST_BYTES = 1 << 20


def fold_constants(module: GraphModule) -> None:
    """Replace every operator whose result no input changes by that result.

    A constant that is an operator of the program would be quantized as one: its scale is lost where
    ExecuTorch folds quantization into operators, and a weight's would not be found at all.
    """
    editor = Editor(module)
    known: dict[Node, Any] = {}
    for node in list(module.graph.nodes):
        if node.op == "get_attr" and is_tensor(node):
            known[node] = editor.attribute(node)
        elif node.op == "call_function" and _is_constant(node, known):
            with torch.no_grad():
                known[node] = _compute(node, known)
    for node in known:
        # Only what something else reads; results in between go with the dead code.
        if node.op == "get_attr" or not isinstance(known[node], torch.Tensor):
            continue
        if any(user not in known for user in node.users):
            value = known[node].contiguous() if known[node].dim() != 4 else known[node]
            constant = editor.constant(node, value)
            for user in [user for user in node.users if user not in known]:
                if user.op == "output":
                    # The program must compute what it gives.
                    copy = editor.call(node, ATEN.clone.default, constant)
                    user.replace_input_with(node, copy)
                else:
                    user.replace_input_with(node, constant)
    module.graph.eliminate_dead_code()
    module.recompile()


def _is_constant(node: Node, known: dict[Node, Any]) -> bool:
    if getattr(node.target, "_schema", None) is not None:
        if node.target._schema.is_mutable or _is_random(node):  # type: ignore[union-attr]
            return False
    elif getattr(node.target, "__module__", "") != "_operator":
        return False
    value = value_of(node)
    tensors = [each for each in node.all_input_nodes if isinstance(known.get(each), torch.Tensor)]
    # A weight is at most as large as what it is made of; what is made of nothing may be anything.
    if isinstance(value, torch.Tensor) and not tensors and value.nbytes > _MOST_BYTES:
        return False
    needed = node.all_input_nodes
    if node.target in _LIKE and is_tensor(node.args[0]):
        needed = [each for each in needed if each is not node.args[0]]
    elif not needed and not isinstance(value, torch.Tensor):
        return False
    return all(each in known for each in needed)


def _is_random(node: Node) -> bool:
    return torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())


def _compute(node: Node, known: dict[Node, Any]) -> Any:
    def stand_in(each: Node) -> Any:
        if each in known:
            return known[each]
        value = each.meta["val"]
        return torch.empty(value.shape, dtype=value.dtype)

    if node.target in _EMPTY:
        # To be written to. What happens to be there must not count for a range meanwhile.
        return torch.zeros(value_of(node).shape, dtype=value_of(node).dtype)
    args, kwargs = map_arg((node.args, node.kwargs), stand_in)
    return node.target(*args, **kwargs)  # type: ignore[operator]
