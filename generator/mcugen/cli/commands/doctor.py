# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen doctor`: what is installed, what is missing, how to get it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mcugen.base.install import SYSTEMS, this_system
from mcugen.cli.options import Options
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow.terminal import table


@subcommand()
def doctor(
    options: Options,
    terminal: Terminal,
    *,
    udev: Annotated[
        bool,
        typer.Option("--udev", help="Print the rules that let you use probes on Linux, no more."),
    ] = False,
) -> None:
    """Check what is installed; say how to get the rest.

    Ends with exit code 3 when something that is needed is missing.
    """
    if udev:
        terminal.answer(*rules())
        return
    text, document = listing(terminal)
    terminal.answer(text, document)
    if not document["ok"]:
        raise typer.Exit(3)


def rules() -> tuple[str, dict[str, Any]]:
    """Return udev's rules for every probe and boot loader that is known."""
    from mcugen.boards.load import list_boards
    from mcugen.device.udev import RULES_FILE, udev_rules

    text = udev_rules(list_boards())
    return text, {"schema": "mcugen.udev/1", "file": RULES_FILE, "rules": text.splitlines()}


def listing(terminal: Terminal) -> tuple[str, dict[str, Any]]:
    """Return every check; the document's "ok" is False if something needed is not usable."""
    from mcugen.cli.installation import missing, run_checks

    checks = run_checks()
    rows, advice, entries = [], [], []
    for check in checks:
        if check.ok:
            state = "ok"
        elif check.version is None:
            state = "MISSING" if check.needed else "missing"
        else:
            state = "WRONG"
        rows.append((state, check.name, check.version or "-", check.needed_by, check.path or "-"))
        if not check.ok:
            problem = f" ({check.problem})" if check.problem else ""
            everywhere = check.needed or terminal.verbose
            advice += [f"{check.name}{problem}", *_commands(check.install, everywhere)]
        elif check.remark:
            advice.append(f"{check.name} {check.version}: {check.remark}")
        entries.append(
            {
                "name": check.name,
                "ok": check.ok,
                "version": check.version,
                "path": check.path,
                "needed": check.needed,
                "needed_by": check.needed_by,
                "problem": check.problem,
                "remark": check.remark,
                "install": dict(check.install),
            }
        )
    lines = [table(rows, header=("", "what", "version", "needed by", "where"))]
    if advice:
        lines += ["", terminal.paint("To do:", "bold"), *(f"  {line}" for line in advice)]
    document = {
        "schema": "mcugen.doctor/2",
        "ok": not missing(checks),
        "system": this_system(),
        "checks": entries,
    }
    return "\n".join(lines), document


def _commands(install: Mapping[str, str], everywhere: bool) -> list[str]:
    """Return a line for each system, this one's first; one line where they are all the same."""
    system = this_system()
    if len(set(install.values())) == 1:
        return [f"  {next(iter(install.values()))}"]
    if system is not None and not everywhere:
        return [f"  {install[system]}"]
    names = sorted(install, key=lambda name: name != system)
    width = max(len(title) for title in SYSTEMS.values()) + 1
    return [f"  {SYSTEMS[name] + ':':{width}} {install[name]}" for name in names]
