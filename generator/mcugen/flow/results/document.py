# SPDX-License-Identifier: BSD-3-Clause
"""A result: what one device did in one run, as a JSON document of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcugen.base.errors import ConfigError

SCHEMA = "mcugen.result/1"
#: What the figures of a result are called, and where a report has them.
_FIRMWARE = (
    *("flash_bytes", "engine_bytes", "model_bytes"),
    *("ram_bytes", "planned_bytes", "method_bytes", "temp_bytes", "io_bytes"),
    *("static_ram_bytes", "stack_bytes", "stack_peak_bytes"),
)
FIGURES = ("instructions", "cycles", "pte_bytes", *_FIRMWARE, "bit_exact", "accuracy", "auc")
#: Of these, less is worse; of all others, more.
MORE_IS_BETTER = frozenset({"bit_exact", "accuracy", "auc"})
#: Reports of `mcugen run`, `bench` and `verify` under --json are taken as results, too.
_REPORTS = ("mcugen.report/", "mcugen.bench/", "mcugen.verify/")


def figures_of(report: Mapping[str, Any]) -> dict[str, int | float]:
    """Return the figures that a report of `run`, `bench` or `verify` has."""
    found: dict[str, Any] = {}
    timing, verify = report.get("timing"), report.get("verify")
    if timing:
        found[timing["counter"]] = timing["median"]
    found["pte_bytes"] = report.get("model", {}).get("pte_bytes")
    found |= {name: report.get("firmware", {}).get(name) for name in _FIRMWARE}
    if verify:
        found["bit_exact"] = verify["bit_exact"] / verify["samples"] if verify["samples"] else None
        for name in ("accuracy", "auc"):
            found[name] = (verify.get(name) or {}).get("device")
    return {name: found[name] for name in FIGURES if found.get(name) is not None}


@dataclass(frozen=True)
class Result:
    """What two results are compared by."""

    path: Path
    device: str  #: its id in the hardware map; of a report, the board and whether it is simulated
    board: str
    simulated: bool
    model: str | None  #: None, as firmware_id: it did not come to that
    firmware_id: str | None
    figures: dict[str, int | float] = field(default_factory=dict)
    run: str | None = None
    commit: str | None = None
    outcome: str = "passed"

    def is_like(self, other: Result) -> bool:
        """Tell whether the figures of both are of the same thing."""
        models = {self.model, other.model} - {None}
        same_board = (self.board, self.simulated) == (other.board, other.simulated)
        return same_board and len(models) < 2

    def describe(self) -> str:
        """Return what was run where, for messages."""
        where = f"{self.board}{' in QEMU' if self.simulated else ''}"
        return f"{self.model or 'nothing'} on {where}"


def read_result(path: Path) -> Result:
    """Return the result, or the report taken as one, in a file. Raises ConfigError."""
    hint = f"It takes documents of the schema {SCHEMA} and reports of run, bench and verify."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not JSON: {error}", hint=hint) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    try:
        if schema == SCHEMA:
            return _result(path, document)
        if isinstance(schema, str) and schema.startswith(_REPORTS):
            return _report(path, document)
    except (KeyError, TypeError, AttributeError, ValueError, ZeroDivisionError) as error:
        raise ConfigError(
            f"{path} is not a whole {schema}: {type(error).__name__} {error}", hint=hint
        ) from None
    raise ConfigError(f"{path} is no result: its schema is {schema!r}", hint=hint)


def _result(path: Path, document: dict[str, Any]) -> Result:
    figures = document["figures"] or {}
    if unknown := sorted(set(figures) - set(FIGURES)):
        raise ValueError(f"unknown figure {unknown[0]}")
    if not all(isinstance(each, (int, float)) for each in figures.values()):
        raise TypeError("a figure is not a number")
    return Result(
        path,
        str(document["device"]["id"]),
        str(document["board"]),
        bool(document["device"]["simulated"]),
        _text(document["model"]["name"]),
        _text(document["firmware"]["id"]),
        figures,
        document["run"],
        document["commit"],
        str(document["outcome"]),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _report(path: Path, document: dict[str, Any]) -> Result:
    board, simulated = str(document["board"]["id"]), bool(document["board"]["simulated"])
    return Result(
        path,
        f"{board}{' in QEMU' if simulated else ''}",
        board,
        simulated,
        str(document["model"]["name"]),
        str(document["firmware"]["id"]),
        figures_of(document),
    )


def read_results(path: Path) -> dict[str, Result]:
    """Return the results in a file or in the folder of a run, by device.

    Raises ConfigError: there are none; a folder holds several runs.
    """
    if not path.is_dir():
        result = read_result(path)
        return {result.device: result}
    found: dict[str, Result] = {}
    for file in sorted(path.glob("*.json")):
        result = read_result(file)
        if result.device in found:
            raise ConfigError(f"{file} and {found[result.device].path} are of one device")
        found[result.device] = result
    if found:
        return found
    runs = sorted(each.name for each in path.iterdir() if any(each.glob("*.json")))
    if runs:
        raise ConfigError(
            f"{path} holds {len(runs)} runs, not the results of one",
            hint=f"Name one of them; the last is {path / runs[-1]}",
        )
    raise ConfigError(f"{path} holds no results (*.json)")
