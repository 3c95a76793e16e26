# SPDX-License-Identifier: BSD-3-Clause
"""One table of a TOML file, read key by key; what nobody asked for is an error."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from mcugen.base.errors import ConfigError


class Table:
    """A TOML table that knows where it is from, and which of its keys nobody has asked for."""

    def __init__(self, values: Mapping[str, Any], where: str, prefix: str = "") -> None:
        self._values = values
        self._where = where
        self._prefix = prefix
        self._known: list[str] = []

    def error(self, message: str, *, hint: str | None = None) -> ConfigError:
        return ConfigError(f"{self._where}: {message}", hint=hint or "Keys: boards/README.md.")

    def __contains__(self, key: str) -> bool:
        self._known.append(key)
        return key in self._values

    def get(self, key: str, kind: type, default: Any = ...) -> Any:
        """Return `key`, checked to be of `kind`; `default` (if given) where it is absent."""
        self._known.append(key)
        if key not in self._values:
            if default is ...:
                others = [name for name in self._values if name not in self._known]
                near = difflib.get_close_matches(key, others, n=1)
                raise self.error(
                    f"key '{self._prefix}{key}' is missing",
                    hint=f"'{self._prefix}{near[0]}' is there: is it meant?" if near else None,
                )
            return default
        value = self._values[key]
        # bool is an int in Python, not in TOML.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(
                f"'{self._prefix}{key}' must be of type {_TOML_TYPES[kind]}, "
                f"not {_TOML_TYPES.get(type(value), type(value).__name__)}"
            )
        return value

    def choice(self, key: str, allowed: Iterable[str], default: Any = ...) -> Any:
        value = self.get(key, str, default)
        if value is not default and value not in (options := sorted(allowed)):
            raise self.error(
                f"'{self._prefix}{key}' is {value!r}; allowed: {', '.join(options)}",
                hint=did_you_mean(value, options),
            )
        return value

    def positive(self, key: str) -> int:
        value: int = self.get(key, int)
        if value <= 0:
            raise self.error(f"'{self._prefix}{key}' must be above 0, not {value}")
        return value

    def unsigned(self, key: str) -> int:
        value: int = self.get(key, int)
        if not 0 <= value < 1 << 32:
            raise self.error(f"'{self._prefix}{key}' must fit 32 bits unsigned, not {value}")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        values = self.get(key, list, [])
        for value in values:
            if not isinstance(value, str):
                raise self.error(f"'{self._prefix}{key}' must hold strings only, not {value!r}")
        return tuple(values)

    def table(self, key: str, *, optional: bool = False) -> Table | None:
        values = self.get(key, dict, None if optional else ...)
        return None if values is None else Table(values, self._where, f"{self._prefix}{key}.")

    def tables(self, key: str, *, optional: bool = False) -> list[Table]:
        rows = self.get(key, list, [] if optional else ...)
        for row in rows:
            if not isinstance(row, dict):
                raise self.error(f"'{self._prefix}{key}' must be an array of tables")
        return [Table(row, self._where, f"{self._prefix}{key}[{i}].") for i, row in enumerate(rows)]

    def items(self) -> Iterable[tuple[str, Any]]:
        """All pairs of a table whose keys are free."""
        self._known.extend(self._values)
        return self._values.items()

    def close(self) -> None:
        """Refuse keys that were not read: a misspelt one would otherwise be lost silently."""
        for key in self._values:
            if key not in self._known:
                raise self.error(
                    f"unknown key '{self._prefix}{key}'", hint=did_you_mean(key, self._known)
                )


_TOML_TYPES = {
    str: "string",
    int: "integer",
    bool: "boolean",
    list: "array",
    dict: "table",
    float: "float",
}


def did_you_mean(word: str, choices: Iterable[str]) -> str | None:
    """Return "Did you mean 'x'?" for the nearest choice, or None if nothing is near."""
    matches = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.65)
    return f"Did you mean '{matches[0]}'?" if matches else None
