# SPDX-License-Identifier: BSD-3-Clause
"""The command line: options in, one call per subcommand, an exit code out."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mcugen import __version__, completion
from mcugen.commands import Options
from mcugen.errors import ConfigError, McugenError
from mcugen.terminal import Terminal

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

Model = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODEL]",
        help="Bundled model, file.py:factory, .pt2 or .pte.",
        autocompletion=completion.models,
        show_default=False,
    ),
]
BoardOption = Annotated[
    str | None,
    typer.Option(
        "--board",
        "-b",
        help="Board id or alias; see 'mcugen boards'.",
        autocompletion=completion.boards,
        show_default=False,
    ),
]
IoOption = Annotated[
    str | None,
    typer.Option(
        "--io",
        metavar="int8|float",
        help="Type of the model's inputs and outputs (default int8).",
        autocompletion=completion.io_kinds,
        show_default=False,
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output-dir",
        "-o",
        metavar="DIR",
        help="Where the project goes (default mcugen_out/<model>-<board>).",
        show_default=False,
    ),
]
CalibrateOption = Annotated[
    str | None,
    typer.Option(
        "--calibrate",
        metavar="FILE.npz|tfds:NAME|DIR|random",
        help="Calibration data of a model of your own.",
        show_default=False,
    ),
]
StrictOption = Annotated[
    bool | None,
    typer.Option("--strict", help="Refuse operators that fall back to float.", show_default=False),
]
SimulateOption = Annotated[
    bool | None,
    typer.Option("--simulate", help="Run on the board's QEMU machine.", show_default=False),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="SERIAL|PORT",
        help="Which attached device, by probe serial or port.",
        autocompletion=completion.devices,
        show_default=False,
    ),
]
SamplesOption = Annotated[
    int | None,
    typer.Option(
        "--samples",
        min=1,
        metavar="N",
        help="Samples to verify (default 256 labelled ones, or as many as there are; "
        "16 random ones for a model without data).",
        show_default=False,
    ),
]
RunsOption = Annotated[
    int | None,
    typer.Option("--runs", min=1, metavar="N", help="Timed runs (default 20).", show_default=False),
]
WarmupsOption = Annotated[
    int | None,
    typer.Option(
        "--warmups", min=0, metavar="N", help="Runs before those (default 3).", show_default=False
    ),
]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=0.1,
        metavar="SECONDS",
        help="How long to wait for each of the device's answers.",
        show_default=False,
    ),
]
RuntimeOption = Annotated[
    Path | None,
    typer.Option(
        "--runtime",
        metavar="PREFIX",
        help="Link ExecuTorch's own libraries from this install prefix (docs/upstream.md).",
        show_default=False,
    ),
]
RunnerOption = Annotated[
    bool, typer.Option("--runner", help="The generic image that takes models by 'mcugen push'.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="More of it; tracebacks.")]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="Plain text; NO_COLOR does, too.")]

# ---------------------------------------------------------------------------- frame

_terminal = Terminal()


class _Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP: ends like Ctrl-C, so that no simulator is left running."""


def _on_sigterm(number: int, frame: Any) -> None:
    raise _Terminated


