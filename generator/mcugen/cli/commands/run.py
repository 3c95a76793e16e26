# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen run`: all of it."""

from __future__ import annotations

from mcugen.cli.measuring import measure_and_print
from mcugen.cli.options import BUILDING, TARGET, Options
from mcugen.cli.settings import resolve
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow.building import build, check_model
from mcugen.flow.flashing import check_target


@subcommand(
    *(*BUILDING, *TARGET, "data", "metric"),
    *("samples", "max_drop", "runs", "warmups", "timeout_s", "runtime"),
)
def run(options: Options, terminal: Terminal) -> None:
    """All of it: build, flash, verify, time, report."""
    settings = resolve(options)
    check_model(settings)
    check_target(settings, flash=True)  # before minutes of work for a board that is not there
    built = build(settings, terminal)
    measure_and_print(settings, built, terminal, "run", verify=True, bench=True, flash_first=True)
