# SPDX-License-Identifier: BSD-3-Clause
"""What a call was given, as settings and a build."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.api.report import Report
from mcugen.base.errors import ConfigError
from mcugen.flow.settings import Settings, settle
from mcugen.model.description import Model

if TYPE_CHECKING:
    from mcugen.flow.building import Built

#: `mcugen.Model`, or a name as the command line takes it: a bundled model, `file.py:factory`, a
#: `.pt2` or a `.pte`.
AnyModel = Model | str
#: Or the report of a build that is there.
Buildable = Model | str | Report


def settings_of(given: dict[str, Any]) -> Settings:
    """Return the settings of a call; a path may be given as text. Raises ConfigError."""
    dim = given.get("dim", ())
    given = {**given, "dim": (dim,) if isinstance(dim, str) else dim}
    if given.get("runtime") is not None:
        given["runtime"] = Path(given["runtime"])
    for name, least in (("samples", 1), ("runs", 1), ("warmups", 0)):
        value = given.get(name)
        if value is not None and (type(value) is not int or value < least):
            raise ConfigError(f"{name} must be a whole number from {least}, not {value!r}")
    return settle(given, Path.cwd(), prefix="")


def buildable(
    model: Buildable,
    board: str | None,
    target: dict[str, Any],
    building: dict[str, Any] | None = None,
) -> tuple[Settings, Built | None]:
    """Return the settings, and the build if it is there.

    Args:
        target: where it runs, and how often.
        building: options of a build; a build that is there has its own.
    """
    data = target.get("data")
    own = data is not None and not isinstance(data, str)  # in memory
    if own:
        target = {**target, "data": None}
    if not isinstance(model, Report):
        named = evaluated(model, data) if own else model
        return settings_of({"model": named, "board": board, **target, **(building or {})}), None
    built = model.built
    if built is None:
        raise ConfigError(
            "this report is of a model that was not built",
            hint="Give the report of mcugen.build, or the model.",
        )
    if board is not None and settings_of({"board": board}).board.id != built.board.id:
        raise ConfigError(
            f"this report is of a build for {built.board.id}, not for {board}",
            hint=f'mcugen.build(model, board="{board}") first, or leave board out.',
        )
    if own:
        built = replace(built, model=evaluated(built.model, data))
    settings = settings_of({"model": built.model, "board": built.board.id, **target})
    return replace(settings, level=built.level), built


def evaluated(model: AnyModel, data: Any) -> Model:
    """Return the model with other samples to verify it with."""
    if not isinstance(model, Model):
        raise ConfigError(
            f"samples in memory, a {type(data).__name__}, do not go with a model that is named",
            hint="Give the name of a file, or mcugen.Model(..., evaluation=samples).",
        )
    return replace(model, evaluation=data)
