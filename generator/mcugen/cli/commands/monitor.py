# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen monitor`: what a device and a program say to each other, decoded."""

from __future__ import annotations

import datetime
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcugen.base.errors import ConfigError, McugenError
from mcugen.cli.options import Options
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal

if TYPE_CHECKING:
    from mcugen.device.monitor import Heard

SCHEMA = "mcugen.monitor/1"


@subcommand("board", "simulate", "device")
def monitor(
    options: Options,
    terminal: Terminal,
    *,
    proxy: Annotated[
        bool, typer.Option("--proxy", help="Make a tty at which another program can talk.")
    ] = False,
    link: Annotated[
        Path | None,
        typer.Option(
            "--link",
            metavar="PATH",
            help="With --proxy: a symbolic link to that tty.",
            show_default=False,
        ),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The bytes as they come, undecoded.")] = False,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            min=0.0,
            metavar="S",
            help="End after that (default: at Ctrl-C).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show what is said on a device's port, decoded, with times.

    Opens the port itself. Lines that are typed are sent as commands; with --proxy another program
    talks instead. --json prints one document on each line.
    """
    from mcugen.device.probe_lock import probe_lock

    if link is not None and not proxy:
        raise ConfigError("--link goes with --proxy")
    port, baud, probe = _port(options)
    with probe_lock(port, probe):
        _listen(terminal, port, baud, link, proxy=proxy, raw=raw, seconds=seconds)


def _listen(
    terminal: Terminal,
    port: str,
    baud: int,
    link: Path | None,
    *,
    proxy: bool,
    raw: bool,
    seconds: float | None,
) -> None:
    from mcugen.device.console import SerialConsole
    from mcugen.device.monitor import Monitor
    from mcugen.device.proxy_tty import ProxyTty

    console = SerialConsole(port, baud)
    tty = None
    show = _json_lines if terminal.json else _lines(terminal)
    try:
        tty = ProxyTty(link) if proxy else None
        _begin(terminal, port, baud, tty.path if tty else None)
        typed = sys.stdin if tty is None else None
        Monitor(console, show, tty, typed, raw).listen(seconds)
    except KeyboardInterrupt:
        pass  # that is how one ends it
    except McugenError as error:
        if not terminal.json:
            raise
        _print({"kind": "error", "error": error.message, "exit_code": error.exit_code})
        terminal.error(error.message, hint=error.hint, log_path=error.log_path)
        raise typer.Exit(error.exit_code) from None
    finally:
        if tty is not None:
            if tty.dropped_bytes:
                terminal.warning(f"{tty.dropped_bytes:,} B of the device were read by nobody")
            tty.close()
        console.close()


def _port(options: Options) -> tuple[str, int, str | None]:
    """Return the port that is meant, its speed, and the probe that it is of, if it is known.

    Raises ConfigError, FlashError: there is none, or several could be meant.
    """
    from dataclasses import replace

    from mcugen.boards.load import load_board
    from mcugen.cli.config import load_config
    from mcugen.cli.settings import resolve_with
    from mcugen.flow.flashing import console_of, find_target
    from mcugen.flow.settings import DEFAULT_BOARD
    from mcugen.project import last_build

    config = load_config(Path.cwd())
    named = options.device
    if named is not None and ("://" in named or os.path.exists(named)):
        # Whatever listens there, a simulated board's tty too.
        if options.simulate:
            raise ConfigError("give one of --device and --simulate")
        return named, load_board(options.board or config.board or DEFAULT_BOARD).console.baud, None
    if options.board is None and last_build.has_last_build(config.root):
        options = replace(options, board=last_build.load_last_build(config.root).board_id)
    settings = resolve_with(options, config)
    baud = settings.board.console.baud
    if settings.simulate:
        return _simulator(config.root, settings.board.id), baud, None
    target = find_target(settings)
    return console_of(settings, target).name, baud, target.probe_serial


def _simulator(root: Path, board_id: str) -> str:
    """Return the console of the one simulator of a board that runs for a folder."""
    from mcugen.device import qemu
    from mcugen.project import last_build

    folder = last_build.out_dir(root)
    found: dict[str, str] = {}
    for state in sorted(folder.glob(f"*/{qemu.SESSION_NAME}")):
        name = state.parent.name
        session = qemu.running_session(state) if name.endswith(f"-{board_id}") else None
        if session is not None:
            found[name] = session.url
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise ConfigError(
            f"no simulator of {board_id} runs for {folder}",
            hint=f"Start one: mcugen flash --board {board_id} --simulate; --board chooses another.",
        )
    listed = "\n".join(f"  {name}: {url}" for name, url in found.items())
    raise ConfigError(
        f"{len(found)} simulators of {board_id} run for {folder}:\n{listed}",
        hint="Choose one by --device with its URL or path.",
    )


def _begin(terminal: Terminal, port: str, baud: int, tty: str | None) -> None:
    if terminal.json:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        _print({"schema": SCHEMA, "kind": "start", "at": now, "port": port, "tty": tty})
        return
    terminal.stage(f"listening to {port}, {baud} baud; Ctrl-C ends it")
    if tty is not None:
        sys.stdout.write(f"tty for another program: {tty}\n")
        sys.stdout.flush()


def _lines(terminal: Terminal) -> Callable[[Heard], None]:
    from mcugen.device.protocol.wording import words_of

    def show(heard: Heard) -> None:
        mark, style = ("<", "green") if heard.from_device else (">", "cyan")
        words = _dump(heard.what) if isinstance(heard.what, bytes) else [words_of(heard.what)]
        for text in words:
            sys.stdout.write(f"{heard.at_s:11.6f} {terminal.paint(mark, style)} {text}\n")
        sys.stdout.flush()

    return show


def _dump(data: bytes) -> list[str]:
    rows = [data[begin : begin + 16] for begin in range(0, len(data), 16)]
    return [
        f"{row.hex(' '):<47}  " + "".join(chr(b) if 0x20 <= b < 0x7F else "." for b in row)
        for row in rows
    ]


def _json_lines(heard: Heard) -> None:
    from mcugen.device.protocol.wording import fields_of

    what = heard.what
    fields = {"kind": "bytes", "body": what.hex()} if isinstance(what, bytes) else fields_of(what)
    side = "device" if heard.from_device else "host"
    _print({"t": round(heard.at_s, 6), "from": side, **fields})


def _print(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()
