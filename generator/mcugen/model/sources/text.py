# SPDX-License-Identifier: BSD-3-Clause
"""How a source is spelled, and what errors say."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import numpy as np

from mcugen.base.errors import ConfigError


def first_line(error: BaseException) -> str:
    """Return what an error says, in one line."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def split_options(source: str, suffix: str) -> tuple[str, str]:
    """Return "data.csv" and "window=100,hop=50" of "data.csv:window=100,hop=50"."""
    head, colon, options = source.rpartition(suffix + ":")
    return (head + suffix, options) if colon else (source, "")


def options_of(text: str, known: tuple[str, ...], where: str) -> dict[str, str]:
    """Return the options of "window=100,hop=50". Raises ConfigError for unknown ones."""
    found = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals or not value or key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            raise ConfigError(
                f"{where}: unknown option '{part}'"
                + (f"; did you mean '{close[0]}='?" if close and close[0] != key else ""),
                hint=f"{where}:{','.join(f'{each}=...' for each in known)}, each may be left out.",
            )
        found[key] = value
    return found


def positive(options: dict[str, str], key: str, where: str) -> int | None:
    """Return an option that is a number of steps."""
    if key not in options:
        return None
    if not options[key].isdecimal() or int(options[key]) < 1:
        raise ConfigError(f"{where}: {key} must be a whole number from 1, not '{options[key]}'")
    return int(options[key])


def numbers(read: Callable[[], Any], what: str) -> np.ndarray:
    """Return an array of real numbers. Raises ConfigError for other ones and for no array."""
    try:
        values = np.asanyarray(read())
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise ConfigError(f"{what} cannot be read: {first_line(error)}") from error
        raise ConfigError(f"{what} is no array of numbers") from error
    except (OSError, EOFError) as error:
        raise ConfigError(f"{what} cannot be read: {first_line(error)}") from error
    if values.dtype.kind not in "biuf":
        raise ConfigError(f"{what} is {values.dtype}: not real numbers")
    return values
