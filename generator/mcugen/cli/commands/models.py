# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen models`: the bundled models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcugen.cli.options import Options
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow.terminal import table

if TYPE_CHECKING:
    from mcugen.model.catalog import DatasetInfo


@subcommand()
def models(options: Options, terminal: Terminal) -> None:
    """List the bundled models."""
    terminal.answer(*listing())


def listing() -> tuple[str, dict[str, Any]]:
    """Return the bundled models."""
    from mcugen.model.catalog import DATASETS, list_models

    found = list_models()
    used = [DATASETS[model.dataset] for model in found if model.dataset]
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
    datasets = [
        {
            "name": data.name,
            "description": data.description,
            "licence": data.licence,
            "package": data.package,
            "extra": data.extra,
        }
        for data in used
    ]
    rows = [(data.name, data.description, data.licence, _from(data)) for data in used]
    text += "\n\n" + table(rows, header=("data", "what it is", "licence", "comes with"))
    text += "\n\nA model of your own: file.py:factory, file.pt2 or file.pte."
    return text, {"schema": "mcugen.models/1", "models": entries, "datasets": datasets}


def _from(data: DatasetInfo) -> str:
    """Return what to install for a dataset."""
    return f"{data.package}, mcugen[{data.extra}]" if data.extra else data.package
