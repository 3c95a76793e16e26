# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen profile`: which layer takes what."""

from __future__ import annotations

from typing import Any

from mcugen.base.errors import ConfigError
from mcugen.cli.building import Built, last_or_build
from mcugen.cli.options import (
    BUILDING,
    TARGET,
    Options,
    subcommand,
)
from mcugen.cli.settings import Settings, resolve
from mcugen.cli.terminal import Terminal


@subcommand(*BUILDING, *TARGET, "timeout_s")
def profile(options: Options, terminal: Terminal) -> None:
    """Show what each layer takes.

    Instructions, MACs and estimated cycles of each operator call, by a trace of one inference of
    the unmodified image in QEMU.
    """
    from mcugen.cli.report.profile import profile_text

    if options.board is not None:
        require_simulated(resolve(options))  # before minutes of work for nothing
    settings, built = last_or_build(options, terminal)
    require_simulated(settings)
    described = document(settings, built, terminal)
    terminal.answer(profile_text(described, terminal), described)


def require_simulated(settings: Settings) -> None:
    """Raise ConfigError for a real board."""
    board = settings.board
    if not settings.simulate:
        raise ConfigError(
            f"only simulated boards can be profiled; {board.id} is a real one",
            hint="--simulate profiles the same image on the board's QEMU machine."
            if board.qemu is not None
            else "'mcugen boards' shows which boards can be simulated.",
        )


def document(settings: Settings, built: Built, terminal: Terminal) -> dict[str, Any]:
    """Profile a build on its simulated board; return the document.

    Raises ConfigError for a build with ExecuTorch's own libraries.
    """
    from mcugen.cli.measuring import evaluation
    from mcugen.cli.profiling import profiled
    from mcugen.cli.report import documents
    from mcugen.cli.report.profile import profile_section

    if not built.artifact.own_runtime:
        raise ConfigError(
            "a build with ExecuTorch's own libraries cannot be profiled: its operators are not "
            "called by functions that are known here",
            hint="Build without --runtime.",
        )
    inputs = evaluation(settings, built, terminal, verify=False).inputs[0]
    with profiled(settings, built, terminal) as session:
        terminal.stage("trace one inference")
        result = session.profile(inputs)
        counted = session.counted(result.ticks)
        info = session.info
    section = profile_section(result, counted, session.resolution)
    forms = {each.call: each for each in built.forms}
    for call in section["calls"]:
        form = forms.get(call["number"])
        call["form"], call["why"] = (form.form, form.why) if form and form.form else (None, None)
    return {
        "schema": "mcugen.profile/1",
        "model": documents.model_section(built.artifact),
        "board": documents.board_section(built.board, simulated=True, info=info),
        "firmware": documents.firmware_section(built.board, built.plan, built.image, info),
        "optimize": built.level.value,
        **section,
        "project": str(built.image.project.root),
    }
