# SPDX-License-Identifier: BSD-3-Clause
"""Which operator of the user's model a node of the captured graph comes from.

Operators are marked as torch.export wrote them, before anything is taken apart or rewritten; the
mark goes with every node that is made of them.
"""

from __future__ import annotations

from typing import Any

import torch

from mcugen.export.operators_traced import CapturedNode, TracedOperator
from mcugen.export.provenance import layer_of, line_of

#: The key of node.meta that torch hands on wherever it makes one node of another.
CUSTOM = "custom"
_MARK = "mcugen_operator"


def mark_operators(program: Any) -> tuple[TracedOperator, ...]:
    """Return the operators of a traced program in order, each marked on its node."""
    inputs = set(program.graph_signature.user_inputs)
    used = _used(program.graph)
    found: list[TracedOperator] = []
    behind: dict[Any, set[str]] = {}  # of a node, the operators that its value comes straight from
    varies: dict[Any, bool] = {}
    for node in program.graph.nodes:
        varies[node] = node.name in inputs or any(varies[each] for each in node.all_input_nodes)
        sources: set[str] = set().union(*(behind[each] for each in node.all_input_nodes))
        if not isinstance(node.target, torch._ops.OpOverload):
            behind[node] = sources  # an item of a tuple, a parameter
            continue
        behind[node] = {node.name}
        node.meta[CUSTOM] = {**(node.meta.get(CUSTOM) or {}), _MARK: node.name}
        found.append(
            TracedOperator(
                name=node.name,
                operator=".".join(str(node.target).split(".")[:2]),
                layer=layer_of(node),
                line=line_of(node),
                producers=tuple(sorted(sources)),
                varies=varies[node],
                used=node in used,
            )
        )
    return tuple(found)


def _used(graph: torch.fx.Graph) -> set[Any]:
    """Return the nodes that the graph's outputs may depend on."""
    if any(getattr(getattr(n.target, "_schema", None), "is_mutable", False) for n in graph.nodes):
        return set(graph.nodes)  # what is written through a view is read elsewhere
    used: set[Any] = set()
    pending = [graph.output_node()]
    while pending:
        node = pending.pop()
        if node not in used:
            used.add(node)
            pending += node.all_input_nodes
    return used


def captured_nodes(module: torch.fx.GraphModule) -> tuple[CapturedNode, ...]:
    """Return the operators of a captured graph, and which of the user's each belongs to."""
    return tuple(
        CapturedNode(node.name, str(node.target), (node.meta.get(CUSTOM) or {}).get(_MARK, ""))
        for node in module.graph.nodes
        if node.op == "call_function"
    )
