# SPDX-License-Identifier: BSD-3-Clause
"""The times of a program's calls, by the device's counter, as JSON and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcugen.flow.report.documents import timing_section
from mcugen.flow.report.hardware import clock_text
from mcugen.flow.report.profile import call_cells, call_section, ratio
from mcugen.flow.terminal import table

if TYPE_CHECKING:
    from mcugen.device.call_times import CallTime, CallTimes
    from mcugen.flow.terminal import Painter


def call_times_section(times: CallTimes) -> dict[str, Any]:
    """Return the part of a document that the times of calls are.

    What is counted, cycles or instructions, is a key; the other is not there.
    """
    unit = times.timing.counter
    total = times.timing.median
    macs = sum(each.call.macs for each in times.calls)
    return {
        "by": "counter",
        "timing": timing_section(times.timing),
        "counting": round(times.counting, 1),
        "counter_resolution": times.resolution,
        "total": {unit: total, "macs": macs, _per(unit): ratio(macs, total)},
        "runtime": {unit: times.other, "share": ratio(times.other, total)},
        "calls": [_call(each, unit, total) for each in times.calls],
    }


def _per(unit: str) -> str:
    return f"macs_per_{unit.removesuffix('s')}"


def _call(each: CallTime, unit: str, total: int) -> dict[str, Any]:
    return {
        **call_section(each.call, each.layer, runs=1),
        unit: each.median,
        f"{unit}_min": min(each.counts),
        f"{unit}_max": max(each.counts),
        _per(unit): ratio(each.call.macs, each.median),
        "share": ratio(each.median, total),
    }


def call_times_text(document: dict[str, Any], painter: Painter) -> str:
    """Return a document of the times of calls for people."""
    board, timing = document["board"], document["timing"]
    unit = timing["counter"]
    counter = {"dwt": "DWT", "systick": "SysTick"}.get(timing["counter_kind"], "its counter")
    where = f"QEMU {board['qemu_machine']}; " if board["simulated"] else ""
    clock = f"{clock_text(board)} ({board['clock_source']})"
    head = (
        f"{document['model']['name']} on {board['name']} ({board['id']}, {board['cpu']}; "
        f"{where}{unit} measured by {counter} at {clock}, median of {timing['runs']} runs)"
    )
    rows = [_row(each, unit) for each in document["calls"]]
    none: dict[str, Any] = {"layer": None, "outputs": [], "macs": 0, "form": None}
    rest = {**none, "operator": "(between the calls)", **document["runtime"]}
    everything = {**none, "operator": "(all)", "share": 1.0, **document["total"]}
    everything |= {f"{unit}_min": timing["min"], f"{unit}_max": timing["max"]}
    header = ("layer", "operator", "output", "MACs", unit, f"MAC/{unit.removesuffix('s')}")
    lines = [
        painter.paint(head, "bold"),
        "",
        table(
            [*rows, _row(rest, unit), _row(everything, unit)],
            header=(*header, "share", "", "spread", "form"),
        ),
        "",
        f"  reading the counter took {document['counting']:,g} {unit} a call, which are "
        "subtracted; the runtime's way to a call is in the call",
    ]
    if timing["latency_us"] is not None:
        lines.append(f"  one inference: {timing['latency_us']:,.1f} us")
    if document["counter_resolution"] != 1:
        lines.append(f"  the counter counts in steps of {document['counter_resolution']:g} {unit}")
    return "\n".join(lines)


def _row(each: dict[str, Any], unit: str) -> tuple[str, ...]:
    count = each[unit]
    least, most = each.get(f"{unit}_min"), each.get(f"{unit}_max")
    spread = f"{100 * (most - least) / count:.1f} %" if count and least is not None else ""
    return (*call_cells(each, count), spread, each["form"] or "")