def main() -> None:
    """Entry point of the console script."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, _on_sigterm)
    code = run(sys.argv[1:])
    # All is said; unloading torch takes a second in which a Ctrl-C must not change the exit code.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Errors end here, in words."""
    global _terminal
    # For errors that come before the options are parsed.
    _terminal = Terminal(
        json="--json" in arguments,
        verbose="--verbose" in arguments or "-v" in arguments,
        color=False if "--no-color" in arguments else None,
    )
    try:
        result = app(list(arguments), prog_name="mcugen", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        if code == EXIT_INTERRUPTED:
            return _fail("interrupted", EXIT_INTERRUPTED)
        return code
    except McugenError as error:
        if _terminal.verbose:
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
        if _terminal.verbose:
            traceback.print_exc()
        text = " ".join(str(error).split())
        return _fail(
            f"unexpected {type(error).__name__}: {text}",
            1,
            hint=None if _terminal.verbose else "--verbose shows the traceback.",
        )


def _fail(
    message: str, exit_code: int, *, hint: str | None = None, log_path: Path | None = None
) -> int:
    if _terminal.json:
        from mcugen.report import error_document

        more = {"log": str(log_path)} if log_path else {}
        _terminal.answer("", error_document(message, exit_code, hint, **more))
    _terminal.error(message, hint=hint, log_path=log_path)
    return exit_code


def _usage_error(error: Any) -> int:
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(message.rstrip() + "\n")
        return 2
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "mcugen"
    return _fail(message, int(error.exit_code), hint=f"{command} --help")


def _begin(json: bool, quiet: bool, verbose: bool, no_color: bool) -> Terminal:
    global _terminal
    _terminal = Terminal(json=json, quiet=quiet, verbose=verbose, color=False if no_color else None)
    return _terminal


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


# ---------------------------------------------------------------------------- subcommands


@app.command("run")
def run_command(
    model: Model = None,
    board: BoardOption = None,
    output: OutputOption = None,
    io: IoOption = None,
    calibrate: CalibrateOption = None,
    strict: StrictOption = None,
    simulate: SimulateOption = None,
    device: DeviceOption = None,
    samples: SamplesOption = None,
    runs: RunsOption = None,
    warmups: WarmupsOption = None,
    timeout: TimeoutOption = None,
    runtime: RuntimeOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """All of it: build, flash, verify, time, report."""
    from mcugen import commands

    terminal = _begin(json, quiet, verbose, no_color)
    settings = commands.resolve(
        Options(
            model, board, io, output, calibrate, strict, simulate, device,
            samples, runs, warmups, timeout, runtime,
        )
    )  # fmt: skip
    commands.check_model(settings)
    commands.check_target(settings)  # before minutes of work for a board that is not there
    built = commands.build(settings, terminal)
    _measure(commands, settings, built, terminal, "run", verify=True, bench=True, flash_first=True)


def _measure(
    commands: Any,
    settings: Any,
    built: Any,
    terminal: Terminal,
    command: str,
    *,
    verify: bool,
    bench: bool,
    flash_first: bool = False,
) -> None:
    """Measure and print; a failed verification prints its report and ends with its own code."""
    from mcugen import report

    measurement = commands.measure(
        settings, built, terminal, command, verify=verify, bench=bench, flash_first=flash_first
    )
    schema = "mcugen.report/1" if command == "run" else f"mcugen.{command}/1"
    document = report.measurement_document(
        schema,
        built.artifact,
        built.plan,
        built.image,
        measurement,
        lowering=built.lowering.to_json() if built.lowering is not None else None,
    )
    failure = commands.require_verified(measurement)
    if failure is None:
        terminal.answer(report.measurement_text(document, terminal), document)
        return
    if terminal.json:
        terminal.answer(
            "",
            report.error_document(
                failure.message, failure.exit_code, failure.hint, report=document
            ),
        )
    else:
        terminal.answer(report.measurement_text(document, terminal), document)
    terminal.error(failure.message, hint=failure.hint, log_path=failure.log_path)
    raise typer.Exit(failure.exit_code)


@app.command()
def build(
    model: Model = None,
    board: BoardOption = None,
    output: OutputOption = None,
    io: IoOption = None,
    calibrate: CalibrateOption = None,
    strict: StrictOption = None,
    runner: RunnerOption = False,
    runtime: RuntimeOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """Make the firmware.

    Quantizes, lowers, plans the memory, generates a PlatformIO project, compiles it.
    """
    from mcugen import commands, report

    terminal = _begin(json, quiet, verbose, no_color)
    options = Options(model, board, io, output, calibrate, strict, runtime=runtime)
    if runner and runtime is not None:
        raise ConfigError(
            "the runner relies on mcugen's own runtime",
            hint="Leave out --runtime, or name a model instead of --runner.",
        )
    if runner:
        from mcugen import push

        terminal.answer(*push.build(options, terminal))
        return
    settings = commands.resolve(options)
    built = commands.build(settings, terminal)
    document = commands.build_document(built)
    terminal.answer(report.build_text(document, terminal), document)


@app.command()
def flash(
    model: Model = None,
    board: BoardOption = None,
    output: OutputOption = None,
    io: IoOption = None,
    calibrate: CalibrateOption = None,
    strict: StrictOption = None,
    simulate: SimulateOption = None,
    device: DeviceOption = None,
    runner: RunnerOption = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="End the simulator that --simulate left running.")
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """Put the last build, or MODEL, on a board.

    --simulate starts it on QEMU and leaves it running until --stop.
    """
    from mcugen import commands

    terminal = _begin(json, quiet, verbose, no_color)
    options = Options(model, board, io, output, calibrate, strict, simulate, device)
    if stop:
        text, document = commands.stop_simulator(terminal)
    elif runner:
        from mcugen import push

        text, document = push.flash(options, terminal)
    else:
        text, document = commands.flash(options, terminal)
    terminal.answer(text, document)


@app.command("push")
def push_command(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Bundled model, file.py:factory, .pt2 or .pte.",
            autocompletion=completion.models,
        ),
    ],
    board: BoardOption = None,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="One per input: raw bytes in the tensor's dtype and memory order, or .npy "
            "(default: zeros).",
        ),
    ] = None,
    outputs: Annotated[
        list[Path] | None,
        typer.Option("--output", metavar="FILE", help="One per output: raw bytes, or .npy."),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", metavar="NAME", help="Method of a .pte that has several.")
    ] = "",
    io: IoOption = None,
    calibrate: CalibrateOption = None,
    strict: StrictOption = None,
    simulate: SimulateOption = None,
    device: DeviceOption = None,
    timeout: TimeoutOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """Give a model to a board that runs the runner.

    Takes seconds: nothing is compiled. Runs one inference, says what memory and time it took.
    """
    from mcugen import push

    terminal = _begin(json, quiet, verbose, no_color)
    options = Options(
        model, board, io, None, calibrate, strict, simulate, device, timeout_s=timeout
    )
    document = push.push(options, inputs or [], outputs or [], method, terminal)
    terminal.answer(push.push_text(document), document)


