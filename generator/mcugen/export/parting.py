# SPDX-License-Identifier: BSD-3-Clause
"""Where a `.pte` parts from the quantized graph it was lowered from.

The graph is run in PyTorch on the program's own values: what a call of the program computed takes
the place of what the node it comes from did. So each node is compared given the same operands, an
error shows where it is made and nowhere behind it, and one step is all that rounding explains.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from mcugen.export.lowering_report import LoweringReport, OperatorReport
from mcugen.export.provenance import line_of, short_name
from mcugen.export.quantized_run import QuantizedRun
from mcugen.program.values import numbered_calls

#: What one operator may be off by: it rounds once, and so does the graph; half a step each, and
#: fixed-point arithmetic on top (softmax and tables).
_STEPS = 2
#: The root mean square of a tensor that is off by one throughout is 1; that of roundings that fall
#: the other way now and then, even in one case of four (means of two, or a rescaling that rounds
#: once before and once after its shift by one), is 0.5.
_RMS_STEPS = 0.75
#: What rounding explains of values that say nothing of each other.
_ROUNDED_SHARE = 0.25
#: How unlikely more has to be, as a natural logarithm: eight values, all of them off, are enough.
_TELLING = 9.0
#: Of a tensor's largest value: float operators sum in another order.
_FLOAT_TOLERANCE = 1e-3
#: Of comparisons whose operands are equal up to rounding.
_UNEQUAL = 0.02

#: What each call of the program had in its planned tensors when it was done: by the position of
#: the instruction, then by the value's index.
Trace = Mapping[int, Mapping[int, torch.Tensor]]


@dataclass(frozen=True)
class Parting:
    """The first place at which a program computes something else than its graph."""

    source: str  #: operator of the traced model, "aten.relu"; several if they are fused
    layer: str  #: the model's module; "" for its own forward
    line: str | None  #: of the user's source: 'net.py, line 12'
    operator: str  #: of the program
    difference: str  #: in words
    certain: bool  #: whether it is sure which call stands for which node


@dataclass
class _Site:
    """A node of the graph, the call that stands for it, and how far the two are apart."""

    call: int  #: position of the instruction
    result: int  #: index of the value that the call computes
    report: OperatorReport
    calls: int  #: calls since the last site: each may round
    certain: bool
    fused: list[torch.fx.Node]  #: the nodes that the call stands for
    operands: list[tuple[torch.fx.Node, int]]  #: dequantized operand and the program's value
    foreign: torch.fx.Node | None = None  #: an operand that is another in the program
    largest: float = 0.0
    count: int = 0
    unequal: int = 0
    #: Sum of squares and count by channel and value, of values that are not at a limit of int8.
    cells: dict[tuple[int, int], tuple[float, int]] = field(default_factory=dict)
    peak: float = 0.0
    kind: str = "float"


def match_calls(plan: Any, report: LoweringReport) -> dict[int, OperatorReport]:
    """Return the report's line of each call, by instruction; nothing if they do not go together."""
    calls = [
        (position, name)
        for position, name, _ in numbered_calls(plan)
        if not name.startswith("executorch_prim::")
    ]
    if [name for _, name in calls] != [line.operator for line in report.operators]:
        return {}
    return {position: line for (position, _), line in zip(calls, report.operators, strict=True)}


def first_parting(
    run: QuantizedRun,
    plan: Any,
    report: LoweringReport,
    samples: Iterable[tuple[tuple[torch.Tensor, ...], Trace]],
) -> Parting | None:
    """Return where the program first parts from the graph, None where that cannot be told.

    Args:
        run: of the quantized graph.
        plan: the program's.
        report: of its lowering.
        samples: inputs as the graph takes them, and what each call of the program made of them.
    """
    sites = _sites(run, plan, match_calls(plan, report))
    starts = {site.fused[0].name: site for site in sites.values()}
    for inputs, trace in samples:

        def replace(node: torch.fx.Node, value: Any, trace: Trace = trace) -> Any:
            start = starts.get(node.name)
            if start is not None and start.foreign is None:
                start.foreign = _foreign_operand(run, start, trace)
            site = sites.get(node.name)
            if site is None:
                return value
            got = trace[site.call][site.result]
            _compare(site, value, got)
            return got.to(value.dtype)

        run.replace = replace
        try:
            run.outputs(inputs)
        finally:
            run.replace = None
    for node in run.module.graph.nodes:
        site = sites.get(node.name)
        difference = _difference(site) if site is not None else None
        if site is not None and difference is not None:
            return _parting(site, difference)
    return None


