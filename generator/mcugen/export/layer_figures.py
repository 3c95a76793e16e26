# SPDX-License-Identifier: BSD-3-Clause
"""Measure what quantizing does to each layer. Imports torch.

The graph with its observers is run in PyTorch. An observer is a place where values are quantized:
with all of them passing values on as they are, the graph computes in float; with all of them
rounding, it computes what the quantized graph does; with those of one layer rounding, what that
layer alone costs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch.fx import Interpreter, Node
from torchao.quantization.pt2e.observer import PlaceholderObserver

from mcugen.export.layer_report import LayerFigures, QuantizationReport, advice
from mcugen.export.provenance import layer_of, line_of, short_name
from mcugen.export.quantization import QuantizationOptions

#: More samples than these make no other order of layers.
MOST_SAMPLES = 16
_FEWEST_SAMPLES = 2
#: Values that all runs may compute, so that they take about a twentieth of what quantizing does.
_MOST_VALUES = 30_000_000
#: What one node costs beside its values, in terms of them.
_NODE_VALUES = 10_000
#: Of a layer's values, to say how wide a range 99.9 % of them need.
_KEPT_VALUES = 2048
_SHARE = 0.999


@dataclass(frozen=True)
class Rounding:
    """How an observer's values are quantized."""

    scale: torch.Tensor  #: one, or one for each index of `axis`
    zero_point: torch.Tensor
    low: int
    high: int
    axis: int | None

    def integers(self, x: torch.Tensor) -> torch.Tensor:
        """Return x in steps, before they are cut off at the ends: float32, whole numbers."""
        scale, zero_point = self._shaped(x)
        return torch.round(x / scale) + zero_point

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return x as its integers have it."""
        scale, zero_point = self._shaped(x)
        return (self.integers(x).clamp(self.low, self.high) - zero_point) * scale

    def _shaped(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.axis is None:
            return self.scale, self.zero_point
        shape = [1] * x.dim()
        shape[self.axis] = -1
        return self.scale.reshape(shape), self.zero_point.reshape(shape)


@dataclass
class _Sums:
    """Of one layer, over all samples."""

    signal: float = 0.0
    chained: float = 0.0
    alone: float = 0.0
    effects: list[float] = field(default_factory=list)  #: by output
    count: int = 0
    clipped: int = 0
    at_limits: int = 0
    kept: list[torch.Tensor] = field(default_factory=list)
    channels: torch.Tensor | None = None  #: the largest absolute value of each


@dataclass
class _Layer:
    """Nodes that end in one whose values have a range."""

    node: Node
    observers: list[Node]  #: behind that node
    weights: list[Node]  #: observers of weights and biases that its nodes take
    inner: set[Node]  #: its nodes
    rounding: Rounding
    sums: _Sums = field(default_factory=_Sums)


class PreparedRun(Interpreter):
    """A prepared graph, each of whose observers rounds or does not.

    Attributes:
        rounds: the observers' nodes that do.
    """

    def __init__(self, prepared: Any) -> None:
        super().__init__(prepared, garbage_collect_values=False)
        modules = {
            node: prepared.get_submodule(node.target)
            for node in prepared.graph.nodes
            if node.op == "call_module"
        }
        self.observers: dict[Node, Any] = {
            node: module for node, module in modules.items() if hasattr(module, "calculate_qparams")
        }
        self.rounds: set[Node] = set()
        self._kept: dict[int, Rounding | None] = {}

    def rounding(self, node: Node) -> Rounding | None:
        """Return how an observer rounds; None: not so that it would matter (biases, floats)."""
        observer = self.observers[node]
        if id(observer) not in self._kept:
            self._kept[id(observer)] = _rounding(observer)
        return self._kept[id(observer)]

    def run_node(self, n: Node) -> Any:
        """Run one node; an observer rounds, or passes on."""
        if n not in self.observers:
            return super().run_node(n)
        value = self.env[n.args[0]]
        rounding = self.rounding(n) if n in self.rounds else None
        return value if rounding is None else rounding(value)

    def outputs(self, sample: Sequence[torch.Tensor], rounds: Iterable[Node] = ()) -> list[Any]:
        """Return the flat outputs with the observers `rounds` rounding; `env` has the values."""
        self.rounds = set(rounds)
        with torch.no_grad():
            return torch.utils._pytree.tree_leaves(self.run(*sample))

    def again(
        self, env: dict[Node, Any], start: Iterable[Node], rounds: Iterable[Node]
    ) -> list[Any]:
        """Return the flat outputs of a run that is `env` but for what comes from `start`."""
        self.rounds = set(rounds)
        self.env = dict(env)
        changed = set(start)
        outputs: list[Any] = []
        with torch.no_grad():
            for node in self.module.graph.nodes:
                if node in changed or not changed.isdisjoint(node.all_input_nodes):
                    changed.add(node)
                    self.env[node] = outputs = self.run_node(node)
        return torch.utils._pytree.tree_leaves(outputs)


def _rounding(observer: Any) -> Rounding | None:
    observer = getattr(observer, "activation_post_process", observer)
    if hasattr(observer, "obs_or_fqs") or isinstance(observer, PlaceholderObserver):
        return None  # of biases: 32 bits round nothing away
    scale, zero_point = observer.calculate_qparams()
    limits = torch.iinfo(observer.dtype)
    low = limits.min if observer.quant_min is None else observer.quant_min
    high = limits.max if observer.quant_max is None else observer.quant_max
    axis = observer.ch_axis if scale.numel() > 1 else None
    return Rounding(scale.detach().float(), zero_point.detach().float(), low, high, axis)


def measure_layers(
    prepared: Any,
    samples: Sequence[tuple[torch.Tensor, ...]],
    options: QuantizationOptions,
    calibrated_with: int,
) -> QuantizationReport:
    """Return the figures of each layer of a calibrated graph, worst first.

    Args:
        prepared: what `prepare_pt2e` made, and its observers have seen samples.
        samples: inputs as the graph takes them; no more than MOST_SAMPLES are used.
        options: that it was quantized with.
        calibrated_with: samples that the observers have seen.
    """
    run = PreparedRun(prepared)
    layers = _layers(run)
    most = _MOST_VALUES // (_values(prepared.graph) * (len(layers) // 2 + 3))
    samples = samples[: max(_FEWEST_SAMPLES, min(MOST_SAMPLES, most))]
    signals: list[float] = []
    for sample in samples:
        _add_sample(run, layers, sample, signals)
    described = [_described(layer, signals) for layer in layers]
    described.sort(key=lambda each: (_rank(each.effect_db), _rank(each.alone_db)))
    return QuantizationReport(
        options,
        len(samples),
        tuple(
            replace(each, advice=tuple(advice(each, options, calibrated_with)))
            if each.telling
            else each
            for each in described
        ),
    )


def _values(graph: Any) -> int:
    """Return what a run costs, in values that it computes."""
    values = [node.meta.get("val") for node in graph.nodes]
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    return sum(value.numel() for value in tensors) + _NODE_VALUES * len(values)


def _rank(decibels: float | None) -> float:
    return math.inf if decibels is None else decibels


def _layers(run: PreparedRun) -> list[_Layer]:
    """Return the layers, in the order of the graph; those that only hand a range on are none."""
    weights = {node for node in run.observers if node.args[0].op == "get_attr"}
    ends: dict[Node, list[Node]] = {}
    for node in run.observers:
        if node not in weights:
            ends.setdefault(node.args[0], []).append(node)
    layers = []
    ranges: set[int] = set()
    for end, observers in ends.items():
        inner = _inner(run, end, ends)
        taken = [each for node in inner for each in node.all_input_nodes if each in weights]
        known = all(id(run.observers[node]) in ranges for node in observers)
        ranges.update(id(run.observers[node]) for node in observers)
        rounding = run.rounding(observers[0])
        if rounding is not None and (taken or not known):
            layers.append(_Layer(end, observers, taken, inner, rounding))
    return layers


def _inner(run: PreparedRun, end: Node, ends: dict[Node, list[Node]]) -> set[Node]:
    """Return a node with those in front of it whose values have no range."""
    found, todo = set(), [end]
    while todo:
        node = todo.pop()
        found.add(node)
        todo += [
            each
            for each in node.all_input_nodes
            if each.op == "call_function"
            and each not in run.observers
            and each not in ends
            and each not in found
        ]
    return found


def _add_sample(
    run: PreparedRun, layers: list[_Layer], sample: tuple[torch.Tensor, ...], signals: list[float]
) -> None:
    real = _floats(run.outputs(sample))
    env = run.env
    signals[:] = [
        before + _power(value)
        for before, value in zip(signals or [0.0] * len(real), real, strict=True)
    ]
    run.outputs(sample, run.observers)
    chained = run.env
    for layer in layers:
        own = [*layer.observers, *layer.weights]
        start = layer.weights or [layer.observers[0]]
        outputs = _floats(run.again(env, [*start, *layer.observers], own))
        sums = layer.sums
        effects = sums.effects or [0.0] * len(real)
        sums.effects = [
            before + _noise(want, got)
            for before, want, got in zip(effects, real, outputs, strict=True)
        ]
        value = env[layer.node]
        sums.signal += _power(value)
        sums.alone += _noise(value, run.env[layer.observers[0]])
        sums.chained += _noise(value, chained[layer.observers[0]])
        _add_values(layer, value)


def _add_values(layer: _Layer, value: torch.Tensor) -> None:
    sums, rounding = layer.sums, layer.rounding
    finite = value.detach().flatten()
    finite = finite[torch.isfinite(finite)]
    steps = rounding.integers(finite)
    sums.count += finite.numel()
    sums.clipped += int(((steps < rounding.low) | (steps > rounding.high)).sum())
    sums.at_limits += int(((steps <= rounding.low) | (steps >= rounding.high)).sum())
    stride = max(1, finite.numel() // _KEPT_VALUES)
    sums.kept.append(finite[::stride].abs())
    axis = 1 if value.dim() == 4 else value.dim() - 1
    if value.dim() > 1 and value.shape[axis] > 1 and bool(torch.isfinite(value).all()):
        largest = value.detach().abs().movedim(axis, 0).flatten(1).amax(1)
        sums.channels = largest if sums.channels is None else torch.maximum(sums.channels, largest)


def _described(layer: _Layer, signals: Sequence[float]) -> LayerFigures:
    sums, rounding, node = layer.sums, layer.rounding, layer.node
    scale, zero_point = float(rounding.scale), int(rounding.zero_point)
    low, high = ((end - zero_point) * scale for end in (rounding.low, rounding.high))
    kept = torch.cat(sums.kept) if sums.kept else torch.zeros(1)
    most = float(kept.quantile(_SHARE)) if kept.numel() else 0.0
    effects = [_decibels(*pair) for pair in zip(signals, sums.effects, strict=True)]
    ordered = [each for each in node.graph.nodes if each in layer.inner]
    named = _named(layer)
    compute = [
        short_name(str(each.target)).removeprefix("aten.").removeprefix("mcugen.")
        for each in ordered
        if each.op == "call_function"
    ]
    ratio, channel = _channel_ratio(sums.channels)
    return LayerFigures(
        layer=layer_of(named),
        node=node.name,
        operators="+".join(compute) or "input",
        line=line_of(named),
        low=low,
        high=high,
        scale=scale,
        zero_point=zero_point,
        bits=(rounding.high - rounding.low).bit_length(),
        clipped=_share(sums.clipped, sums.count),
        at_limits=_share(sums.at_limits, sums.count),
        sqnr_db=_decibels(sums.signal, sums.chained),
        alone_db=_decibels(sums.signal, sums.alone),
        effect_db=min(effects, key=_rank, default=None),
        outlier_ratio=round(max(abs(low), abs(high)) / most, 2) if most > 0 else 1.0,
        channel_ratio=ratio,
        channel=channel,
    )


def _named(layer: _Layer) -> Node:
    """Return the node that a layer is called by: the one with weights, else the one at its end."""
    takers = {user for weight in layer.weights for user in weight.users}
    ordered = (each for each in layer.node.graph.nodes if each in layer.inner)
    return next((each for each in ordered if each in takers), layer.node)


def followers(prepared: Any) -> dict[str, tuple[str, ...]]:
    """Return the names of the layers that take each layer's values, by its name."""
    layers = _layers(PreparedRun(prepared))
    names = {id(layer): layer_of(_named(layer)) or layer.node.name for layer in layers}
    within = {node: names[id(layer)] for layer in layers for node in layer.inner}
    return {
        names[id(layer)]: tuple(dict.fromkeys(_taking(layer.observers, within))) for layer in layers
    }


