# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen compare-runtimes`: one model with mcugen's runtime and with ExecuTorch's own."""

from __future__ import annotations

import typer

from mcugen.base.errors import ConfigError
from mcugen.cli.options import BUILDING, TARGET, Options
from mcugen.cli.settings import resolve
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal


@subcommand(*BUILDING, *TARGET, "samples", "runs", "warmups", "timeout_s", "runtime")
def compare_runtimes(options: Options, terminal: Terminal) -> None:
    """Compare our runtime with ExecuTorch's own.

    Both are built and run: bytes, instructions or cycles, flash and RAM, side by side. ExecuTorch's
    libraries come from the install prefix that --runtime names.
    """
    if options.runtime is None:
        raise ConfigError(
            "compare-runtimes needs ExecuTorch's own libraries",
            hint="Name the install prefix of an Arm build of them: --runtime PREFIX "
            "(docs/upstream.md).",
        )
    from mcugen.cli import comparing
    from mcugen.flow.report import comparison, documents

    document, failure = comparing.compare(resolve(options), terminal)
    text = comparison.comparison_text(document, terminal)
    if failure is None:
        terminal.answer(text, document)
        return
    if terminal.json:
        document = documents.error_document(
            failure.message, failure.exit_code, failure.hint, report=document
        )
    terminal.answer(text, document)
    terminal.error(failure.message, hint=failure.hint, log_path=failure.log_path)
    raise typer.Exit(failure.exit_code)
