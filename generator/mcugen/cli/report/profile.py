# SPDX-License-Identifier: BSD-3-Clause
"""A profile as JSON and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcugen.cli.terminal import table

if TYPE_CHECKING:
    from mcugen.cli.terminal import Terminal
    from mcugen.device.trace.profile import CallProfile, Profile
    from mcugen.program.call_facts import CallTensor

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
        "total": {
            "instructions": total,
            "counted_instructions": counted,
            "counter_resolution": resolution,
            "macs": macs,
            "macs_per_instruction": _ratio(macs, total),
            "estimated_cycles": profile.estimated_cycles,
        },
        "cycle_model": (
            {"source": profile.cycle_model, "wait_states": 0} if profile.cycle_model else None
        ),
        "runtime": {
            "instructions": profile.runtime_instructions,
            "share": _ratio(profile.runtime_instructions, total),
            "estimated_cycles": profile.runtime_cycles,
        },
        "calls": [_call(each, total) for each in profile.calls],
    }


def _ratio(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _call(each: CallProfile, total: int) -> dict[str, Any]:
    return {
        "number": each.call.number,
        "layer": each.layer,
        "operator": each.call.operator,
        "runs": each.runs,
        "inputs": [_tensor(tensor) for tensor in each.call.inputs],
        "outputs": [_tensor(tensor) for tensor in each.call.outputs],
        "macs": each.call.macs * each.runs,
        "instructions": each.instructions,
        "macs_per_instruction": _ratio(each.call.macs * each.runs, each.instructions),
        "share": _ratio(each.instructions, total),
        "estimated_cycles": each.estimated_cycles,
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


def profile_text(document: dict[str, Any], terminal: Terminal) -> str:
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
    lines = [terminal.paint(head, "bold"), "", table(rows, header=(*header, "kernel")), ""]
    if estimated:
        lines.append(
            f"  estimated cycles: {document['cycle_model']['source']}; no wait states. "
            "docs/performance.md says how far it may be off."
        )
    lines.append(
        f"  the device counted {total['counted_instructions']:,} instructions, "
        f"in steps of {total['counter_resolution']:g}"
    )
    return "\n".join(lines)


def _row(each: dict[str, Any], estimated: bool) -> tuple[str, ...]:
    macs, share = each["macs"], each["share"]
    name = each["operator"].removesuffix(".out").removesuffix(".default")
    cycles = each["estimated_cycles"]
    return (
        each["layer"] or "",
        name + (f" x {each['runs']}" if each.get("runs", 1) != 1 else ""),
        " ".join("x".join(map(str, out["shape"])) for out in each["outputs"][:1]),
        f"{macs:,}" if macs else "",
        f"{each['instructions']:,}",
        f"{macs / each['instructions']:.2f}" if macs and each["instructions"] else "",
        f"{100 * share:.1f} %",
        "█" * round(_BAR * share) or "▏",
        *((f"{cycles:,}",) if estimated else ()),
        each["kernel"] or "",
    )