def _taking(observers: Iterable[Node], within: Mapping[Node, str]) -> Iterator[str]:
    todo = list(observers)
    for node in todo:
        for user in node.users:
            if user in within:
                yield within[user]
            elif user not in todo:
                todo.append(user)


def _channel_ratio(channels: torch.Tensor | None) -> tuple[float, int | None]:
    if channels is None:
        return 1.0, None
    middle = float(channels[channels > 0].median()) if bool((channels > 0).any()) else 0.0
    ratio = float(channels.max()) / middle if middle > 0 else 1.0
    return round(ratio, 2), int(channels.argmax())


def _floats(values: Iterable[Any]) -> list[torch.Tensor]:
    return [
        value
        for value in values
        if isinstance(value, torch.Tensor) and value.dtype.is_floating_point
    ]


def _power(value: torch.Tensor) -> float:
    value = value.detach().to(torch.float64)
    return float((value[torch.isfinite(value)] ** 2).sum())


def _noise(want: torch.Tensor, got: torch.Tensor) -> float:
    apart = want.detach().to(torch.float64) - got.detach().to(torch.float64)
    return float((apart[torch.isfinite(apart)] ** 2).sum())


def _decibels(signal: float, noise: float) -> float | None:
    """Return the ratio; None where there is nothing to compare."""
    if noise == 0 or signal == 0:
        return None
    return round(10 * math.log10(signal / noise), 2)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
