# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen inspect`: what a model becomes, without compiling anything."""

from __future__ import annotations

from mcugen.cli.options import (
    Options,
    subcommand,
)
from mcugen.cli.settings import resolve
from mcugen.cli.terminal import Terminal


@subcommand("model", "board", "io", "calibrate", "pixels", "dim", "strict", "trust")
def inspect(options: Options, terminal: Terminal) -> None:
    """Show operators, tensors and memory of a model.

    And what fell back to float, and why. Compiles nothing.
    """
    from mcugen.flow.inspecting import inspect_document
    from mcugen.flow.report import text

    described = inspect_document(resolve(options), terminal)
    terminal.answer(text.inspect_text(described, terminal), described)
