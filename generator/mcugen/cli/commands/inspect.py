# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen inspect`: what a model becomes, without compiling anything."""

from __future__ import annotations

from typing import Annotated

import typer

from mcugen.cli.options import QUANTIZING, Options
from mcugen.cli.settings import resolve
from mcugen.cli.subcommand import OWN, subcommand
from mcugen.cli.terminal import Terminal

OperatorsOption = Annotated[
    bool,
    typer.Option("--operators", help="Every operator of the model: its line, where it ended up."),
]


LayersOption = Annotated[
    bool, typer.Option("--layers", help="What int8 costs layer by layer, worst first.")
]


@subcommand("model", "board", OWN, "io", *QUANTIZING, "dim", "strict", "trust")
def inspect(
    options: Options,
    terminal: Terminal,
    *,
    operators: OperatorsOption = False,
    layers: LayersOption = False,
) -> None:
    """Show operators, tensors and memory of a model.

    And what fell back to float, why, and what would make it int8. Compiles nothing.
    """
    from mcugen.flow.inspecting import inspect_document
    from mcugen.flow.report import text

    described = inspect_document(resolve(options), terminal)
    told = text.inspect_text(described, terminal, operators=operators, layers=layers)
    terminal.answer(told, described)
