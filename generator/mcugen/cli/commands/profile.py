# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen profile`: which layer takes what."""

from __future__ import annotations

from typing import Annotated

import typer

from mcugen.base.errors import ConfigError
from mcugen.cli.building import last_or_build
from mcugen.cli.options import BUILDING, TARGET, Options
from mcugen.cli.settings import resolve
from mcugen.cli.subcommand import OWN, subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow.settings import Settings


@subcommand(*BUILDING, *TARGET, OWN, "runs", "warmups", "timeout_s")
def profile(
    options: Options,
    terminal: Terminal,
    *,
    counter: Annotated[
        bool,
        typer.Option(
            "--counter",
            help="Time by the device's own counter on a simulated board, too, as on a real one.",
        ),
    ] = False,
) -> None:
    """Show what each layer takes.

    On a real board: cycles of each operator call, by its own counter, median of several runs.
    Simulated: instructions and estimated cycles, by a trace of one inference in QEMU. Both run the
    unmodified image.
    """
    from mcugen.flow.profiling import counted_document, traced_document
    from mcugen.flow.report.call_times import call_times_text
    from mcugen.flow.report.profile import profile_text

    if options.board is not None:
        _by_counter(options, resolve(options), counter)  # before minutes of work for nothing
    settings, built = last_or_build(options, terminal)
    if _by_counter(options, settings, counter):
        described = counted_document(settings, built, terminal)
        terminal.answer(call_times_text(described, terminal), described)
    else:
        described = traced_document(settings, built, terminal)
        terminal.answer(profile_text(described, terminal), described)


def _by_counter(options: Options, settings: Settings, counter: bool) -> bool:
    """Return whether the device counts, or a trace is read.

    Raises ConfigError for options of the other; FlashError, ToolMissingError without a device.
    """
    from mcugen.flow.flashing import check_target

    check_target(settings)
    by_counter = counter or not settings.simulate
    if not by_counter and (options.runs is not None or options.warmups is not None):
        raise ConfigError("a trace is of one inference: --runs and --warmups go with --counter")
    return by_counter
