# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen push`: a model onto a board that runs the runner."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcugen.base.errors import ConfigError, DoesNotFitError
from mcugen.cli.options import QUANTIZING, TARGET, Options, RequiredModel
from mcugen.cli.runner_connection import connected_runner
from mcugen.cli.settings import resolve
from mcugen.cli.subcommand import OWN, subcommand
from mcugen.cli.terminal import Terminal
from mcugen.flow import building, flashing
from mcugen.flow.settings import Settings
from mcugen.project import last_build

if TYPE_CHECKING:
    from mcugen.device.protocol.info import DeviceInfo
    from mcugen.program.artifact import PteArtifact, TensorSpec

# executorch::aten::ScalarType, as `mcugen info%` tells it.
_DTYPES = {
    **{0: "uint8", 1: "int8", 2: "int16", 3: "int32", 4: "int64"},
    **{6: "float32", 7: "float64", 11: "bool"},
}


@subcommand(
    *("board", OWN, "io", *QUANTIZING, "dim", "strict", "accept_loss", "trust"),
    *TARGET,
    "timeout_s",
)
def push(
    options: Options,
    terminal: Terminal,
    *,
    model: RequiredModel,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="One per input: raw bytes in the tensor's dtype and memory order, or .npy "
            "(default: zeros).",
        ),
    ] = None,
    outputs: Annotated[
        list[Path] | None,
        typer.Option("--output", metavar="FILE", help="One per output: raw bytes, or .npy."),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", metavar="NAME", help="Method of a .pte that has several.")
    ] = "",
) -> None:
    """Give a model to a board that runs the runner.

    Takes seconds: nothing is compiled. Runs one inference, says what memory and time it took.
    """
    options = replace(options, model=model)
    described = document(options, inputs or [], outputs or [], method, terminal)
    terminal.answer(push_text(described), described)


def document(
    options: Options,
    inputs: Sequence[Path],
    outputs: Sequence[Path],
    method: str,
    terminal: Terminal,
) -> dict[str, Any]:
    """Give a runner a model, run one inference; return the document."""
    from mcugen.device import timing
    from mcugen.flow.report import documents
    from mcugen.program import tensor_files
    from mcugen.program.planning.arrange import Passes, arrange

    settings = resolve(options)
    board = settings.board
    # Of the model that is pushed, not of a project.
    settings = dataclasses.replace(settings, output=None)
    tensor_files.check_files(inputs, outputs)
    building.check_model(settings)
    flashing.check_target(settings)
    exported, _ = building.make_artifact(settings, terminal)
    artifact = arrange(exported, Passes(board.isa))
    pte, method = _program(settings, artifact, method)
    data: tuple[bytes, ...] = ()
    same = method in ("", artifact.method_name)
    if same:
        data = tensor_files.read_inputs(inputs, artifact.inputs) if inputs else ()
        if outputs:
            tensor_files.check_outputs(outputs, artifact.outputs)
    transcript = (
        last_build.out_dir(settings.root)
        / "transcripts"
        / f"{building.slug(artifact.name)}-{board.id}-push.txt"
    )
    with connected_runner(settings, transcript, terminal) as runner:
        before = runner.client.info()
        if sum(_parts(artifact, len(pte)).values()) > (before.runner or 0):
            artifact = arrange(exported, Passes(board.isa, lean=True))
            pte, method = _program(settings, artifact, method)
        _check_room(artifact, len(pte), before)
        started = time.monotonic()
        sending = f"send {artifact.name} ({len(pte):,} B)"
        terminal.step(sending, 0, len(pte))
        info = runner.push(pte, method, advance=lambda done: terminal.step(sending, done, len(pte)))
        terminal.end_bar()
        seconds = time.monotonic() - started
        in_specs, out_specs = (
            (artifact.inputs, artifact.outputs)
            if same
            else (_specs("input", info.inputs), _specs("output", info.outputs))
        )
        if not same:
            data = tensor_files.read_inputs(inputs, in_specs) if inputs else ()
            if outputs:
                tensor_files.check_outputs(outputs, out_specs)
        terminal.stage("infer")
        results, ticks = runner.run_timed(data)
        info = runner.client.info()
    for path, spec, result in zip(outputs, out_specs, results, strict=False):
        tensor_files.write_output(path, spec, result)
    unit, count = timing.counted(ticks, info, board, simulated=settings.simulate)
    return {
        "schema": "mcugen.push/1",
        "model": documents.model_section(artifact),
        "method": info.method,
        "board": documents.board_section(board, simulated=settings.simulate, info=info),
        "firmware": {"id": info.firmware_id},
        "memory": _memory(info),
        "device": documents.device_section(info),
        "push_seconds": round(seconds, 3),
        "counter": unit,
        "count": count,
        "inputs": [str(path) for path in inputs],  # none: zeros
        "outputs": [
            {"file": str(path), **documents.tensor_section(spec)}
            for path, spec in zip(outputs, out_specs, strict=False)
        ],
        "transcript": str(transcript),
    }


