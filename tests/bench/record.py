# SPDX-License-Identifier: BSD-3-Clause
"""Write recorded.json from the document of `mcugen bench --suite --json` on standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("recorded.json")
#: What may not get worse unseen: the smaller, the better.
FIGURES = ("instructions", "estimated_cycles", "ram_bytes", "engine_bytes", "model_bytes")


def name_of(cell: Mapping[str, Any]) -> str:
    """Return what a case of the suite is called in recorded.json."""
    return f"{cell['network']} {cell['board']} {cell['level']}"


def figures_of(cell: Mapping[str, Any]) -> dict[str, int]:
    """Return the figures of a case that was measured."""
    known = {**cell, "model_bytes": cell["flash"]["model"]}
    return {name: known[name] for name in FIGURES if known[name] is not None}


def recorded() -> dict[str, dict[str, int]]:
    """Return the figures by case."""
    if not RECORDED.exists():
        return {}
    figures: dict[str, dict[str, int]] = json.loads(RECORDED.read_text(encoding="utf-8"))["figures"]
    return figures


def record(cells: list[Mapping[str, Any]]) -> None:
    """Replace the figures of the cases that were measured."""
    figures = recorded()
    figures |= {name_of(cell): figures_of(cell) for cell in cells if cell["fits"]}
    lines = [f"  {json.dumps(name)}: {json.dumps(figures[name])}" for name in sorted(figures)]
    text = '{\n "schema": "mcugen.recorded/1",\n "figures": {\n' + ",\n".join(lines) + "\n }\n}\n"
    RECORDED.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    record(json.load(sys.stdin)["cells"])
