# SPDX-License-Identifier: BSD-3-Clause
"""Which nodes of a captured graph a user means by the name of a layer."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from mcugen.base.errors import ConfigError
from mcugen.export.provenance import layer_of

#: An error names no more of them.
_MOST_NAMES = 12


def is_meant(node: Any, pattern: str) -> bool:
    """Whether a node is of the layer, or within it, or has the name itself; * stands for any text.

    Code outside of modules, and inputs, are called by their nodes' names: "add_1", "x".
    """
    return any(fnmatchcase(name, pattern) for name in _names(node))


def nodes_meant(graph: Any, patterns: Iterable[str], *, option: str) -> dict[Any, str]:
    """Return the nodes that patterns name, each with the first pattern that does.

    Raises ConfigError for a pattern without any, naming the nearest layer.
    """
    nodes = [node for node in graph.nodes if node.op in ("call_function", "placeholder")]
    found: dict[Any, str] = {}
    for pattern in patterns:
        meant = [node for node in nodes if is_meant(node, pattern)]
        if not meant:
            raise _unknown(pattern, nodes, option)
        for node in meant:
            found.setdefault(node, pattern)
    return found


def _names(node: Any) -> Iterator[str]:
    yield node.name
    layer = layer_of(node)
    while layer:
        yield layer
        layer = layer.rpartition(".")[0]


def _unknown(pattern: str, nodes: list[Any], option: str) -> ConfigError:
    layers = list(dict.fromkeys(layer for node in nodes if (layer := layer_of(node))))
    known = layers or [node.name for node in nodes if node.op == "call_function"]
    every = list(dict.fromkeys(name for node in nodes for name in _names(node)))
    close = difflib.get_close_matches(pattern, every, n=1, cutoff=0.5)
    shown = ", ".join(known[:_MOST_NAMES]) + (", ..." if len(known) > _MOST_NAMES else "")
    return ConfigError(
        f"{option}: the model has no layer '{pattern}'"
        + (f"; did you mean '{close[0]}'?" if close else ""),
        hint=f"Its layers: {shown}. mcugen inspect MODEL --layers shows them all.",
    )