def push_text(document: dict[str, Any]) -> str:
    """Return the document of `push` for people."""
    memory, board = document["memory"], document["board"]
    of = ", ".join(
        f"{name} {memory[f'{name}_bytes']:,}" for name in ("pte", "io", "planned", "method")
    )
    lines = [
        f"{document['model']['name']} runs on {board['name']} ({board['id']})",
        f"memory: {memory['used_bytes']:,} of {memory['arena_bytes']:,} B ({of})",
    ]
    if document["count"] is not None:
        on = "one inference" if document["inputs"] else "one inference, of zeros"
        lines.append(f"{document['counter']}: {document['count']:,} for {on}")
    lines += [f"{row['file']}: {row['dtype']}, {row['bytes']:,} B" for row in document["outputs"]]
    return "\n".join(lines)


def _program(settings: Settings, artifact: PteArtifact, method: str) -> tuple[bytes, str]:
    """Return the `.pte` to send and the name of its method, "" for the usual one."""
    if method in ("", artifact.method_name):
        return artifact.pte, artifact.method_name
    path = Path(str(settings.model))
    if path.suffix != ".pte":
        raise ConfigError(
            f"{artifact.name} has one method, '{artifact.method_name}', not '{method}'",
            hint="--method chooses among the methods of a .pte file.",
        )
    # The stripped form keeps what the usual method needs.
    return path.read_bytes(), method


def _parts(artifact: PteArtifact, pte_bytes: int) -> dict[str, int]:
    """Return the bytes that a runner needs, by what they are for."""
    from mcugen.program.memory import io_bytes

    return {
        "the .pte": pte_bytes,
        "inputs and outputs": io_bytes(artifact),
        "planned memory": sum(artifact.planned_buffers),
        "the method": artifact.method_bytes,
    }


def _check_room(artifact: PteArtifact, pte_bytes: int, info: DeviceInfo) -> None:
    parts = _parts(artifact, pte_bytes)
    assert info.runner is not None
    if sum(parts.values()) > info.runner:
        listed = ", ".join(f"{size:,} for {what}" for what, size in parts.items())
        raise DoesNotFitError(
            f"{artifact.name} needs {sum(parts.values()):,} B; the runner on {info.board} has "
            f"{info.runner:,} B\n{listed}",
            hint="'mcugen build' puts the model into flash and leaves all RAM to the rest; "
            "or take a board with more memory.",
        )


def _specs(side: str, tensors: Sequence[tuple[int, int]]) -> tuple[TensorSpec, ...]:
    """Return what the device knows of its tensors: all but their shapes."""
    import numpy as np

    from mcugen.program.artifact import TensorSpec

    found = []
    for index, (code, size) in enumerate(tensors):
        dtype = _DTYPES.get(code, "uint8")
        shape = (size // np.dtype(dtype).itemsize,)
        found.append(TensorSpec(f"{side} {index}", shape, (0,), dtype, None, None, True))
    return tuple(found)


def _memory(info: DeviceInfo) -> dict[str, int]:
    assert info.runner is not None
    parts = {
        "pte_bytes": info.pte_bytes,
        "io_bytes": info.memory["io"].used_bytes,
        "planned_bytes": info.memory["planned"].used_bytes,
        "method_bytes": info.memory["method"].used_bytes,
    }
    return {**parts, "used_bytes": sum(parts.values()), "arena_bytes": info.runner}
