# SPDX-License-Identifier: BSD-3-Clause
"""The decorator that hands shared options to subcommands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Annotated, Any, get_type_hints

import typer

from mcugen.cli.options import Options
from mcugen.cli.terminal import begin


def _output_flags(
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="More of it; tracebacks.")
    ] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="Plain text; NO_COLOR does, too.")
    ] = False,
) -> None:
    """Every subcommand takes these, last."""


#: Stands for the function's own parameters among the names of shared options.
OWN = "own"


def subcommand(*takes: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that turns `function(options, terminal, *, ...)` into a typer callback.

    Args:
        takes: fields of Options that the subcommand has, in the order of its help; OWN where the
            function's own keyword-only parameters go (default: behind them).
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        own = _parameters(function, skip=2)
        shared = {
            parameter.name: parameter for parameter in _parameters(Options.__init__, of=Options)
        }
        parameters: list[inspect.Parameter] = []
        for name in takes if OWN in takes else (*takes, OWN):
            parameters += own if name == OWN else [shared[name]]
        flags = [parameter.name for parameter in _parameters(_output_flags)]
        parameters += _parameters(_output_flags)
        names = {field.name for field in fields(Options)} & set(takes)

        def callback(**values: Any) -> None:
            terminal = begin(**{name: values.pop(name) for name in flags})
            options = Options(**{name: values.pop(name) for name in names})
            function(options, terminal, **values)

        callback.__name__ = function.__name__
        callback.__doc__ = function.__doc__
        callback.__annotations__ = {each.name: each.annotation for each in parameters}
        callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return callback

    return decorate


def _parameters(
    function: Callable[..., Any], *, skip: int = 0, of: type | None = None
) -> Sequence[inspect.Parameter]:
    """Return a function's parameters, keyword-only, with their annotations as objects."""
    hints = get_type_hints(of or function, include_extras=True)
    return [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
        for parameter in list(inspect.signature(function).parameters.values())[skip:]
        if parameter.name in hints
    ]
