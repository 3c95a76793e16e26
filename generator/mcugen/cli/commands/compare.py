# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen compare`: a result beside an earlier one, by a policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcugen.base.errors import RegressionError
from mcugen.cli.options import Options
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal

_WHAT = "A result, a report of run, bench or verify under --json, or a folder with a run's results."


@subcommand()
def compare(
    options: Options,
    terminal: Terminal,
    *,
    first: Annotated[Path, typer.Argument(metavar="A", help=_WHAT)],
    second: Annotated[Path, typer.Argument(metavar="B", help="The same, of a later run.")],
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="FILE.toml",
            help="How far figures may move (default: cycles by 1 %, else not at all; hil/README).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compare the figures of two results; exit 8 if they are further apart than a policy allows."""
    from mcugen.flow.report.compared import compared_text, failure_text
    from mcugen.flow.report.documents import error_document
    from mcugen.flow.results.comparing import compare as compared
    from mcugen.flow.results.policy import read_policy

    document = compared(first, second, read_policy(policy))
    text = compared_text(document, terminal)
    if document["within"]:
        terminal.answer(text, document)
        return
    failure = RegressionError(
        f"{second} is not as {policy or 'the usual policy'} allows after {first}:\n"
        + failure_text(document)
    )
    if terminal.json:
        document = error_document(failure.message, failure.exit_code, None, report=document)
    terminal.answer(text, document)
    terminal.error(failure.message, hint=None, log_path=None)
    raise typer.Exit(failure.exit_code)
