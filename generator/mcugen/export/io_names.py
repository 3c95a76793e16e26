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


def _joined(path: tuple[Any, ...]) -> str | None:
    parts = [getattr(key, "key", getattr(key, "name", getattr(key, "idx", ""))) for key in path]
    named = any(isinstance(part, str) for part in parts)
    return "_".join(str(part) for part in parts) if named else None
