# SPDX-License-Identifier: BSD-3-Clause
"""Which ranges recurrent layers take and give. Imports torch."""

from __future__ import annotations

import operator
from typing import Any

import torch
from executorch.backends.cortex_m.quantizer.pattern_matcher import PatternMatcher
from executorch.backends.cortex_m.quantizer.quantization_configs import (
    INT8_PER_TENSOR_CONFIG,
    INT8_WEIGHT_PER_CHANNEL_QSPEC,
)
from executorch.backends.cortex_m.quantizer.quantizer import mark_node_as_annotated
from executorch.backends.cortex_m.quantizer_reporter import QuantizerInfo, QuantizerReporterUser
from torch.fx import Node
from torchao.quantization.pt2e import MinMaxObserver
from torchao.quantization.pt2e.quantizer import (
    QuantizationSpec,
    Quantizer,
    SharedQuantizationSpec,
)

from mcugen.export.captured.edit import is_float
from mcugen.export.captured.recurrent import VIEWS, hands_on
from mcugen.export.recurrent_operators import GATES

_KINDS = {getattr(torch.ops.mcugen, kind).default: kind for kind in GATES}


class PowerOfTwoObserver(MinMaxObserver):  # type: ignore[misc]  # torchao has no types
    """Has the smallest scale 2**-15 * 2**n that its values fit int16 with; n = 0 … 15."""

    def calculate_qparams(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scale, and the zero point 0."""
        most = torch.maximum(self.min_val.abs(), self.max_val.abs())
        # Never looked at: torch's limits of an empty range are infinite.
        most = torch.where(torch.isfinite(most), most, torch.ones_like(most))
        # 1 itself is the value next to it: gates come that near and no nearer.
        bits = torch.ceil(torch.log2(most.clamp(min=2.0**-15))).clamp(0, 15)
        return torch.exp2(bits - 15), torch.zeros((), dtype=torch.int64)


#: Of states on their way from one inference to the next.
STATE_SPEC = QuantizationSpec(
    dtype=torch.int16,
    observer_or_fake_quant_ctr=PowerOfTwoObserver,
    quant_min=-32768,
    quant_max=32767,
    qscheme=torch.per_tensor_symmetric,
)


class RecurrentRanges(Quantizer, QuantizerReporterUser):  # type: ignore[misc]
    """int8 for sequences, int8 per row for weights, int16 for states.

    A state that comes in has the range of the state that goes out: what was given can be given
    back as it is, byte by byte.
    """

    def __init__(self) -> None:
        super().__init__()
        QuantizerReporterUser.__init__(self)

    def get_quantizer_info(self) -> Any:
        """Return what a report says about this quantizer."""
        return QuantizerInfo(
            type(self).__name__, "recurrent layers", "int8, int16 states", __name__
        )

    def annotate(self, model: Any) -> Any:
        """Annotate every recurrent layer, and what its states come through and go through."""
        layers = [
            node
            for node in model.graph.nodes
            if node.op == "call_function"
            and node.target in _KINDS
            and not node.meta.get(PatternMatcher.Q_PATTERN_MATCHED_KEY)  # kept in float
        ]
        paths = _StatePaths()
        for layer in layers:
            paths.add_layer(layer)
        specs = paths.specs({node: at for at, node in enumerate(model.graph.nodes)})
        for layer in layers:
            self._annotate_layer(layer, specs)
        for node in paths.nodes:
            self._annotate_path(node, specs)
        return model

    def validate(self, model: Any) -> None:
        """Nothing is refused."""

    def _annotate_layer(self, layer: Node, specs: _Specs) -> None:
        arguments = _arguments(layer)
        inputs: dict[Any, Any] = {
            arguments["input"]: INT8_PER_TENSOR_CONFIG.get_input_act_qspec(),
            arguments["weight_ih"]: INT8_WEIGHT_PER_CHANNEL_QSPEC,
            arguments["weight_hh"]: INT8_WEIGHT_PER_CHANNEL_QSPEC,
        }
        for state in _states(layer):
            if state is not None:
                inputs[state] = specs[state, layer]
        self._mark(layer, inputs, None)
        for user in layer.users:
            assert user.target is operator.getitem
            if user.args[1] == 0:
                self._mark(user, {}, INT8_PER_TENSOR_CONFIG.get_output_act_qspec())
            else:
                self._mark(user, {}, specs[user])

    def _annotate_path(self, node: Node, specs: _Specs) -> None:
        """Annotate an input, a view or the program's output, before others do it."""
        if node.op == "output":
            other = INT8_PER_TENSOR_CONFIG.get_input_act_qspec()
            inputs = {
                each: specs.get((each, node), other)
                for each in node.all_input_nodes
                if is_float(each)
            }
            self._mark(node, inputs, None)
        else:
            inputs = {each: specs[each, node] for each in node.all_input_nodes}
            self._mark(node, inputs, specs[node])

    def _mark(self, node: Node, inputs: dict[Any, Any], output: Any) -> None:
        mark_node_as_annotated(node, inputs, output, True)
        # The others take whatever has no such mark.
        node.meta[PatternMatcher.Q_PATTERN_MATCHED_KEY] = True
        self.report_accept([node])


def _arguments(layer: Node) -> dict[str, Any]:
    names = [each.name for each in layer.target._schema.arguments]  # type: ignore[union-attr]
    return dict(zip(names, layer.args, strict=True))


def _states(layer: Node) -> list[Any]:
    """Return the state and the cell that a layer starts with, None for zeros."""
    arguments = _arguments(layer)
    return [arguments[name] for name in ("hidden", "cell") if name in arguments]


#: What has a range: what a node gives, or what it gives to one of its users.
_Place = Any  # Node | tuple[Node, Node]
_Specs = dict[_Place, Any]


class _StatePaths:
    """The ways of states through a graph; what hangs together has one range."""

    def __init__(self) -> None:
        self.nodes: dict[Node, None] = {}  #: on the ways, but for the layers; in order
        self._group: dict[_Place, set[_Place]] = {}

    def add_layer(self, layer: Node) -> None:
        """Follow the states of a layer back to where they come from, and to where they go."""
        items = {user.args[1]: user for user in layer.users}
        for index, state in enumerate(_states(layer), 1):
            item = items.get(index)
            if state is not None:
                self._back((state, layer))
            if item is not None:
                self._join(item, item)
                self._forth(item)
            if state is not None and item is not None:
                self._join((state, layer), item)

    def specs(self, order: dict[Node, int]) -> _Specs:
        """Return the specification of each place: that of the first one, which the others share."""

        def when(place: _Place) -> tuple[int, int]:
            if isinstance(place, tuple):
                return order[place[1]], order[place[0]]
            return order[place], -1

        found: _Specs = {}
        for group in self._group.values():
            first = min(group, key=when)
            for place in group:
                found[place] = STATE_SPEC if place == first else SharedQuantizationSpec(first)
        return found

    def _join(self, a: _Place, b: _Place) -> None:
        group = self._group.get(a, {a}) | self._group.get(b, {b})
        for place in group:
            self._group[place] = group

    def _back(self, edge: tuple[Node, Node]) -> None:
        self._join(edge, edge)
        source = edge[0]
        if source.op == "placeholder" or source.target in VIEWS:
            self._join(edge, source)
            self._visit(source)
        elif source.target is operator.getitem and source.args[0].target in _KINDS:  # type: ignore[union-attr]
            self._join(edge, source)

    def _visit(self, node: Node) -> None:
        if node in self.nodes:
            return
        self.nodes[node] = None
        for source in node.all_input_nodes:
            self._join((source, node), node)
            self._back((source, node))

    def _forth(self, node: Node) -> None:
        for user in node.users:
            if user.op == "output":
                self._join(node, (node, user))
                self.nodes[user] = None
            elif user.target in VIEWS and hands_on(user):
                self._join(node, (node, user))
                self._visit(user)
                self._forth(user)
