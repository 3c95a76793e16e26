# SPDX-License-Identifier: BSD-3-Clause
"""Two runs side by side, judged by a policy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcugen.base.errors import ConfigError
from mcugen.flow.results.document import FIGURES, Result, read_results
from mcugen.flow.results.policy import Policy


def compare(first: Path, second: Path, policy: Policy) -> dict[str, Any]:
    """Return the document of `compare`: each device's figures, and whether all are as allowed.

    A device of the first run that the second has not is not as allowed; a new one is.

    Raises ConfigError: a file is no result, or two results are not of the same thing.
    """
    before, after = _paired(read_results(first), read_results(second))
    missing = sorted(set(before) - set(after))
    devices = [
        _compared(before[name], after[name], policy) for name in sorted(set(before) & set(after))
    ]
    if not devices:
        raise ConfigError(
            f"{first} and {second} have no device in common",
            hint=f"The first has {', '.join(sorted(before))}; "
            f"the second {', '.join(sorted(after))}.",
        )
    return {
        "schema": "mcugen.compare/1",
        "first": str(first),
        "second": str(second),
        "policy": str(policy.path) if policy.path else None,
        "devices": devices,
        "missing": missing,
        "new": sorted(set(after) - set(before)),
        "within": not missing and all(each["within"] for each in devices),
    }


def _paired(
    before: dict[str, Result], after: dict[str, Result]
) -> tuple[dict[str, Result], dict[str, Result]]:
    """Let two single results be of one device: a board may have been replaced."""
    if len(before) == len(after) == 1:
        (one,), (other,) = before.values(), after.values()
        return {other.device: one}, after
    return before, after


def _compared(old: Result, new: Result, policy: Policy) -> dict[str, Any]:
    if not old.is_like(new):
        raise ConfigError(
            f"{old.path} and {new.path} cannot be compared: {old.describe()}, and {new.describe()}"
        )
    rows = [
        _row(name, old.figures, new.figures, policy, new)
        for name in FIGURES
        if name in old.figures or name in new.figures
    ]
    failed = new.outcome == "failed"
    return {
        "id": new.device,
        "board": new.board,
        "simulated": new.simulated,
        "model": new.model,
        "first": _origin(old),
        "second": _origin(new),
        "figures": rows,
        "within": not failed and all(row["within"] for row in rows),
    }


def _origin(result: Result) -> dict[str, Any]:
    return {
        "path": str(result.path),
        "run": result.run,
        "commit": result.commit,
        "firmware_id": result.firmware_id,
        "outcome": result.outcome,
    }


def _row(
    name: str,
    old: Mapping[str, int | float],
    new: Mapping[str, int | float],
    policy: Policy,
    result: Result,
) -> dict[str, Any]:
    rule = policy.rule(name, result)
    one, other = old.get(name), new.get(name)
    both = one is not None and other is not None
    within = other is not None or rule.percent is None
    if one is not None and other is not None:
        within = rule.allows(name, one, other)
    return {
        "name": name,
        "first": one,
        "second": other,
        "change": other - one if one is not None and other is not None else None,
        "percent": 100 * (other - one) / one if both and one and other is not None else None,
        "rule": rule.describe(),
        "within": within,
    }