def _parting(site: _Site, difference: str) -> Parting:
    """Return what is wrong: the call, or what made one of its operands without a call."""
    nodes = site.fused if site.foreign is None else [site.foreign]
    names = [short_name(str(node.target)) for node in nodes]
    stack = nodes[0].meta.get("nn_module_stack") or {}
    layer = list(stack.values())[-1][0].removeprefix("L['self'].") if stack else ""
    return Parting(
        source=" and ".join(dict.fromkeys(names)),
        layer=layer if site.foreign is not None else site.report.layer,
        line=line_of(nodes[0]),
        operator=site.report.operator if site.foreign is None else "a view of the same memory",
        difference=difference,
        certain=site.certain and site.kind == "steps",
    )


def _foreign_operand(run: QuantizedRun, site: _Site, trace: Trace) -> torch.fx.Node | None:
    """Return the node behind an operand that holds something else in the program.

    What calls computed is put into the graph, so this is the work of what is no call: a view.
    """
    for node, index in site.operands:
        got = trace[site.call].get(index)
        if got is None or node not in run.env:
            continue
        scale, zero_point = node.args[1], node.args[2]
        want = torch.round(run.env[node] / scale) + zero_point
        if float((got.to(want.dtype) - want).abs().max()) > _STEPS:
            source = node.args[0].args[0]
            return source if source.op == "call_function" else None
    return None


def _sites(run: QuantizedRun, plan: Any, reports: Mapping[int, OperatorReport]) -> dict[str, _Site]:
    """Return which node of the graph each call can be compared with."""
    nodes = {node.name: node for node in run.module.graph.nodes}
    made_of = Counter(line.node for line in reports.values())
    sites: dict[str, _Site] = {}
    calls = 0
    for position, _, args in numbered_calls(plan):
        calls += 1
        line = reports.get(position)
        out = plan.values[args[-1]].val
        if line is None or line.node not in nodes or type(out).__name__ != "Tensor":
            continue
        fused = [nodes[line.node]]
        if int(out.scalar_type) in (0, 1, 2) and not run.is_quantize(fused[0]):
            fused = _quantized_behind(run, fused[0])
        elif made_of[line.node] > 1:
            continue  # which of the calls has its result cannot be told
        if not fused or _shape(fused[-1]) != tuple(out.sizes):
            continue
        # Of several calls made of one node, or fused with it, the last has the result.
        earlier = sites.pop(fused[-1].name, None)
        sites[fused[-1].name] = _Site(
            call=position,
            result=args[-1],
            report=line,
            calls=calls + (earlier.calls if earlier else 0),
            certain=earlier is None and made_of[line.node] == 1,
            fused=[node for node in fused if not run.is_quantize(node)] or fused,
            operands=_operands(run, fused[0], plan, args),
        )
        calls = 0
    return sites


def _quantized_behind(run: QuantizedRun, node: torch.fx.Node) -> list[torch.fx.Node]:
    """Return `node`, what is fused into it, and the node that quantizes the result; or nothing."""
    fused = [node]
    while True:
        for user in node.users:
            if run.is_quantize(user):
                return [*fused, user]
        if len(node.users) != 1:
            return []
        (node,) = node.users
        if node.op != "call_function" or run.is_dequantize(node):
            return []
        fused.append(node)


def _operands(
    run: QuantizedRun, node: torch.fx.Node, plan: Any, args: Sequence[int]
) -> list[tuple[torch.fx.Node, int]]:
    """Return the quantized operands of a node beside the program's, if it is clear which is which.

    Weights are constants, on both sides.
    """
    ours = [
        each
        for each in node.all_input_nodes
        if run.is_dequantize(each) and run.is_quantize(each.args[0])
    ]
    theirs = [
        index
        for index in dict.fromkeys(args[:-1])
        if type(tensor := plan.values[index].val).__name__ == "Tensor"
        and tensor.allocation_info is not None
        and int(tensor.scalar_type) == 1
        and index != args[-1]
    ]
    shapes = [tuple(plan.values[index].val.sizes) for index in theirs]
    if [_shape(each) for each in ours] != shapes:
        return []
    return list(zip(ours, theirs, strict=True))


