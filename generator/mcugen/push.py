# SPDX-License-Identifier: BSD-3-Clause
"""What `build --runner`, `flash --runner` and `push` do: a generic image, and models onto it."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen import commands, state
from mcugen.commands import Options, Settings
from mcugen.errors import ConfigError, DeviceError, DeviceTimeoutError, DoesNotFitError, McugenError

if TYPE_CHECKING:
    from mcugen.boards import BoardSpec
    from mcugen.build import BuiltImage
    from mcugen.protocol import DeviceInfo
    from mcugen.pte import PteArtifact, TensorSpec
    from mcugen.runner import Runner
    from mcugen.terminal import Terminal

# executorch::aten::ScalarType, as `mcugen info%` tells it.
_DTYPES = {
    **{0: "uint8", 1: "int8", 2: "int16", 3: "int32", 4: "int64"},
    **{6: "float32", 7: "float64", 11: "bool"},
}


def build_runner(settings: Settings, terminal: Terminal) -> BuiltImage:
    """Generate and compile the board's runner, or find that nothing has changed."""
    from mcugen.build import build_project
    from mcugen.project import project_lock
    from mcugen.runner import write_runner_project

    board = settings.board
    root = settings.output or state.out_dir(settings.root) / f"runner-{board.id}"
    compiling = f"compile the runner for {board.name} ({board.cpu})"
    with project_lock(root):
        image = build_project(
            write_runner_project(board, root),
            board,
            progress=lambda _, done, total: terminal.step(compiling, done, total),
            verbose=terminal.verbose,
        )
    terminal.end_bar()
    return image


def build(options: Options, terminal: Terminal) -> tuple[str, dict[str, Any]]:
    """Make a runner; text and document."""
    from mcugen import operators
    from mcugen.report import show_path

    settings = _settings(options)
    commands.check_compiler()
    image = build_runner(settings, terminal)
    document = _document(settings.board, image)
    text = (
        f"runner for {settings.board.name} ({settings.board.id}): {len(operators.names())} "
        f"operators, engine {image.engine_bytes:,} B, {document['arena_bytes']:,} B for models\n"
        f"{show_path(image.elf)}\n"
        f"mcugen flash --runner --board {settings.board.id} starts it, "
        f"mcugen push MODEL --board {settings.board.id} gives it a model"
    )
    return text, document


def flash(options: Options, terminal: Terminal) -> tuple[str, dict[str, Any]]:
    """Put a runner on a board, or start it on QEMU and leave it running; text and document."""
    settings = _settings(options)
    board = settings.board
    commands.check_target(settings)
    commands.check_compiler()
    image = build_runner(settings, terminal)
    document = _document(board, image) | {"simulated": settings.simulate}
    hint = f"mcugen push MODEL --board {board.id}"
    if settings.simulate:
        session = _start(board, image, terminal)
        document |= {"port": session.url, "probe": None, "pid": session.pid}
        assert board.qemu is not None
        how = " --simulate" if not board.simulated_only else ""
        return (
            f"the runner runs on QEMU's {board.qemu.machine}; its console is {session.url}\n"
            f"{hint}{how} gives it a model; mcugen flash --stop ends it",
            document,
        )
    from mcugen.device import ProbeFlasher

    target = commands.find_target(settings)
    terminal.stage(f"flash {board.name}")
    ProbeFlasher(board, target.probe_serial).flash(image)
    document |= {"port": target.port, "probe": target.probe_serial, "pid": None}
    return f"the runner runs on {board.name}\n{hint} gives it a model", document


