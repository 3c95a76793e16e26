# SPDX-License-Identifier: BSD-3-Clause
"""How far the figures of two results may lie apart, as a file says."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcugen.base.errors import ConfigError
from mcugen.flow.results.document import FIGURES, MORE_IS_BETTER, Result
from mcugen.flow.settings import nearest

_HINT = (
    'A rule is "equal", "no worse", "any", or a table of percent and absolute '
    '(the larger counts) and better = "any".'
)
_TABLES = ("figures", "board", "device")


@dataclass(frozen=True)
class Rule:
    """How far one figure may move: by the larger of both bounds; None: as far as it likes."""

    percent: float | None = 0.0
    absolute: float = 0.0
    better: bool = False  #: any change for the better is fine

    def allows(self, name: str, old: float, new: float) -> bool:
        """Tell whether `new` is fine after `old`."""
        if self.percent is None:
            return True
        improved = new > old if name in MORE_IS_BETTER else new < old
        if self.better and improved:
            return True
        return abs(new - old) <= max(abs(old) * self.percent / 100, self.absolute)

    def describe(self) -> str:
        """Return it as people read it."""
        if self.percent is None:
            return "any"
        bounds = [f"{self.percent:g} %"] if self.percent else []
        bounds += [f"{self.absolute:,g}"] if self.absolute else []
        if not bounds:
            return "no worse" if self.better else "equal"
        return f"within {' or '.join(bounds)}" + (", or better" if self.better else "")


EQUAL, NO_WORSE, ANY = Rule(), Rule(better=True), Rule(percent=None)
_WORDS = {"equal": EQUAL, "no worse": NO_WORSE, "any": ANY}
#: Without a file: what is counted or laid out must be equal; a board's cycles move a little.
_USUAL: dict[str, Rule] = {
    **{name: EQUAL for name in FIGURES},
    "cycles": Rule(percent=1.0),
    **{name: NO_WORSE for name in MORE_IS_BETTER},
}


@dataclass(frozen=True)
class Policy:
    """Rules of every device, over those by board, over those by device."""

    path: Path | None = None
    figures: Mapping[str, Rule] = field(default_factory=dict)
    boards: Mapping[str, Mapping[str, Rule]] = field(default_factory=dict)
    devices: Mapping[str, Mapping[str, Rule]] = field(default_factory=dict)

    def rule(self, name: str, result: Result) -> Rule:
        """Return what holds for a figure of a device."""
        for rules in (
            self.devices.get(result.device, {}),
            self.boards.get(result.board, {}),
            self.figures,
        ):
            if name in rules:
                return rules[name]
        return _USUAL[name]


def read_policy(path: Path | None) -> Policy:
    """Return what a file says; None: the usual policy. Raises ConfigError."""
    if path is None:
        return Policy()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    for key, value in document.items():
        _known(key, _TABLES, f"{path}: unknown table")
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: '{key}' must be a table", hint=_HINT)
    per_name = {}
    for table in ("board", "device"):
        per_name[table] = {
            name: _rules(rules, f"{path}, [{table}.{name}]")
            for name, rules in document.get(table, {}).items()
        }
    return Policy(
        path,
        _rules(document.get("figures", {}), f"{path}, [figures]"),
        per_name["board"],
        per_name["device"],
    )


def _rules(table: Any, where: str) -> dict[str, Rule]:
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table of figures", hint=_HINT)
    for name in table:
        _known(name, FIGURES, f"{where}: unknown figure")
    return {name: _rule(value, f"{where}: {name}") for name, value in table.items()}


def _rule(value: Any, where: str) -> Rule:
    if isinstance(value, str):
        _known(value, tuple(_WORDS), f"{where}: unknown rule")
        return _WORDS[value]
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is {value!r}", hint=_HINT)
    for key in value:
        _known(key, ("percent", "absolute", "better"), f"{where}: unknown key")
    for key in ("percent", "absolute"):
        number = value.get(key, 0)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not number >= 0:
            raise ConfigError(f"{where}: {key} must be a number from 0 on, not {number!r}")
    if value.get("better", "any") != "any":
        raise ConfigError(f"{where}: better is {value['better']!r}", hint=_HINT)
    return Rule(
        float(value.get("percent", 0)), float(value.get("absolute", 0)), better="better" in value
    )


def _known(word: str, choices: tuple[str, ...], what: str) -> None:
    if word not in choices:
        match = nearest(word, choices)
        raise ConfigError(
            f"{what} '{word}'" + (f"; did you mean '{match}'?" if match else ""),
            hint=f"There are: {', '.join(choices)}.",
        )
