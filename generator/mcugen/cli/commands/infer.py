# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen infer`: one inference, from files to files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from mcugen.cli.options import QUANTIZING, TARGET, Options, RequiredModel
from mcugen.cli.settings import resolve
from mcugen.cli.subcommand import OWN, subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow.building import build_artifact, check_compiler, check_model, make_artifact
from mcugen.flow.connection import connect
from mcugen.flow.flashing import check_target


@subcommand(
    *(OWN, "board", "output", "io", *QUANTIZING, "dim", "strict", "accept_loss", "trust"),
    *TARGET,
    "timeout_s",
)
def infer(
    options: Options,
    terminal: Terminal,
    *,
    model: RequiredModel,
    inputs: Annotated[
        list[Path],
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="One per input: raw bytes in the tensor's dtype and memory order, or .npy.",
        ),
    ],
    outputs: Annotated[
        list[Path],
        typer.Option("--output", metavar="FILE", help="One per output: raw bytes, or .npy."),
    ],
) -> None:
    """Run one inference, from files to files."""
    described = document(replace(options, model=model), inputs, outputs, terminal)
    lines = [f"{row['file']}: {row['dtype']}, {row['bytes']:,} B" for row in described["outputs"]]
    terminal.answer("\n".join(lines), described)


def document(
    options: Options, inputs: Sequence[Path], outputs: Sequence[Path], terminal: Terminal
) -> dict[str, Any]:
    """Run one inference from files to files; return the document."""
    from mcugen.device import inference, timing
    from mcugen.flow.report import documents
    from mcugen.program import tensor_files

    settings = resolve(options)
    tensor_files.check_files(inputs, outputs)
    check_model(settings)
    check_compiler()
    artifact, lowering = make_artifact(settings, terminal)
    data = tensor_files.read_inputs(inputs, artifact.inputs)
    tensor_files.check_outputs(outputs, artifact.outputs)
    check_target(settings)
    built = build_artifact(settings, artifact, lowering, terminal)
    artifact = built.artifact
    with connect(settings, built, terminal, "infer") as link:
        terminal.stage("infer")
        results, ticks = inference.infer(link.client, artifact, data)
    for path, spec, result in zip(outputs, artifact.outputs, results, strict=True):
        tensor_files.write_output(path, spec, result)
    counter, count = timing.counted(ticks, link.info, built.board, simulated=link.simulated)
    return {
        "schema": "mcugen.infer/1",
        "model": documents.model_section(artifact),
        "board": documents.board_section(built.board, simulated=link.simulated, info=link.info),
        "firmware": documents.firmware_section(built.board, built.plan, built.image, link.info),
        "outputs": [
            {"file": str(path), **documents.tensor_section(spec)}
            for path, spec in zip(outputs, artifact.outputs, strict=True)
        ],
        # ticks: raw, of counter_hz, the empty interval included. count: what they make.
        "ticks": ticks,
        "counter_hz": link.info.counter_hz,
        "counter": counter,
        "count": count,
        "project": str(built.image.project.root),
        "transcript": str(link.transcript),
    }