def push(
    options: Options,
    inputs: Sequence[Path],
    outputs: Sequence[Path],
    method: str,
    terminal: Terminal,
) -> dict[str, Any]:
    """Give a runner a model, run one inference; return the document."""
    from mcugen import measure as stage
    from mcugen import report, tensor_files

    settings = commands.resolve(options)
    board = settings.board
    # Of the model that is pushed, not of a project.
    settings = dataclasses.replace(settings, output=None)
    tensor_files.check_files(inputs, outputs)
    commands.check_model(settings)
    commands.check_target(settings)
    artifact, _ = commands.make_artifact(settings, terminal)
    pte, method = _program(settings, artifact, method)
    data: tuple[bytes, ...] = ()
    same = method in ("", artifact.method_name)
    if same:
        data = tensor_files.read_inputs(inputs, artifact.inputs) if inputs else ()
        if outputs:
            tensor_files.check_outputs(outputs, artifact.outputs)
    transcript = (
        state.out_dir(settings.root)
        / "transcripts"
        / f"{commands.slug(artifact.name)}-{board.id}-push.txt"
    )
    with _connected(settings, transcript, terminal) as runner:
        before = runner.client.info()
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
    unit, count = stage.counted(ticks, info, board, simulated=settings.simulate)
    return {
        "schema": "mcugen.push/1",
        "model": report.model_section(artifact),
        "method": info.method,
        "board": report.board_section(board, simulated=settings.simulate, info=info),
        "firmware": {"id": info.firmware_id},
        "memory": _memory(info),
        "device": report.device_section(info),
        "push_seconds": round(seconds, 3),
        "counter": unit,
        "count": count,
        "inputs": [str(path) for path in inputs],  # none: zeros
        "outputs": [
            {"file": str(path), **report.tensor_section(spec)}
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


# ---------------------------------------------------------------------------- the model


def _program(settings: Settings, artifact: PteArtifact, method: str) -> tuple[bytes, str]:
    """Return the `.pte` to send and the name of its method, "" for the usual one."""
    if method in ("", artifact.method_name):
        return artifact.pte, artifact.method_name
    path = Path(settings.model)
    if path.suffix != ".pte":
        raise ConfigError(
            f"{artifact.name} has one method, '{artifact.method_name}', not '{method}'",
            hint="--method chooses among the methods of a .pte file.",
        )
    # The stripped form keeps what the usual method needs.
    return path.read_bytes(), method


def _check_room(artifact: PteArtifact, pte_bytes: int, info: DeviceInfo) -> None:
    from mcugen.memory import io_bytes

    parts = {
        "the .pte": pte_bytes,
        "inputs and outputs": io_bytes(artifact),
        "planned memory": sum(artifact.planned_buffers),
        "the method": artifact.method_bytes,
    }
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

    from mcugen.pte import TensorSpec

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


# ---------------------------------------------------------------------------- the device


def _settings(options: Options) -> Settings:
    if options.model is not None:
        raise ConfigError(
            f"--runner is an image without a model, and '{options.model}' is one",
            hint="Leave MODEL out; give it to 'mcugen push' afterwards.",
        )
    settings = commands.resolve(options)
    # A folder in mcugen.toml is for the model's project.
    return dataclasses.replace(
        settings, output=options.output.absolute() if options.output is not None else None
    )


def _document(board: BoardSpec, image: BuiltImage) -> dict[str, Any]:
    from mcugen import operators, report
    from mcugen.runner import arena_bytes

    return {
        "schema": "mcugen.runner/1",
        "board": report.board_section(board),
        "firmware": {
            "id": image.firmware_id,
            "engine_bytes": image.engine_bytes,
            "static_ram_bytes": image.static_ram_bytes,
            "toolchain": image.toolchain,
            "flags": image.flags,
            "elf": str(image.elf),
        },
        "arena_bytes": arena_bytes(image.elf),
        "operators": list(operators.names()),
        "project": str(image.project.root),
        "log": str(image.log_path),
    }


def _start(board: BoardSpec, image: BuiltImage, terminal: Terminal) -> Any:
    """Start the runner on QEMU, detached, in place of one that runs there already."""
    from mcugen import device

    assert board.qemu is not None
    terminal.stage(f"start QEMU ({board.qemu.machine})")
    path = device.session_path(image.project.root)
    device.QemuMachine(board, image.elf, path, shared_arena=True).start()
    session = device.running_session(path)
    if session is None:
        raise DeviceError("QEMU was started but does not run the runner")
    return session


@contextlib.contextmanager
def _connected(settings: Settings, transcript: Path, terminal: Terminal) -> Iterator[Runner]:
    """Connect to the board's runner; a simulated one is started, and stays, if it does not run."""
    from mcugen.device import SerialConsole
    from mcugen.protocol import Client, Transcript
    from mcugen.runner import Runner, SharedArena

    board = settings.board
    arena = None
    if settings.simulate:
        image, session = _session(settings, terminal)
        port = session.url
        if session.ram is not None:
            arena = SharedArena.of(board, image.elf, session.ram)
    else:
        target = commands.find_target(settings)
        port = commands.port_of(target, board)
    record = Transcript(transcript)
    try:
        with contextlib.ExitStack() as stack:
            stack.callback(record.close)
            terminal.stage(f"connect to {port}")
            console = SerialConsole(port, board.console.baud)
            stack.callback(console.close)
            runner = Runner(Client(console, record, settings.deadlines), arena)
            _require_runner(runner, board, port)
            yield runner
    except McugenError as error:
        if error.log_path is None and transcript.exists():
            error.log_path = transcript
        raise


def _session(settings: Settings, terminal: Terminal) -> tuple[BuiltImage, Any]:
    from mcugen import cache, device

    commands.check_compiler()
    image = build_runner(settings, terminal)
    session = device.running_session(device.session_path(image.project.root))
    if session is None or session.elf_sha256 != cache.file_sha256(image.elf):
        session = _start(settings.board, image, terminal)
    return image, session


def _require_runner(runner: Runner, board: BoardSpec, port: str) -> None:
    hint = f"Put the runner on it: mcugen flash --runner --board {board.id}"
    try:
        info = runner.client.connect()
    except DeviceTimeoutError as error:
        if error.hint is None:
            error.hint = hint
        raise
    if info.runner is None:
        raise DeviceError(f"{port} runs {info.model}, not a runner", hint=hint)
    if info.board != board.id:
        raise DeviceError(f"{port} is a {info.board}, not a {board.id}", hint="See --board.")
