# SPDX-License-Identifier: BSD-3-Clause
"""What became of the user's operators: as JSON, as the block that shouts, as the whole list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcugen.export.model_operators import EDGES
from mcugen.flow.terminal import table

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec
    from mcugen.export.lowering_report import LoweringReport
    from mcugen.flow.terminal import Painter
    from mcugen.program.artifact import PteArtifact

#: Rows of the block; the others are counted.
_MOST_ROWS = 10
_FLOAT = "float"


def lowering_section(
    lowering: LoweringReport,
    exported: PteArtifact,
    board: BoardSpec,
    dropped: tuple[int, ...] = (),
) -> dict[str, Any]:
    """Return the report as JSON, with about what each operator costs on the board.

    Args:
        lowering: as the exporter wrote it.
        exported: the program before it was prepared for the board.
        board: whose core it runs on.
        dropped: calls that were found to only copy, and are not made.
    """
    from mcugen.program.cost_estimate import estimated_instructions

    costs = list(estimated_instructions(exported, board.isa, fpu=board.fpu is not None))
    section = lowering.to_json()
    if len(costs) != len(section["operators"]):  # a `.pte` with calls that are no kernels
        costs = [0] * len(section["operators"])
    for call in dropped:
        if call < len(costs):
            costs[call] = 0
    total = sum(costs)
    for call, cost in zip(section["operators"], costs, strict=True):
        call["estimated_instructions"] = cost
    for each in section["model_operators"]:
        each["estimated_instructions"] = sum(costs[call] for call in each["calls"])
        each["share"] = _share(each["estimated_instructions"], total)
        if each["calls"] and set(each["calls"]) <= set(dropped):
            each |= {"fate": "view", "kernels": []}
    in_float = sum(
        cost
        for call, cost in zip(section["operators"], costs, strict=True)
        if not call["int8"] or (call["operator"] in EDGES and not call["source"])
    )
    rows, count = float_rows(section), operator_count(section)
    section["summary"] = {
        "operators": count,
        "float_operators": len(rows),
        "estimated_instructions": total,
        "float_share": _share(in_float, total) if rows else 0.0,
    }
    return section


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def float_rows(section: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the user's operators that run in float, dearest first; of a `.pte`, its calls."""
    if section["model_operators"]:
        rows = [each for each in section["model_operators"] if each["fate"] == _FLOAT]
        return sorted(rows, key=lambda each: -each.get("estimated_instructions", 0))
    return [call for call in section["operators"] if not call["int8"]]


def operator_count(section: dict[str, Any]) -> int:
    """Return of how many operators those are a part: what depends on no input does not count."""
    known = section["model_operators"]
    if known:
        return sum(each["fate"] not in ("constant", "unused") for each in known)
    return sum(call["operator"] not in EDGES for call in section["operators"])


def float_summary(section: dict[str, Any]) -> str | None:
    """Return "3 of 41 operators run in float, about 62 % of the instructions (estimated)"."""
    rows = float_rows(section)
    if not rows:
        return None
    what = "1 operator runs" if len(rows) == 1 else f"{len(rows)} operators run"
    text = f"{what} in float, of {operator_count(section)}"
    summary = section.get("summary")
    if summary and summary["estimated_instructions"]:
        text += f": about {100 * summary['float_share']:.0f} % of the instructions, by estimate"
    return text


def float_lines(section: dict[str, Any], painter: Painter) -> list[str]:
    """Return the block that shouts; nothing where all is int8."""
    summary = float_summary(section)
    if summary is None:
        return []
    lines = ["", painter.paint(f"  {summary}", "yellow")]
    rows = float_rows(section)
    for each in rows[:_MOST_ROWS]:
        share = each.get("share")
        part = f", about {100 * share:.0f} %" if share is not None else ""
        lines.append(f"    {each['operator']} in {_where(each)}{part}")
        if each["reason"]:
            lines.append(f"      why: {each['reason']}")
        if each.get("advice"):
            lines.append(f"      try: {each['advice']}")
    if len(rows) > _MOST_ROWS:
        lines.append(f"    and {len(rows) - _MOST_ROWS} more: mcugen inspect --operators")
    return lines


def change_lines(section: dict[str, Any]) -> list[str]:
    """Return what was changed in the model, each kind once with its layers."""
    kinds: dict[str, list[str]] = {}
    for each in section["changes"]:
        kinds.setdefault(each["what"], []).append(each["layer"])
    lines = []
    for what, layers in kinds.items():
        named = [each for each in dict.fromkeys(layers) if each]
        shown = ", ".join(named[:4]) + (", …" if len(named) > 4 else "")
        times = f" x {len(layers)}" if len(layers) > 1 else ""
        lines.append(f"{what}{times}" + (f" ({shown})" if shown else ""))
    return lines


def operators_lines(section: dict[str, Any], painter: Painter) -> list[str]:
    """Return every operator of the user's model, where it ended up, and every change."""
    rows = []
    for each in section["model_operators"]:
        fate = each["fate"]
        kernels = ", ".join(kernel.removesuffix(".out") for kernel in each["kernels"])
        ended = {
            "fused": f"in {kernels}" if kernels else "in another kernel",
            "view": "nothing to do",
            "constant": "computed when made",
            "unused": "not used",
        }.get(fate, kernels)
        share = each["share"]
        rows.append(
            (
                each["operator"],
                each["layer"] or "-",
                each["line"] or "-",
                painter.paint(fate, "yellow") if fate == _FLOAT else fate,
                ended,
                f"{100 * share:.1f} %" if share else "",
            )
        )
    header = ("operator", "layer", "source", "runs as", "kernel", "about")
    lines = ["", table(rows, header=header)] if rows else []
    if rows:
        lines.append("  about: a share of the instructions, estimated; mcugen profile counts them")
    if section["changes"]:
        lines += ["", "Changed without changing the function:"]
        for each in section["changes"]:
            where = _where(each) if each["layer"] or each["line"] else "the whole model"
            lines.append(f"  {each['what']}: {where}: {each['why']}")
    return lines


def _where(each: dict[str, Any]) -> str:
    from mcugen.export.provenance import place

    return place(each["layer"], each["line"])
