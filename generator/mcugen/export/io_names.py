# SPDX-License-Identifier: BSD-3-Clause
"""What the user's code calls a model's inputs and outputs. Imports torch."""

from __future__ import annotations

from typing import Any


def input_names(program: Any) -> list[str]:
    """Return the names of forward()'s arguments, in order; `*rest` is "rest_0", "rest_1", ….

    program: a torch.export.ExportedProgram.
    """
    return [str(name) for name in program.graph_signature.user_inputs]


def output_names(program: Any) -> list[str | None]:
    """Return where in forward()'s result each output stands; None where only its place is known.

    The value of a dict is named by its key, that of a named tuple by its field, what lies deeper by
    all of them and its place: "boxes", "boxes_0".
    """
    from torch.utils import _pytree

    spec = program.call_spec.out_spec
    result = _pytree.tree_unflatten(list(range(spec.num_leaves)), spec)
    paths = [path for path, _ in _pytree.tree_flatten_with_path(result)[0]]
    return [_joined(path) for path in paths]


def with_plain_outputs(graph: Any) -> None:
    """Let a captured graph return dicts in the place of named tuples and of a user's own classes.

    Those cannot be written to a `.pte`; their fields' names become keys, so that they are kept.
    """
    from torch.utils import _pytree

    code = graph.graph._codegen
    info = getattr(code, "pytree_info", None)
    if info is None or info.out_spec is None:
        return
    result = _pytree.tree_unflatten(list(range(info.out_spec.num_leaves)), info.out_spec)
    plain = _pytree.tree_structure(_plain(result))
    code.pytree_info = info._replace(out_spec=plain)
    graph.recompile()


def _plain(value: Any) -> Any:
    """Return a tree of tuples, lists and dicts only, with the same leaves in the same order."""
    from torch.utils import _pytree

    if type(value) in (tuple, list):
        return type(value)(_plain(each) for each in value)
    if type(value) is dict:
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: _plain(each) for name, each in zip(value._fields, value, strict=True)}
    node = _pytree.SUPPORTED_NODES.get(type(value))
    if node is None:
        return value
    if node.flatten_with_keys_fn is None:
        return tuple(_plain(each) for each in node.flatten_fn(value)[0])
    return {_part(key): _plain(each) for key, each in node.flatten_with_keys_fn(value)[0]}


def _part(key: Any) -> Any:
    return getattr(key, "key", getattr(key, "name", getattr(key, "idx", "")))


def _joined(path: tuple[Any, ...]) -> str | None:
    parts = [_part(key) for key in path]
    named = any(isinstance(part, str) for part in parts)
    return "_".join(str(part) for part in parts) if named else None
