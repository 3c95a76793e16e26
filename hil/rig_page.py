# SPDX-License-Identifier: BSD-3-Clause
"""The last results of a store as one page of HTML that needs nothing else.

python hil/rig_page.py STORE [--last N] [--output FILE.html]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import rig_store

from mcugen.base.files import write_atomically

NAME = "index.html"
_HERE = Path(__file__).parent
#: Shown for each result, in this order, where a device has them.
SHOWN = (
    *("instructions", "cycles", "flash_bytes", "ram_bytes", "planned_bytes", "stack_peak_bytes"),
    *("bit_exact", "accuracy"),
)
_WIDTH, _HEIGHT = 160, 28


def page(store: Path, *, last: int) -> str:
    """Return the page: a table for each device, the latest of its `last` results on top."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    devices, unread = _devices(rig_store.runs(store)[-last:])
    template = environment.get_template("rig_page.html.j2")
    return template.render(devices=devices, unread=unread, last=last)


def write(store: Path, *, last: int, output: Path | None = None) -> Path:
    """Write the page beside the runs, or to `output`; return where."""
    path = output or store / NAME
    write_atomically(path, page(store, last=last).encode("utf-8"))
    return path


def _devices(runs: Sequence[Path]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return each device with its rows, and the files that are no results."""
    found: dict[str, list[dict[str, Any]]] = {}
    unread: list[str] = []
    for run in runs:
        for path in sorted(run.glob("*.json")):
            try:
                document = json.loads(path.read_text(encoding="utf-8"))
                if document["schema"] != rig_store.SCHEMA:
                    raise ValueError(document["schema"])
                row = _row(document, f"{run.name}/{path.name}")
                found.setdefault(document["device"]["id"], []).append(row)
            except (OSError, ValueError, KeyError, TypeError) as error:
                unread.append(f"{run.name}/{path.name}: {type(error).__name__} {error}")
    return [_device(name, rows) for name, rows in sorted(found.items())], unread


def _row(document: dict[str, Any], link: str) -> dict[str, Any]:
    tests = document["tests"]
    return {
        "link": link,
        "at": document["at"],
        "commit": (document["commit"] or "")[:12] + ("+" if document["dirty"] else ""),
        "firmware": document["firmware"]["id"] or "",
        "outcome": document["outcome"],
        "board": document["board"],
        "model": document["model"]["name"] or "",
        "product": document["device"]["product"],
        "figures": document["figures"],
        "failures": [
            f"{test['name']}: {test['failure']}" for test in tests if test["outcome"] == "failed"
        ],
        "retries": [f"{test['name']}: {why}" for test in tests for why in test["retried_because"]],
    }


def _device(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    names = [each for each in SHOWN if any(each in row["figures"] for row in rows)]
    before: dict[str, float] = {}
    for row in rows:
        row["cells"] = [_cell(row["figures"].get(each), before.get(each)) for each in names]
        before |= {each: row["figures"][each] for each in names if each in row["figures"]}
    return {
        "id": name,
        "board": rows[-1]["board"],
        "product": rows[-1]["product"],
        "figures": names,
        "lines": [_line([row["figures"].get(each) for row in rows]) for each in names],
        "rows": rows[::-1],
    }


def _cell(value: float | None, before: float | None) -> dict[str, str]:
    if value is None:
        return {"text": "", "change": ""}
    text = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    change = ""
    if before is not None and before != value:
        change = f"{100 * (value - before) / before:+.2f} %" if before else "new"
    return {"text": text, "change": change}


def _line(values: Sequence[float | None]) -> str:
    """Return the points of a figure's line, in time."""
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    span = high - low or 1
    right = max(len(values) - 1, 1)
    return " ".join(
        f"{index * _WIDTH / right:.1f},{_HEIGHT - 2 - (value - low) * (_HEIGHT - 4) / span:.1f}"
        for index, value in known
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page of a store; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--last", type=int, default=20, metavar="N", help="runs to show (20)")
    parser.add_argument("--output", type=Path, help=f"default: {NAME} in the store")
    arguments = parser.parse_args(argv)
    if not rig_store.runs(arguments.store):
        print(f"error: {arguments.store} holds no runs", file=sys.stderr)
        return 1
    print(write(arguments.store, last=arguments.last, output=arguments.output))
    return 0


if __name__ == "__main__":
    sys.exit(main())