def _shape(node: torch.fx.Node) -> tuple[int, ...] | None:
    value = node.meta.get("val")
    return tuple(value.shape) if isinstance(value, torch.Tensor) else None


def _compare(site: _Site, value: torch.Tensor, got: torch.Tensor) -> None:
    """Add one sample's difference."""
    apart = (got.to(torch.float64) - value.to(torch.float64)).abs().flatten()
    if not apart.numel():
        return
    if value.dtype in (torch.int8, torch.uint8, torch.int16):
        site.kind = "steps"
    elif not value.dtype.is_floating_point:
        site.kind = "equal"
    apart = apart.nan_to_num(0.0, posinf=0.0) if site.kind == "float" else apart
    site.largest = max(site.largest, float(apart.max()))
    site.count += apart.numel()
    site.unequal += int((apart != 0).sum())
    if site.kind == "steps":
        _add_to_cells(site, value, apart)
    finite = value.to(torch.float64).nan_to_num(0.0, 0.0, 0.0)
    site.peak = max(site.peak, float(finite.abs().max()))


def _add_to_cells(site: _Site, value: torch.Tensor, apart: torch.Tensor) -> None:
    """Add one sample's squares to those of its channels' values.

    A layer that sees next to nothing gives each channel one value at most places: all of these
    round alike, so they count once.
    """
    channels = torch.zeros_like(value, dtype=torch.int64)
    if value.ndim > 1:
        axis = 1 if value.ndim == 4 else value.ndim - 1  # images are [N, C, H, W]
        along = [1] * value.ndim
        along[axis] = -1
        channels = channels + torch.arange(value.shape[axis]).reshape(along)
    value = value.to(torch.int64)
    inside = ((value > -128) & (value < 127)).flatten()  # what is cut off stays, shifted or not
    keys = torch.stack([channels.flatten()[inside], value.flatten()[inside]], 1)
    if not len(keys):
        return
    cells, positions = keys.unique(dim=0, return_inverse=True)
    squares = torch.bincount(positions, apart[inside] ** 2, minlength=len(cells))
    counts = torch.bincount(positions, minlength=len(cells))
    for key, square, count in zip(cells.tolist(), squares.tolist(), counts.tolist(), strict=True):
        before = site.cells.get((key[0], key[1]), (0.0, 0))
        site.cells[key[0], key[1]] = (before[0] + square, before[1] + count)


def _is_off_throughout(site: _Site, rms: float) -> bool:
    """Return whether so many values that are off are no chance, if one in four may be.

    The logarithm of the chance is bounded by Chernoff's bound, the number of values times the
    relative entropy of the two shares.
    """
    if rms <= _RMS_STEPS * site.calls:
        return False
    share = min((rms / site.calls) ** 2, 1.0)
    entropy = share * math.log(share / _ROUNDED_SHARE)
    if share < 1.0:
        entropy += (1.0 - share) * math.log((1.0 - share) / (1.0 - _ROUNDED_SHARE))
    return len(site.cells) * entropy > _TELLING


def _difference(site: _Site) -> str | None:
    """Return how far a call is from its node, None if rounding explains it."""
    if not site.count:
        return None
    if site.kind == "equal":
        share = site.unequal / site.count
        return f"{100 * share:.0f} % of its values differ" if share > _UNEQUAL else None
    means = [square / count for square, count in site.cells.values()]
    rms = (sum(means) / max(len(means), 1)) ** 0.5
    if site.kind == "float":
        if site.largest <= _FLOAT_TOLERANCE * site.peak:
            return None
        return f"off by up to {site.largest:.3g}, with values up to {site.peak:.3g}"
    if site.largest <= _STEPS * site.calls and not _is_off_throughout(site, rms):
        return None
    return f"off by up to {site.largest:.0f} steps of 255, {rms:.1f} rms"
