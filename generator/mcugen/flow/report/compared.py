# SPDX-License-Identifier: BSD-3-Clause
"""The document of `compare` for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcugen.flow.terminal import table

if TYPE_CHECKING:
    from mcugen.flow.terminal import Painter


def compared_text(document: dict[str, Any], painter: Painter) -> str:
    """Return a table of what has changed for each device, and what is not as allowed."""
    parts: list[str] = []
    for device in document["devices"]:
        parts += [_device(device, painter), ""]
    parts += [_missing(name, painter) for name in document["missing"]]
    parts += [f"{name}: new, not compared" for name in document["new"]]
    outside = sum(not each["within"] for each in document["devices"]) + len(document["missing"])
    count = len(document["devices"]) + len(document["missing"])
    policy = document["policy"] or "the usual policy"
    words = (
        f"{count - outside} of {count} devices are as {policy} allows"
        if outside
        else f"all is as {policy} allows"
    )
    return "\n".join([*parts, painter.paint(words, "red" if outside else "green")])


def failure_text(document: dict[str, Any]) -> str:
    """Return what is not as allowed, a line each."""
    lines = [f"{name}: no result any more" for name in document["missing"]]
    for device in document["devices"]:
        if device["second"]["outcome"] == "failed":
            lines.append(f"{device['id']}: its tests failed")
        lines += [
            f"{device['id']}: {row['name']} {_number(row['first'])} → {_number(row['second'])}"
            f"{_percent(row)}; allowed: {row['rule']}"
            for row in device["figures"]
            if not row["within"]
        ]
    return "\n".join(lines)


def _missing(name: str, painter: Painter) -> str:
    return painter.paint(f"{name}: no result any more", "red")


def _device(device: dict[str, Any], painter: Painter) -> str:
    where = f"{device['board']}{', in QEMU' if device['simulated'] else ''}"
    one, other = device["first"], device["second"]
    ids = [each["firmware_id"] or "unknown" for each in (one, other)]
    firmware = " → ".join(dict.fromkeys(ids))
    commits = [each["commit"][:12] for each in (one, other) if each["commit"]]
    head = f"{device['id']} ({device['model']} on {where}; firmware {firmware}"
    head += f"; commit {' → '.join(dict.fromkeys(commits))})" if commits else ")"
    changed = [row for row in device["figures"] if row["change"] != 0 or not row["within"]]
    same = len(device["figures"]) - len(changed)
    rows = [
        (
            f"  {row['name']}",
            _number(row["first"]),
            _number(row["second"]),
            _percent(row).strip(" ()") or "-",
            row["rule"],
            "" if row["within"] else "OUTSIDE",
        )
        for row in changed
    ]
    lines = [painter.paint(head, "bold")]
    if other["outcome"] == "failed":
        lines.append(painter.paint("  its tests failed", "red"))
    if rows:
        lines.append(table(rows))
    return "\n".join([*lines, f"  {same} figures are equal" if same else ""]).rstrip()


def _number(value: int | float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _percent(row: dict[str, Any]) -> str:
    return f" ({row['percent']:+.2f} %)" if row["percent"] is not None else ""
