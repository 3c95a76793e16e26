# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen models`: the bundled models."""

from __future__ import annotations

from typing import Any

from mcugen.cli.options import (
    Options,
    subcommand,
)
from mcugen.cli.terminal import Terminal, table


@subcommand()
def models(options: Options, terminal: Terminal) -> None:
    """List the bundled models."""
    terminal.answer(*listing())


def listing() -> tuple[str, dict[str, Any]]:
    """Return the bundled models."""
    from mcugen.model.catalog import list_models

    found = list_models()
    text = table(
        [(model.name, model.input, model.description) for model in found],
        header=("model", "input", "what it is"),
    )
    entries = [
        {
            "name": model.name,
            "description": model.description,
            "input": model.input,
            "trained": model.trained,
            "dataset": model.dataset,
        }
        for model in found
    ]
    text += "\nA model of your own: file.py:factory, file.pt2 or file.pte."
    return text, {"schema": "mcugen.models/1", "models": entries}
