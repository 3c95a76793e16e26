# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen bench`: what an inference costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcugen.base.errors import ConfigError
from mcugen.cli.building import last_or_build
from mcugen.cli.measuring import measure_and_print
from mcugen.cli.options import BUILDING, TARGET, Options
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal


@subcommand(*BUILDING, *TARGET, "runs", "warmups", "timeout_s")
def bench(
    options: Options,
    terminal: Terminal,
    *,
    suite: Annotated[
        bool,
        typer.Option(
            "--suite",
            help="The MLPerf Tiny workloads on every simulated core, beside published stacks; "
            "MODEL and --board narrow it down, each with commas.",
        ),
    ] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(
            "--markdown",
            metavar="FILE",
            help="With --suite: write its report there.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Time inferences.

    Counts cycles on a board, instructions on QEMU: min, median, p99, max.
    """
    if suite:
        _suite(options, terminal, markdown)
        return
    if markdown is not None:
        raise ConfigError("--markdown goes with --suite")
    settings, built = last_or_build(options, terminal)
    measure_and_print(settings, built, terminal, "bench", verify=False, bench=True)


def _suite(options: Options, terminal: Terminal, markdown: Path | None) -> None:
    from mcugen.base.files import write_atomically, writing_to
    from mcugen.cli.config import load_config
    from mcugen.cli.suite.cases import cases
    from mcugen.cli.suite.markdown import performance_page, summary
    from mcugen.cli.suite.measure import suite_document

    given = {name for name, value in vars(options).items() if value not in (None, False, [])}
    if refused := sorted(given - {"model", "board", "simulate"}):
        raise ConfigError(
            f"--suite builds its own networks: --{refused[0].replace('_', '-')} does not go with it"
        )
    chosen = cases(options.model, options.board)
    document = suite_document(chosen, load_config(Path.cwd()).root, terminal)
    if markdown is not None:
        with writing_to(markdown.parent):
            write_atomically(markdown, performance_page(document).encode("utf-8"))
    terminal.answer(summary(document), document)
