# SPDX-License-Identifier: BSD-3-Clause
"""The store of results: a folder for each run, in it one JSON document for each device.

`mcugen compare` reads them (generator/mcugen/flow/results/document.py has the schema).
"""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hardware_map import Device

from mcugen.base.files import write_atomically
from mcugen.flow.results.document import SCHEMA, figures_of

LAST = "last"


def new_run(now: datetime.datetime | None = None) -> str:
    """Return the name of a run: when it began, so that names are in order."""
    return (now or datetime.datetime.now(datetime.UTC)).strftime("%Y%m%dT%H%M%S.%fZ")


def commit_of(folder: Path) -> tuple[str | None, bool | None]:
    """Return the git commit of a folder, and whether there are changes on top; None: no git."""

    def git(*arguments: str) -> str | None:
        command = ["git", "-C", str(folder), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "HEAD")
    return commit, None if commit is None else bool(git("status", "--porcelain"))


def result_document(
    device: Device, report: Mapping[str, Any], run: str, commit: tuple[str | None, bool | None]
) -> dict[str, Any]:
    """Return the result of a device whose tests are not over yet.

    Args:
        report: the sections of `run`, `bench` and `verify` that were measured.
    """
    firmware, board = report.get("firmware", {}), report.get("board", {})
    timing = report.get("timing")
    return {
        "schema": SCHEMA,
        "run": run,
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit[0],
        "dirty": commit[1],
        "device": {
            "id": device.id,
            "product": device.product,
            "runner": device.runner,
            "probe_id": device.probe_id,
            "fixtures": list(device.fixtures),
            "simulated": device.simulated,
        },
        "board": device.platform,
        "model": report.get("model", {"name": None}),
        "firmware": {
            "id": firmware.get("id"),
            "toolchain": firmware.get("toolchain"),
            "flags": firmware.get("flags"),
        },
        "clock": {name: board.get(name) for name in ("clock_hz", "clock_source")},
        "figures": figures_of(report),
        "timing": timing,
        "verify": report.get("verify"),
        "outcome": "unfinished",
        "tests": [],
    }


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(document, indent=2) + "\n").encode("utf-8"))


def runs(store: Path) -> list[Path]:
    """Return the folders of a store's runs, the first one first."""
    if not store.is_dir():
        return []
    return sorted(each for each in store.iterdir() if each.is_dir() and any(each.glob("*.json")))


def earlier_run(store: Path, named: str, before: str) -> Path | None:
    """Return the folder of the run to compare with: by name or path, or the last one `before` ours.

    Raises ValueError: the one that is named is not there.
    """
    if named == LAST:
        older = [each for each in runs(store) if each.name < before]
        return older[-1] if older else None
    for folder in (store / named, Path(named)):
        if folder.is_dir():
            return folder
    raise ValueError(f"there is no run {named} in {store}, and no such folder")
