# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen clean`: remove what was made, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mcugen.cli.config import load_config
from mcugen.cli.options import Options
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow.paths import show_path


@subcommand()
def clean(
    options: Options,
    terminal: Terminal,
    *,
    cache: Annotated[
        bool, typer.Option("--cache", help="The caches of all projects, too.")
    ] = False,
) -> None:
    """Remove what mcugen made in this project, and end its simulators.

    Files you edited or added stay, and are listed.
    """
    terminal.answer(*document(caches=cache))


def document(*, caches: bool) -> tuple[str, dict[str, Any]]:
    """Remove what mcugen made in this project, and the caches if asked to; text and document."""
    from mcugen.cli import cleaning

    config = load_config(Path.cwd())
    result = cleaning.clean_project(config.root)
    lines = [f"removed {show_path(path)}" for path in result.removed]
    lines += [f"kept {show_path(path)}: {why}" for path, why in result.kept]
    freed = None
    if caches:
        from mcugen.base import cache

        freed = cache.clear()
        lines.append(f"removed the caches in {cache.cache_dir()} ({freed:,} B)")
    others, told = cleaning.running_elsewhere()
    described = {
        "schema": "mcugen.clean/1",
        "removed": [str(path) for path in result.removed],
        "kept": [{"path": str(path), "why": why} for path, why in result.kept],
        "cache_bytes": freed,
        "simulators_elsewhere": others,
    }
    return "\n".join([*(lines or ["nothing to remove"]), *told]), described