@app.command()
def verify(
    model: Model = None,
    board: BoardOption = None,
    output: OutputOption = None,
    io: IoOption = None,
    calibrate: CalibrateOption = None,
    strict: StrictOption = None,
    simulate: SimulateOption = None,
    device: DeviceOption = None,
    samples: SamplesOption = None,
    timeout: TimeoutOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """Compare the device with the host, byte for byte.

    And, where the samples are labelled, the accuracies of float, host int8 and device.
    """
    from mcugen import commands

    terminal = _begin(json, quiet, verbose, no_color)
    settings, built = commands.last_or_build(
        Options(
            model, board, io, output, calibrate, strict, simulate, device,
            samples=samples, timeout_s=timeout,
        ),
        terminal,
    )  # fmt: skip
    _measure(commands, settings, built, terminal, "verify", verify=True, bench=False)


@app.command()
def bench(
    model: Model = None,
    board: BoardOption = None,
    output: OutputOption = None,
    io: IoOption = None,
    calibrate: CalibrateOption = None,
    strict: StrictOption = None,
    simulate: SimulateOption = None,
    device: DeviceOption = None,
    runs: RunsOption = None,
    warmups: WarmupsOption = None,
    timeout: TimeoutOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """Time inferences.

    Counts cycles on a board, instructions on QEMU: min, median, p99, max.
    """
    from mcugen import commands

    terminal = _begin(json, quiet, verbose, no_color)
    settings, built = commands.last_or_build(
        Options(
            model, board, io, output, calibrate, strict, simulate, device,
            runs=runs, warmups=warmups, timeout_s=timeout,
        ),
        terminal,
    )  # fmt: skip
    _measure(commands, settings, built, terminal, "bench", verify=False, bench=True)


@app.command()
def infer(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Bundled model, file.py:factory, .pt2 or .pte.",
            autocompletion=completion.models,
        ),
    ],
    inputs: Annotated[
        list[Path],
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="One per input: raw bytes in the tensor's dtype and memory order, or .npy.",
        ),
    ],
    outputs: Annotated[
        list[Path],
        typer.Option("--output", metavar="FILE", help="One per output: raw bytes, or .npy."),
    ],
    board: BoardOption = None,
    output_dir: OutputOption = None,
    io: IoOption = None,
    calibrate: CalibrateOption = None,
    strict: StrictOption = None,
    simulate: SimulateOption = None,
    device: DeviceOption = None,
    timeout: TimeoutOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """Run one inference, from files to files."""
    from mcugen import commands

    terminal = _begin(json, quiet, verbose, no_color)
    options = Options(
        model, board, io, output_dir, calibrate, strict, simulate, device, timeout_s=timeout
    )
    document = commands.infer(options, inputs, outputs, terminal)
    lines = [f"{row['file']}: {row['dtype']}, {row['bytes']:,} B" for row in document["outputs"]]
    terminal.answer("\n".join(lines), document)


@app.command()
def inspect(
    model: Model = None,
    board: BoardOption = None,
    io: IoOption = None,
    calibrate: CalibrateOption = None,
    strict: StrictOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """Show operators, tensors and memory of a model.

    And what fell back to float, and why. Compiles nothing.
    """
    from mcugen import commands, report

    terminal = _begin(json, quiet, verbose, no_color)
    settings = commands.resolve(Options(model, board, io, None, calibrate, strict))
    document = commands.inspect(settings, terminal)
    terminal.answer(report.inspect_text(document, terminal), document)


@app.command()
def boards(
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """List the boards."""
    from mcugen import listings

    terminal = _begin(json, quiet, verbose, no_color)
    terminal.answer(*listings.boards())


@app.command()
def models(
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """List the bundled models."""
    from mcugen import listings

    terminal = _begin(json, quiet, verbose, no_color)
    terminal.answer(*listings.models())


@app.command()
def devices(
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """List serial ports and debug probes."""
    from mcugen import listings

    terminal = _begin(json, quiet, verbose, no_color)
    terminal.answer(*listings.devices())


@app.command()
def doctor(
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """Check what is installed; say how to get the rest.

    Ends with exit code 3 when something that is needed is missing.
    """
    from mcugen import listings

    terminal = _begin(json, quiet, verbose, no_color)
    text, document = listings.doctor(terminal)
    terminal.answer(text, document)
    if not document["ok"]:
        raise typer.Exit(3)


@app.command()
def clean(
    cache: Annotated[
        bool, typer.Option("--cache", help="The caches of all projects, too.")
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_color: NoColorOption = False,
) -> None:
    """Remove what mcugen made in this project.

    Files you edited or added stay, and are listed.
    """
    from mcugen import commands

    terminal = _begin(json, quiet, verbose, no_color)
    terminal.answer(*commands.clean(terminal, caches=cache))
