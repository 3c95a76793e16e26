# SPDX-License-Identifier: BSD-3-Clause
"""The last build found again, or another one made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import ConfigError
from mcugen.cli.config import load_config
from mcugen.cli.options import Options
from mcugen.cli.settings import resolve_with
from mcugen.export.quantization import DEFAULTS
from mcugen.flow.building import Built, build
from mcugen.flow.paths import show_path
from mcugen.flow.settings import Settings

if TYPE_CHECKING:
    from mcugen.cli.terminal import Terminal


def last_or_build(options: Options, terminal: Terminal) -> tuple[Settings, Built]:
    """Return the last build if the options do not ask for another one, else build.

    Raises ConfigError when there is neither a last build nor a model to build.
    """
    from mcugen.boards.load import load_board
    from mcugen.project import last_build

    config = load_config(Path.cwd())
    builds_anew = any(
        value is not None
        for value in (
            options.model,
            options.io,
            options.calibrate,
            options.pixels,
            options.dim or None,
            options.calibration_method,
            options.calibration_samples,
            options.layer_method or None,
            options.float_layer or None,
            options.tune or None,
            options.output,
            options.strict,
            options.optimize,
        )
    )
    last = None
    if not builds_anew and last_build.has_last_build(config.root):
        last = last_build.load_last_build(config.root)
        if options.board is not None and load_board(options.board).reference != last.board_id:
            # Another board: the same model is built for it.
            chosen = last.quantization.options
            options = replace(
                options,
                model=last.model,
                io=last.io,
                **(chosen.to_json() if chosen != DEFAULTS else {}),
            )
            config = replace(
                config,
                calibrate=last.calibrate or config.calibrate,
                pixels=last.pixels or config.pixels,
                dim=list(last.dim) or config.dim,
                optimize=last.level.value,
            )
            last = None
    elif not builds_anew and config.model is None and options.board is None:
        raise ConfigError(
            f"nothing has been built in {show_path(config.root)} yet",
            hint="mcugen build MODEL --board BOARD, or name a model here, too.",
        )
    if last is None:
        settings = resolve_with(options, config)
        return settings, build(settings, terminal)
    # Samples to verify it with are scaled and shaped as those it was calibrated with.
    config = replace(config, pixels=last.pixels or config.pixels, dim=list(last.dim) or config.dim)
    settings = resolve_with(replace(options, model=last.model, board=last.board_id), config)
    return settings, built_from(last)


def built_from(last: Any) -> Built:
    """Return a remembered build; what follows from it is computed again."""
    from mcugen.boards.load import load_board
    from mcugen.program.memory import plan_memory

    board = load_board(last.board_id)
    return Built(
        model=last.model,
        board=board,
        io=last.io,
        calibrate=last.calibrate,
        artifact=last.artifact,
        exported=last.exported,
        plan=plan_memory(last.artifact, board),
        image=last.image,
        fidelity=last.fidelity,
        quantization=last.quantization,
        layers=last.layers,
        level=last.level,
    )
