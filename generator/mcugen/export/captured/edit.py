# SPDX-License-Identifier: BSD-3-Clause
"""Put operators and constants into a captured graph, with what tracing would know about them."""

from __future__ import annotations

from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx import GraphModule, Node
from torch.fx.node import map_arg

ATEN = torch.ops.aten
#: Where a node comes from, for reports and observers.
_PROVENANCE = ("nn_module_stack", "stack_trace", "source_fn_stack", "torch_fn", "custom")


def value_of(node: Node) -> Any:
    """Return the fake tensor that a node gives; None for what gives none."""
    return node.meta.get("val")


def is_tensor(node: object) -> bool:
    """Whether `node` is one that gives a single tensor."""
    return isinstance(node, Node) and isinstance(value_of(node), torch.Tensor)


def is_float(node: object) -> bool:
    """Whether `node` gives a tensor of floating-point numbers."""
    return is_tensor(node) and value_of(node).is_floating_point()  # type: ignore[arg-type]


def arguments_of(node: Node) -> dict[str, Any]:
    """Return what an operator is called with, by the names of its schema and in that order.

    Defaults are filled in.
    """
    given: dict[str, Any] = {}
    for index, argument in enumerate(node.target._schema.arguments):  # type: ignore[union-attr]
        if index < len(node.args):
            given[argument.name] = node.args[index]
        elif argument.name in node.kwargs:
            given[argument.name] = node.kwargs[argument.name]
        elif argument.has_default_value():
            given[argument.name] = argument.default_value
    return given


class Editor:
    """Inserts in front of one node at a time; new nodes come from where that one does."""

    def __init__(self, module: GraphModule) -> None:
        self.module = module
        self.graph = module.graph
        self.mode = _fake_mode(module)
        self._constants = 0
        for node in self.graph.nodes:
            if node.op == "get_attr" and value_of(node) is None:
                self._keep_value(node)

    def call(self, before: Node, target: Any, *args: Any, **kwargs: Any) -> Node:
        """Insert a call of `target` in front of `before`."""
        with self.graph.inserting_before(before):
            node = self.graph.call_function(target, args, kwargs)
        node.meta.update({key: before.meta[key] for key in _PROVENANCE if key in before.meta})
        self.refresh(node)
        return node

    def constant(self, before: Node, value: torch.Tensor) -> Node:
        """Insert a constant in front of `before`."""
        while hasattr(self.module, f"_constant_{self._constants}"):
            self._constants += 1
        name = f"_constant_{self._constants}"
        # A parameter: torchao replaces weights by parameters of the same name.
        parameter = torch.nn.Parameter(value.detach().clone(), requires_grad=False)
        self.module.register_parameter(name, parameter)
        with self.graph.inserting_before(before):
            node = self.graph.get_attr(name)
        self._keep_value(node)
        return node

    def replace(self, node: Node, other: Node) -> None:
        """Put `other` in the place of `node`, which goes."""
        node.replace_all_uses_with(other)
        self.graph.erase_node(node)

    def replace_first(self, node: Node, other: Node) -> None:
        """Put `other` in the place of `node`, or of the first result of one that gives several."""
        if isinstance(value_of(node), torch.Tensor):
            self.replace(node, other)
            return
        for user in list(node.users):  # one getitem a result
            if user.args[1] == 0:
                self.replace(user, other)

    def refresh(self, node: Node) -> None:
        """Compute anew what `node` gives, from what its arguments give now."""
        if isinstance(node.target, torch._ops.HigherOrderOperator):
            return
        args, kwargs = map_arg((node.args, node.kwargs), lambda each: each.meta["val"])
        with self.mode, torch.no_grad():
            node.meta["val"] = node.target(*args, **kwargs)  # type: ignore[operator]
        node.meta.pop("tensor_meta", None)

    def attribute(self, node: Node) -> torch.Tensor:
        """Return the parameter or buffer of a get_attr node."""
        value: Any = self.module
        for part in str(node.target).split("."):
            value = getattr(value, part)
        return value.detach()

    def _keep_value(self, node: Node) -> None:
        value: Any = self.module
        for part in str(node.target).split("."):
            value = getattr(value, part)
        if isinstance(value, torch.Tensor):
            node.meta["val"] = self.mode.from_tensor(value.detach(), static_shapes=True)


def _fake_mode(module: GraphModule) -> FakeTensorMode:
    for node in module.graph.nodes:
        mode = getattr(value_of(node), "fake_mode", None)
        if mode is not None:
            return mode
    return FakeTensorMode(allow_non_fake_inputs=True)
