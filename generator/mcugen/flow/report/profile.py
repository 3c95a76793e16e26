# SPDX-License-Identifier: BSD-3-Clause
"""A profile as JSON and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcugen.flow.terminal import table

if TYPE_CHECKING:
    from mcugen.device.trace.profile import CallProfile, Profile
    from mcugen.flow.terminal import Painter
    from mcugen.program.call_facts import CallFacts, CallTensor

_BAR = 20  # characters of a call that takes all of it


def profile_section(profile: Profile, counted: int, resolution: float) -> dict[str, Any]:
    """Return the part of a document that a profile is.

    Args:
        counted: instructions by the device's own counter, of the same inference.
        resolution: instructions of one tick of that counter.
    """
    total = profile.instructions
    macs = sum(each.call.macs * each.runs for each in profile.calls)
    return {
        "by": "trace",
        "total": {
            "instructions": total,
            "counted_instructions": counted,
            "counter_resolution": resolution,
            "macs": macs,
            "macs_per_instruction": ratio(macs, total),
            "estimated_cycles": profile.estimated_cycles,
            "estimated_cycles_range": profile.cycles_range,
            "wait_cycles_at_least": profile.wait_cycles,
        },
        "cycle_model": ({"source": profile.cycle_model} if profile.cycle_model else None),
        "runtime": {
            "instructions": profile.runtime_instructions,
            "share": ratio(profile.runtime_instructions, total),
            "estimated_cycles": profile.runtime_cycles,
        },
        "calls": [_call(each, total) for each in profile.calls],
    }


def ratio(part: float, whole: float) -> float:
    """Return part / whole as documents have it; 0 of nothing."""
    return round(part / whole, 4) if whole else 0.0


def call_section(call: CallFacts, layer: str | None, runs: int) -> dict[str, Any]:
    """Return what a call is, whatever it takes."""
    return {
        "number": call.number,
        "layer": layer,
        "operator": call.operator,
        "runs": runs,
        "inputs": [_tensor(tensor) for tensor in call.inputs],
        "outputs": [_tensor(tensor) for tensor in call.outputs],
        "macs": call.macs * runs,
    }


def _call(each: CallProfile, total: int) -> dict[str, Any]:
    return {
        **call_section(each.call, each.layer, each.runs),
        "instructions": each.instructions,
        "macs_per_instruction": ratio(each.call.macs * each.runs, each.instructions),
        "share": ratio(each.instructions, total),
        "estimated_cycles": each.estimated_cycles,
        "wait_cycles_at_least": each.wait_cycles,
        "kernel": each.kernel,
        "functions": [{"name": name, "instructions": n} for name, n in each.functions],
    }


def _tensor(tensor: CallTensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "constant": tensor.constant,
    }


def profile_text(document: dict[str, Any], painter: Painter) -> str:
    """Return a profile document for people."""
    board, total, runtime = document["board"], document["total"], document["runtime"]
    head = (
        f"{document['model']['name']} on {board['name']} ({board['id']}, {board['cpu']}; "
        f"QEMU {board['qemu_machine']}, instructions of one inference by trace)"
    )
    estimated = total["estimated_cycles"] is not None
    header: tuple[str, ...] = (
        "layer",
        "operator",
        "output",
        "MACs",
        "instructions",
        "MAC/instr",
        "share",
        "",
    )
    header += ("estimated cycles",) if estimated else ()
    rows = []
    for each in document["calls"]:
        rows.append(_row(each, estimated))
    between: dict[str, Any] = {
        "layer": None,
        "operator": "(runtime, between the calls)",
        "outputs": [],
    }
    rows.append(_row({**between, "macs": 0, "kernel": None, **runtime}, estimated))
    everything: dict[str, Any] = {
        "layer": None,
        "operator": "(all)",
        "outputs": [],
        "share": 1.0,
        "kernel": None,
    }
    rows.append(_row({**everything, **total}, estimated))
    lines = [painter.paint(head, "bold"), "", table(rows, header=(*header, "kernel")), ""]
    if estimated:
        lines.append(
            f"  estimated cycles: {document['cycle_model']['source']}; no wait states. "
            "docs/performance.md says how far it may be off."
        )
        if total["wait_cycles_at_least"]:
            lines.append(
                f"  the flash of {board['id']} adds at least {total['wait_cycles_at_least']:,} "
                "cycles: instructions that its cache does not hold, constants read once"
            )
    lines.append(
        f"  the device counted {total['counted_instructions']:,} instructions, "
        f"in steps of {total['counter_resolution']:g}"
    )
    return "\n".join(lines)


def _row(each: dict[str, Any], estimated: bool) -> tuple[str, ...]:
    cycles = each["estimated_cycles"]
    return (
        *call_cells(each, each["instructions"]),
        *((f"{cycles:,}",) if estimated else ()),
        each["kernel"] or "",
    )


def call_cells(each: dict[str, Any], count: int) -> tuple[str, ...]:
    """Return a row's cells: layer, operator, output, MACs, count, MACs of each, share, bar."""
    macs, share = each["macs"], each["share"]
    name = each["operator"].removesuffix(".out").removesuffix(".default")
    return (
        each["layer"] or "",
        name + (f" x {each['runs']}" if each.get("runs", 1) != 1 else ""),
        " ".join("x".join(map(str, out["shape"])) for out in each["outputs"][:1]),
        f"{macs:,}" if macs else "",
        f"{count:,}",
        f"{macs / count:.2f}" if macs and count else "",
        f"{100 * share:.1f} %",
        "█" * round(_BAR * share) or "▏",
    )
