# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen build`: a model becomes a firmware."""

from __future__ import annotations

from typing import Annotated

import typer

from mcugen.base.errors import ConfigError
from mcugen.cli.options import BUILDING, Options, RunnerOption
from mcugen.cli.settings import resolve
from mcugen.cli.subcommand import OWN, subcommand
from mcugen.cli.terminal import Terminal

LockedOption = Annotated[
    bool, typer.Option("--locked", help="Refuse to build anything else than mcugen.lock says.")
]


@subcommand(*BUILDING, OWN, "data", "metric", "samples", "max_drop", "runtime")
def build(
    options: Options,
    terminal: Terminal,
    *,
    runner: RunnerOption = False,
    locked: LockedOption = False,
) -> None:
    """Make the firmware.

    Quantizes, lowers, plans the memory, generates a PlatformIO project, compiles it.
    """
    if runner and locked:
        raise ConfigError("the runner has no lock", hint="Give one of --runner and --locked.")
    if runner and options.runtime is not None:
        raise ConfigError(
            "the runner relies on mcugen's own runtime",
            hint="Leave out --runtime, or name a model instead of --runner.",
        )
    if runner:
        from mcugen.cli import runner as generic

        terminal.answer(*generic.build(options, terminal))
        return
    from mcugen.flow import building
    from mcugen.flow.dropping import check_on_host
    from mcugen.flow.report import text

    settings = resolve(options)
    built = building.build_locked(settings, terminal, locked=locked)
    check_on_host(settings, built, terminal)
    document = building.build_document(built)
    terminal.answer(text.build_text(document, terminal), document)
