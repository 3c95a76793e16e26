# SPDX-License-Identifier: BSD-3-Clause
"""The suite's document as Markdown: docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mcugen.cli.suite.cases import cases
from mcugen.cli.suite.compared import floors, published
from mcugen.device.trace.timings import TIMINGS

_FIGURES = {
    "instructions": "instructions",
    "estimated_cycles": "estimated cycles",
    "ram_bytes": "RAM",
    "engine_bytes": "engine flash",
}
#: Cores whose layers are listed one by one.
_DETAILED = ("cortex-m4", "cortex-m55")


def performance_page(document: dict[str, Any]) -> str:
    """Return docs/performance.md for a document of `bench --suite`."""
    cells = document["cells"]
    parts = [
        _text("performance_head.md").format(
            toolchain=document["toolchain"],
            qemu=document["qemu"],
            published=document["published"]["source"],
        ),
        _missing(cells),
        _goals(document),
        *(_core(cpu, cells) for cpu in dict.fromkeys(cell["cpu"] for cell in cells)),
        _silicon(cells),
        *(_layers(cell) for cell in cells if cell["cpu"] in _DETAILED and cell["fits"]),
        _estimate(cells),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def summary(document: dict[str, Any]) -> str:
    """Return the main table and the goals for a terminal: Markdown, too."""
    cells = document["cells"]
    cores = dict.fromkeys(cell["cpu"] for cell in cells)
    parts = [*(_core(cpu, cells) for cpu in cores), _goals(document)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def _missing(cells: Sequence[dict[str, Any]]) -> str:
    """Return what of the whole suite a narrower run has not measured."""
    measured = {(cell["network"], cell["board"], cell["level"]) for cell in cells}
    left = [
        f"{each.network} on {each.board.id}"
        for each in cases(None, None)
        if (each.network, each.board.id, each.level) not in measured
    ]
    return f"**Not measured in this run:** {', '.join(left)}.\n" if left else ""


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1) -> str:
    """Return a table; the first `texts` columns are words, the others numbers."""
    marks = ["---"] * texts + ["--:"] * (len(header) - texts)
    lines = [header, marks, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _goals(document: dict[str, Any]) -> str:
    goals = document["goals"]
    if not goals:
        return ""
    met = sum(goal["met"] for goal in goals)
    rows = [
        (
            goal["cpu"],
            goal["level"],
            _FIGURES[goal["figure"]],
            goal["network"],
            _number(goal["goal"]),
            _number(goal["value"]),
            _ratio(goal["value"] / goal["goal"]),
            "met" if goal["met"] else "**not met**",
        )
        for goal in goals
    ]
    header = ("CPU", "--optimize", "figure", "network", "goal, at most", "is", "of it", "")
    table = f"## Goals: {met} of {len(goals)} met\n\n" + _table(header, rows, texts=4)
    missed = {_kind(goal) for goal in goals if not goal["met"]}
    notes = [f"- {each['text']}\n" for each in floors() if _kind(each) in missed]
    return (
        table
        + ("\nWhere a goal is not met, and how far it could go:\n\n" if notes else "")
        + ("".join(notes))
    )


def _kind(goal: dict[str, Any]) -> tuple[str, str, str]:
    return goal["cpu"], goal["level"], goal["figure"]


def _core(cpu: str, cells: Sequence[dict[str, Any]]) -> str:
    mine = [cell for cell in cells if cell["cpu"] == cpu]
    header = (
        *("board", "network", "--optimize", "instructions", "estimated cycles", "MAC/instruction"),
        *("published", "ratio", "RAM", "planned", "method", "temp", "static", "I/O", "stack"),
        *("engine", "model", "flash"),
    )
    rows = []
    misfits = []
    for cell in mine:
        head = (cell["board"], cell["network"], cell["level"])
        if not cell["fits"]:
            misfits.append(f"{cell['network']} does not fit {cell['board']}: {cell['reason']}.\n")
            continue
        ram, flash = cell["ram"], cell["flash"]
        rows.append(
            (
                *head,
                _number(cell["instructions"]),
                _number(cell["estimated_cycles"]),
                _ratio(cell["macs_per_instruction"]),
                _number(cell["published_instructions"]),
                _ratio(cell["ratio"]),
                _number(cell["ram_bytes"]),
                *(_number(ram[f"{role}_bytes"]) for role in ("planned", "method", "temp")),
                _number(ram["static_ram_bytes"]),
                _number(ram["io_bytes"]),
                _number(ram["stack_peak_bytes"]),
                *(_number(flash[part]) for part in ("engine", "model", "flash")),
            )
        )
    text = f"## {cpu.replace('cortex-m', 'Cortex-M').replace('plus', '+')}\n\n"
    if rows:
        text += _table(header, rows, texts=3)
    return "\n".join([text, *misfits])


#: Published cycles on silicon of cores that we have an estimate for.
_SILICON = {
    "cortex-m0plus": {"bosch_hale_g0b1_m0plus": "Bosch HALE, G0B1"},
    "cortex-m4": {
        "x_cube_ai_9_l4r5_m4": "X-CUBE-AI 9, L4R5",
        "plumerai_l4r5_m4": "Plumerai, L4R5",
        "microtvm_cmsis_nn_l4r5_m4": "microTVM + CMSIS-NN, L4R5",
    },
    "cortex-m7": {"x_cube_ai_9_h7a3_m7": "X-CUBE-AI 9, H7A3"},
    "cortex-m33": {"x_cube_ai_9_u575_m33": "X-CUBE-AI 9, U575"},
}


def _silicon(cells: Sequence[dict[str, Any]]) -> str:
    """Return our estimates beside others' cycles on silicon: different things."""
    measured = published()["published_silicon_cycles"]
    rows = []
    for cell in cells:
        others = _SILICON.get(cell["cpu"], {})
        if not cell["fits"] or cell["estimated_cycles"] is None:
            continue
        for key, name in others.items():
            theirs = measured[key][cell["network"]]
            rows.append(
                (
                    cell["cpu"],
                    cell["network"],
                    name,
                    _number(theirs),
                    _number(cell["estimated_cycles"]),
                    _ratio(cell["estimated_cycles"] / theirs),
                )
            )
    if not rows:
        return ""
    header = ("CPU", "network", "stack and part", "cycles on silicon", "our estimate", "ratio")
    return (
        "## Beside cycles on silicon\n\n"
        f"{measured['source']}. Theirs are measured, with the wait states of the part; ours are "
        "estimated without: no more than an order.\n\n" + _table(header, rows, texts=3)
    )


