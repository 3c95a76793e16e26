# SPDX-License-Identifier: BSD-3-Clause
"""`t[mask] = f(t[mask])`: how many elements are taken depends on the values, what comes out not."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, arguments_of, is_tensor, value_of

#: They may be written so because what they would give of other numbers is none.
_LIMITED = frozenset(
    getattr(ATEN, name).default
    for name in (
        *("acos", "acosh", "asin", "atanh", "exp", "log", "log10", "log1p", "log2", "logit"),
        *("reciprocal", "rsqrt", "sqrt"),
    )
) | {ATEN.div.Tensor, ATEN.pow.Tensor_Scalar, ATEN.pow.Tensor_Tensor, ATEN.pow.Scalar}
#: What all of them take.
_HARMLESS = 0.5
_CHECKS = (ATEN._assert_scalar.default, ATEN.sym_constrain_range_for_size.default)


def replace_masked_parts(module: GraphModule) -> None:
    """Compute for all elements what is written to some, and select by the mask.

    What else has a size that depends on values is left: lowering fails, and refusals.py says why.
    """
    editor = Editor(module)
    nodes = list(module.graph.nodes)
    if not any(map(_is_open, nodes)):
        return
    for node in nodes:
        if node.target is ATEN.index_put.default and not arguments_of(node)["accumulate"]:
            other = _selected(editor, node)
            if other is not None:
                editor.replace(node, other)
    for node in nodes:
        if node.target in _CHECKS:
            module.graph.erase_node(node)
    module.graph.eliminate_dead_code()
    module.recompile()


def _selected(editor: Editor, node: Node) -> Node | None:
    whole, indices, values = node.args[:3]
    if not isinstance(whole, Node) or len(indices) != 1 or not is_tensor(indices[0]):  # type: ignore[arg-type]
        return None
    mask = indices[0]  # type: ignore[index]
    if value_of(mask).dtype is not torch.bool or not _is_open(values):
        return None
    rank = value_of(whole).dim() - value_of(mask).dim()
    broad = mask
    if rank:
        broad = editor.call(node, ATEN.view.default, mask, [*value_of(mask).shape, *[1] * rank])
    chosen = _for_all(editor, node, whole, mask, values, rank, broad if _limited(values) else None)
    if chosen is None:
        return None
    return editor.call(node, ATEN.where.self, broad, chosen, whole)


def _limited(value: object) -> bool:
    """Whether a part is computed by a function that not all numbers have."""
    if not isinstance(value, Node) or not _is_open(value) or value.target is ATEN.index.Tensor:
        return False
    return value.target in _LIMITED or any(map(_limited, value.args))


def _for_all(
    editor: Editor,
    before: Node,
    whole: Node,
    mask: Node,
    value: Any,
    rank: int,
    only: Node | None,
) -> Any | None:
    """Return `value`, of the elements that `mask` takes, for all elements; None if it cannot be.

    Where `only` is false, a harmless number takes the place of an element.
    """
    if not isinstance(value, Node):
        return value
    if value.target is ATEN.index.Tensor:
        source, taken = value.args[0], value.args[1]
        same = len(taken) == 1 and _same(taken[0], mask)  # type: ignore[arg-type, index]
        if not same or value_of(source).shape != value_of(whole).shape:  # type: ignore[arg-type]
            return None
        if only is None:
            return source
        number = torch.tensor(_HARMLESS, dtype=value_of(source).dtype)  # type: ignore[arg-type]
        other = editor.constant(before, number)
        return editor.call(before, ATEN.where.self, only, source, other)
    if not _is_open(value):
        return value if value_of(value).dim() <= rank else None
    if torch.Tag.pointwise not in value.target.tags:  # type: ignore[union-attr]
        return None
    args = [_for_all(editor, before, whole, mask, each, rank, only) for each in value.args]
    if any(new is None and old is not None for new, old in zip(args, value.args, strict=True)):
        return None
    return editor.call(before, value.target, *args, **value.kwargs)


def _same(left: object, right: object) -> bool:
    """Whether two nodes compute the same from the same."""
    if left is right:
        return True
    if not isinstance(left, Node) or not isinstance(right, Node):
        return type(left) is type(right) and left == right
    if left.op != "call_function" or left.target is not right.target:
        return False
    if torch.Tag.nondeterministic_seeded in getattr(left.target, "tags", ()):
        return False
    return (
        left.kwargs == right.kwargs
        and len(left.args) == len(right.args)
        and all(map(_same, left.args, right.args))
    )


def _is_open(node: object) -> bool:
    """Whether the size of a tensor is not known."""
    return is_tensor(node) and any(
        not isinstance(size, int)
        for size in value_of(node).shape  # type: ignore[arg-type]
    )
