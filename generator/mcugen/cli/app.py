# SPDX-License-Identifier: BSD-3-Clause
"""The command line as a whole: which subcommands there are, and how errors end."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mcugen import __version__
from mcugen.base import quiet
from mcugen.base.errors import McugenError
from mcugen.cli import terminal
from mcugen.cli.commands import (
    bench,
    boards,
    build,
    clean,
    compare,
    compare_runtimes,
    devices,
    doctor,
    flash,
    infer,
    inspect,
    models,
    monitor,
    profile,
    push,
    run,
    verify,
)

EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="mcugen",
    help="PyTorch model in, measured and number-checked Cortex-M firmware out.",
    epilog="Exit codes: 0 ok, 1 failure, 2 usage, 3 a tool is missing, 4 does not fit, "
    "5 export or unsupported operator, 6 build, 7 flash or device, 8 verification failed, "
    "9 timeout, 130 interrupted.",
    no_args_is_help=True,
    # Plain text: importing rich for a help page takes longer than all the rest.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP: ends like Ctrl-C, so that no simulator is left running."""


def _on_sigterm(number: int, frame: Any) -> None:
    raise _Terminated


def main() -> None:
    """Entry point of the console script."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, _on_sigterm)
    code = run_arguments(sys.argv[1:])
    # All is said; unloading torch takes a second in which a Ctrl-C must not change the exit code.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run_arguments(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Errors end here, in words."""
    # For errors that come before the options are parsed.
    terminal.begin(
        json="--json" in arguments,
        verbose="--verbose" in arguments or "-v" in arguments,
        no_color="--no-color" in arguments,
    )
    try:
        result = app(list(arguments), prog_name="mcugen", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        if code == EXIT_INTERRUPTED:
            return _fail("interrupted", EXIT_INTERRUPTED)
        return code
    except McugenError as error:
        if terminal.current().verbose:
            traceback.print_exc()
        return _fail(error.message, error.exit_code, hint=error.hint, log_path=error.log_path)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        # typer brings its own click or uses the one installed: told by what both have.
        if hasattr(error, "format_message"):
            return _usage_error(error)
        if terminal.current().verbose:
            traceback.print_exc()
        text = " ".join(str(error).split())
        return _fail(
            f"unexpected {type(error).__name__}: {text}",
            1,
            hint=None if terminal.current().verbose else "--verbose shows the traceback.",
        )


def _fail(
    message: str, exit_code: int, *, hint: str | None = None, log_path: Path | None = None
) -> int:
    quiet.give_back()
    if terminal.current().json:
        from mcugen.flow.report.documents import error_document

        more = {"log": str(log_path)} if log_path else {}
        terminal.current().answer("", error_document(message, exit_code, hint, **more))
    terminal.current().error(message, hint=hint, log_path=log_path)
    return exit_code


def _usage_error(error: Any) -> int:
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(message.rstrip() + "\n")
        return 2
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "mcugen"
    return _fail(message, int(error.exit_code), hint=f"{command} --help")


def _print_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"mcugen {__version__}\n")
        raise typer.Exit(0)


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it."),
    ] = False,
) -> None:
    pass


for _module in (
    run, build, flash, push, verify, bench, profile, compare, compare_runtimes, infer, inspect,
    boards, models, devices, monitor, doctor, clean
):  # fmt: skip
    if hasattr(_module, "group"):
        app.add_typer(_module.group, name=_module.__name__.rpartition(".")[2])
    else:
        app.command()(getattr(_module, _module.__name__.rpartition(".")[2]))
