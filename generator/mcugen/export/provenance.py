# SPDX-License-Identifier: BSD-3-Clause
"""Where in the user's model a node of a graph comes from."""

from __future__ import annotations

from typing import Any

from mcugen.base.explain import source_line


def layer_of(node: Any) -> str:
    """Return the qualified name of the module a node comes from; "" for the model's own forward."""
    stack = node.meta.get("nn_module_stack") or {}
    path = list(stack.values())[-1][0] if stack else ""
    # Exported modules are wrapped: "L['self'].body.4" or "_modules.body" in some captures.
    return str(path).removeprefix("L['self']").removeprefix(".")


def line_of(node: Any) -> str | None:
    """Return where the user wrote what a node computes: "net.py, line 12"."""
    return source_line(node.meta.get("stack_trace"))


def place(layer: str, line: str | None) -> str:
    """Return "layer body.4 (net.py, line 12)"."""
    where = f"layer {layer}" if layer else "the model's own forward"
    return f"{where} ({line})" if line else where


def short_name(operator: str) -> str:
    """Return "aten.elu" for "aten.elu.default"."""
    return ".".join(operator.split(".")[:2])