def _layers(cell: dict[str, Any]) -> str:
    header = (
        *("layer", "operator", "kernel", "MACs", "instructions", "MAC/instruction", "share"),
        *("estimated cycles", "published", "ratio"),
    )
    rows = []
    for call in cell["calls"]:
        theirs = call["published_instructions"]
        rows.append(
            (
                call["layer"] or "",
                f"`{call['operator'].removesuffix('.out')}`",
                f"`{call['kernel']}`" if call["kernel"] else "",
                _number(call["macs"]) if call["macs"] else "",
                _number(call["instructions"]),
                _ratio(call["macs_per_instruction"]) if call["macs"] else "",
                f"{100 * call['share']:.1f} %",
                _number(call["estimated_cycles"]),
                _number(theirs),
                _ratio(call["instructions"] / theirs) if theirs else "",
            )
        )
    title = f"### {cell['network']} on {cell['board']}, {cell['level']}, layer by layer"
    return f"{title}\n\n" + _table(header, rows, texts=3)


def _estimate(cells: Sequence[dict[str, Any]]) -> str:
    cores = "\n".join(f"- {cpu}: {timings.source}." for cpu, timings in TIMINGS.items())
    bounds = ", ".join(
        f"{cell['network']} on {cell['cpu']} {low:,} to {high:,}"
        for cell in cells
        if cell["fits"] and cell["estimated_cycles_range"]
        for low, high in [cell["estimated_cycles_range"]]
        if low != high
    )
    text = _text("performance_cycles.md")
    return text.format(
        cores="\n" + cores, bounds=bounds or "not measured here", plausible=_plausible(cells)
    )


def _plausible(cells: Sequence[dict[str, Any]]) -> str:
    """Return how cores compare in the estimate, and on silicon with one and the same stack."""
    measured = published()["published_silicon_cycles"]
    ours = {
        (cell["cpu"], cell["network"]): cell["estimated_cycles"] for cell in cells if cell["fits"]
    }
    parts = []
    for (cpu, network), cycles in ours.items():
        base = ours.get(("cortex-m4", network))
        key = {"cortex-m7": "x_cube_ai_9_h7a3_m7", "cortex-m33": "x_cube_ai_9_u575_m33"}.get(cpu)
        if base and key:
            theirs = measured[key][network] / measured["x_cube_ai_9_l4r5_m4"][network]
            parts.append(
                f"{network} on {cpu} takes {cycles / base:.2f} of Cortex-M4's cycles here, "
                f"{theirs:.2f} with X-CUBE-AI 9"
            )
    return "; ".join(parts) or "not measured here"


def _text(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
