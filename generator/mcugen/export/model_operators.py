# SPDX-License-Identifier: BSD-3-Clause
"""What became of each operator of the user's model. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mcugen.export.advice import advice
from mcugen.export.operators_traced import CapturedNode, OperatorReport, TracedOperator
from mcugen.export.provenance import place

#: Between int8 and float: what they cost belongs to what is float, but they are no kernels of it.
EDGES = ("cortex_m::quantize_per_tensor.out", "cortex_m::dequantize_per_tensor.out")
#: Weighty operators: what stands behind one is computed with it, not the other way around.
_LAYERS = ("conv", "linear", "addmm", "bmm", "matmul", "pool", "add", "mul", "mean", "lstm", "gru")
#: Targets in a captured graph that give the bytes they take.
_VIEWS = (
    *("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "alias", "clone"),
    *("getitem", "expand", "slice", "select", "permute", "transpose", "detach", "split", "chunk"),
    *("dropout", "contiguous", "_to_copy", "to", "t", "_unsafe_view", "movedim", "unbind"),
)


class Fate(StrEnum):
    """Where an operator of the user's model ended up."""

    INT8 = "int8"  #: kernels on integers
    FLOAT = "float"  #: at least one kernel on float32
    FUSED = "fused"  #: in another operator's kernel
    VIEW = "view"  #: nothing to do: the same bytes, or bytes that the next kernel reads otherwise
    CONSTANT = "constant"  #: depends on no input: computed when the program was made
    UNUSED = "unused"  #: nothing that the model returns depends on it


@dataclass(frozen=True)
class ModelOperator:
    """One operator of the user's model, and what became of it."""

    operator: str  #: as torch.export names it, "aten.conv2d"
    layer: str  #: the model's module, "body.4"; "" for its own forward
    line: str | None  #: of the user's source: "net.py, line 12"
    fate: Fate
    calls: tuple[int, ...]  #: its calls in the program: indices of LoweringReport.operators
    #: The operators it ended up in, "cortex_m::quantized_conv2d.out"; copies if it is nothing else.
    kernels: tuple[str, ...]
    within: str | None  #: where FUSED: whose kernel computes it
    reason: str | None  #: why it is float
    advice: str | None  #: what would make it int8

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> ModelOperator:
        """Rebuild what `dataclasses.asdict` gave, once it was JSON."""
        lists = {name: tuple(document[name]) for name in ("calls", "kernels")}
        return cls(**{**document, **lists, "fate": Fate(document["fate"])})

    @property
    def where(self) -> str:
        """Return "layer body.4 (net.py, line 12)"."""
        return place(self.layer, self.line)


def model_operators(
    traced: Sequence[TracedOperator],
    captured: Sequence[CapturedNode],
    reports: Sequence[OperatorReport],
) -> tuple[ModelOperator, ...]:
    """Return the fate of each traced operator.

    Args:
        traced: of the user's model, in order.
        captured: nodes of the graph that was quantized.
        reports: calls of the final program, in order.
    """
    origin = {node.name: node.origin for node in captured}
    calls: dict[str, list[int]] = {each.name: [] for each in traced}
    for index, report in enumerate(reports):
        name = origin.get(report.node, "")
        if name in calls:
            calls[name].append(index)
    targets: dict[str, list[str]] = {}
    for node in captured:
        targets.setdefault(node.origin, []).append(_base(node.target))
    found = []
    for each in traced:
        own = calls[each.name]
        kernels = [reports[i] for i in own if reports[i].operator not in EDGES]
        in_float = [report for report in kernels if not report.int8]
        within: TracedOperator | None = None
        if in_float:
            fate = Fate.FLOAT
        elif own:
            fate = Fate.INT8
        elif not each.used:
            fate = Fate.UNUSED
        elif not each.varies:
            fate = Fate.CONSTANT
        elif _is_view(each, targets.get(each.name, [])):
            fate = Fate.VIEW
        else:
            within = _fused_into(each, traced, calls)
            fate = Fate.FUSED if within is not None else Fate.VIEW
        shown = calls[within.name] if within is not None else own
        names = dict.fromkeys(
            reports[i].operator for i in shown if reports[i].operator not in EDGES
        )
        working = [name for name in names if not _only_moves(name)]
        first = _own_reason(in_float)
        found.append(
            ModelOperator(
                operator=each.operator,
                layer=each.layer,
                line=each.line,
                fate=fate,
                calls=tuple(own),
                kernels=tuple(working or names),
                within=f"{within.operator} in {place(within.layer, within.line)}"
                if within is not None
                else None,
                reason=first.reason if first else None,
                advice=(advice(each.operator) or advice(first.source)) if first else None,
            )
        )
    return tuple(found)


def _own_reason(reports: Sequence[OperatorReport]) -> OperatorReport | None:
    """Return the one of several float calls that says most: what was not quantized itself."""
    ranked = sorted(reports, key=lambda each: "was left in float" in (each.reason or ""))
    return ranked[0] if ranked else None


def _only_moves(operator: str) -> bool:
    return "_copy." in operator or "clone" in operator or operator == "cortex_m::transpose.out"


def _base(target: str) -> str:
    """Return "conv2d" for "aten.conv2d.default"."""
    if target.startswith("<"):
        return target.split()[-1].rstrip(">")
    return target.split(".")[1] if "." in target else target


def _is_view(each: TracedOperator, targets: Sequence[str]) -> bool:
    names = targets or [_base(each.operator)]
    return all(name in _VIEWS for name in names)


def _fused_into(
    each: TracedOperator, traced: Sequence[TracedOperator], calls: dict[str, list[int]]
) -> TracedOperator | None:
    """Return the nearest operator with a kernel: behind a layer, else before anything else."""
    by_name = {other.name: other for other in traced}
    users: dict[str, list[str]] = {}
    for other in traced:
        for producer in other.producers:
            users.setdefault(producer, []).append(other.name)
    ways = [lambda name: by_name[name].producers, lambda name: users.get(name, ())]
    if any(word in each.operator for word in _LAYERS):
        ways.reverse()
    for way in ways:
        seen, pending = {each.name}, list(way(each.name))
        while pending:
            name = pending.pop(0)
            if name in seen:
                continue
            seen.add(name)
            if calls[name]:
                return by_name[name]
            pending += way(name)
    return None
