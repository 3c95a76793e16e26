# SPDX-License-Identifier: BSD-3-Clause
"""What a user chooses for single layers: float, or how its range is found. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from executorch.backends.cortex_m.quantizer.pattern_matcher import PatternMatcher
from executorch.backends.cortex_m.quantizer.quantizer import mark_node_as_annotated
from executorch.backends.cortex_m.quantizer_reporter import QuantizerInfo, QuantizerReporterUser
from torch.fx import Node
from torchao.quantization.pt2e.quantizer import Quantizer

from mcugen.export.layer_names import nodes_meant
from mcugen.export.observers import ActivationObserver
from mcugen.export.quantization import QuantizationOptions


class FloatLayers(Quantizer, QuantizerReporterUser):  # type: ignore[misc]  # no types there
    """Leaves the layers named in float; to be the first of several quantizers."""

    def __init__(self, patterns: Sequence[str]) -> None:
        super().__init__()
        QuantizerReporterUser.__init__(self)
        self.patterns = patterns
        self.nodes: dict[Node, str] = {}  #: what was left, and the pattern that it is named by

    def get_quantizer_info(self) -> Any:
        """Return what a report says about this quantizer."""
        return QuantizerInfo(type(self).__name__, "layers kept in float", "float", __name__)

    def annotate(self, model: Any) -> Any:
        """Mark their nodes, so that none of the others takes them. Inputs are no layers."""
        meant = nodes_meant(model.graph, self.patterns, option="--float-layer")
        self.nodes = {node: name for node, name in meant.items() if node.op == "call_function"}
        for node in self.nodes:
            mark_node_as_annotated(node, {}, None, False)
            node.meta[PatternMatcher.Q_PATTERN_MATCHED_KEY] = True
        return model

    def validate(self, model: Any) -> None:
        """Nothing is refused."""


def choose_methods(graph: Any, observers: Mapping[Any, Any], options: QuantizationOptions) -> None:
    """Tell each observer of activations the method for the layer that it stands behind.

    Args:
        graph: a captured graph.
        observers: by node, for what it gives, and by (node, user), for what a user takes.
        options: of the model.
    """
    names = [name for name, _ in options.layer_methods]
    methods = dict(reversed(options.layer_methods))
    meant = nodes_meant(graph, names, option="--layer-method")
    chosen: set[int] = set()
    # Nodes first: an observer that a node shares with its users is the node's.
    for place in sorted(observers, key=lambda each: isinstance(each, tuple)):
        observer = observers[place]
        # Those that train a model have the observer within.
        observer = getattr(observer, "activation_post_process", observer)
        if not isinstance(observer, ActivationObserver) or id(observer) in chosen:
            continue
        name = _first_meant(place[0] if isinstance(place, tuple) else place, meant, observers)
        if name is not None:
            observer.method = methods[name]
            chosen.add(id(observer))
        else:
            observer.method = options.method


def _first_meant(end: Any, meant: Mapping[Any, str], observers: Mapping[Any, Any]) -> str | None:
    """Return the name that a node goes by, or one of those that are fused with it in front."""
    todo = [end]
    for node in todo:
        if node in meant:
            return meant[node]
        todo += [
            each
            for each in node.all_input_nodes
            if each.op == "call_function" and each not in observers and each not in todo
        ]
    return None
