# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen doctor`: what is installed, what is missing, how to get it."""

from __future__ import annotations

from typing import Any

import typer

from mcugen.cli.options import Options
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow.terminal import table


@subcommand()
def doctor(options: Options, terminal: Terminal) -> None:
    """Check what is installed; say how to get the rest.

    Ends with exit code 3 when something that is needed is missing.
    """
    text, document = listing(terminal)
    terminal.answer(text, document)
    if not document["ok"]:
        raise typer.Exit(3)


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
        rows.append((state, check.name, check.version or "-", check.needed_by))
        if not check.ok:
            problem = f" ({check.problem})" if check.problem else ""
            advice.append(f"{check.name}{problem}: {check.install}")
        entries.append(
            {
                "name": check.name,
                "ok": check.ok,
                "version": check.version,
                "needed": check.needed,
                "needed_by": check.needed_by,
                "problem": check.problem,
                "install": check.install or None,
            }
        )
    lines = [table(rows, header=("", "what", "version", "needed by"))]
    if advice:
        lines += ["", terminal.paint("To do:", "bold"), *(f"  {line}" for line in advice)]
    document = {"schema": "mcugen.doctor/1", "ok": not missing(checks), "checks": entries}
    return "\n".join(lines), document
