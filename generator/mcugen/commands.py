# SPDX-License-Identifier: BSD-3-Clause
"""What each subcommand does: the stages in order, results as documents and text.

The command line (cli.py) only parses options and prints. Nothing heavy is imported until the stage
that needs it runs.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.config import (
    DEFAULT_BOARD,
    DEFAULT_MODEL,
    Config,
    check_io,
    load_config,
)
from mcugen.errors import ConfigError, FlashError, McugenError, OutputMismatchError

if TYPE_CHECKING:
    import numpy as np

    from mcugen.boards import BoardSpec
    from mcugen.build import BuiltImage
    from mcugen.device import Target
    from mcugen.measure import Measurement, TensorBytes, Timing, Verification
    from mcugen.memory import MemoryPlan
    from mcugen.protocol import Client, Deadlines, DeviceInfo
    from mcugen.pte import PteArtifact
    from mcugen.terminal import Terminal

DEFAULT_SAMPLES = 256
DEFAULT_RANDOM_SAMPLES = 16  # of a model without labelled data
DEFAULT_RUNS = 20
DEFAULT_WARMUPS = 3


# ---------------------------------------------------------------------------- settings


@dataclass(frozen=True)
class Options:
    """What the command line said; None where it said nothing."""

    model: str | None = None
    board: str | None = None
    io: str | None = None
    output: Path | None = None
    calibrate: str | None = None
    strict: bool | None = None
    simulate: bool | None = None
    device: str | None = None
    samples: int | None = None
    runs: int | None = None
    warmups: int | None = None
    timeout_s: float | None = None
    runtime: Path | None = None


@dataclass(frozen=True)
class Settings:
    """Options, `mcugen.toml` and defaults, put together."""

    root: Path
    model: str
    board: BoardSpec
    io: str
    output: Path | None
    calibrate: str | None
    strict: bool
    simulate: bool
    device: str | None
    samples: int | None
    runs: int
    warmups: int
    timeout_s: float | None
    runtime: Path | None = None  #: install prefix of ExecuTorch's own libraries; None: ours

    @property
    def deadlines(self) -> Deadlines:
        """How long to wait for the device."""
        from mcugen.protocol import Deadlines

        if self.timeout_s is None:
            return Deadlines()
        return Deadlines(self.timeout_s, self.timeout_s, self.timeout_s)


def resolve(options: Options, *, cwd: Path | None = None) -> Settings:
    """Return the settings that apply. Raises ConfigError."""
    return _resolve(options, load_config(cwd or Path.cwd()))


def _resolve(options: Options, config: Config) -> Settings:
    from mcugen.boards import load_board

    def first(name: str, default: Any = None) -> Any:
        for source in (options, config):
            value = getattr(source, name)
            if value is not None:
                return value
        return default

    board = load_board(first("board", DEFAULT_BOARD))
    if options.io is not None:
        check_io(options.io)
    simulate = bool(first("simulate", False)) or board.simulated_only
    # --device on the command line outranks simulate = true in the file.
    if options.device is not None and options.simulate is None and not board.simulated_only:
        simulate = False
    if options.device is not None and simulate:
        raise ConfigError(
            f"--device names a real device, but {board.id} "
            + ("only exists in QEMU" if board.simulated_only else "is to be simulated"),
            hint="Give one of --device and --simulate.",
        )
    if simulate and board.qemu is None:
        raise ConfigError(
            f"{board.id} has no QEMU machine",
            hint="'mcugen boards' shows which boards can be simulated.",
        )
    output = first("output")
    return Settings(
        root=config.root,
        model=first("model", DEFAULT_MODEL),
        board=board,
        io=first("io", "int8"),
        output=output.absolute() if output is not None else None,
        calibrate=first("calibrate"),
        strict=bool(first("strict", False)),
        simulate=simulate,
        device=None if simulate else first("device"),
        samples=first("samples"),
        runs=first("runs", DEFAULT_RUNS),
        warmups=first("warmups", DEFAULT_WARMUPS),
        timeout_s=first("timeout_s"),
        runtime=options.runtime,
    )


# ---------------------------------------------------------------------------- build


@dataclass(frozen=True)
class Built:
    """A firmware and everything it was made from. lowering: None for a remembered build."""

    model: str
    board: BoardSpec
    io: str | None
    calibrate: str | None
    artifact: PteArtifact
    plan: MemoryPlan
    image: BuiltImage
    lowering: Any = None


def make_artifact(settings: Settings, terminal: Terminal) -> tuple[PteArtifact, Any]:
    """Return the `.pte` and how it was lowered; warn about what stayed float."""
    from mcugen import pipeline

    artifact, lowering = pipeline.build_artifact(
        settings.model,
        board=settings.board,
        io=settings.io,
        strict=settings.strict,
        calibrate=settings.calibrate,
        progress=terminal.step,
        verbose=terminal.verbose,
    )
    terminal.end_bar()
    for text in lowering_warnings(artifact):
        terminal.warning(text)
    return artifact, lowering


def check_model(settings: Settings) -> None:
    """Find out now that there is no such model."""
    from mcugen.model import resolve_model

    resolve_model(settings.model)


def check_compiler() -> None:
    """Find out now, not after a minute of quantizing, that there is no compiler."""
    from mcugen.toolchain import COMPILER, find_tool

    find_tool(COMPILER)


def lowering_warnings(artifact: PteArtifact) -> list[str]:
    """Return one line if operators work on float data between int8 ones."""
    floats = [use for use in artifact.operators if not use.int8]
    if not floats or artifact.io != "int8":
        return []
    names = ", ".join(f"{use.name} x {use.calls}" for use in floats)
    return [f"not int8: {names} (mcugen inspect shows why; --strict refuses it)"]


def build(settings: Settings, terminal: Terminal) -> Built:
    """Model to firmware: quantize, lower, plan, generate, compile. Remembered as the last build."""
    check_model(settings)
    check_compiler()
    if settings.runtime is not None:
        from mcugen.upstream import find_runtime

        find_runtime(settings.runtime, settings.board)  # before minutes of quantizing
    artifact, lowering = make_artifact(settings, terminal)
    return build_artifact(settings, artifact, lowering, terminal)


def build_artifact(
    settings: Settings, artifact: PteArtifact, lowering: Any, terminal: Terminal
) -> Built:
    """`.pte` to firmware."""
    from mcugen.memory import plan_memory

    board = settings.board
    runtime = None
    if settings.runtime is not None:
        from mcugen import upstream

        runtime = upstream.find_runtime(settings.runtime, board)
        runtime.check_operators(operator.name for operator in artifact.operators)
        artifact = upstream.with_room(artifact)
    plan = plan_memory(artifact, board)
    for use in plan.regions:
        terminal.detail(
            f"{use.region.name}: {use.used_bytes:,} of {use.region.size_bytes:,} B planned"
        )
    # Imported once the fit is known: rendering needs more than planning does.
    from mcugen import state
    from mcugen.build import build_project
    from mcugen.project import project_lock, write_project

    root = settings.output or state.out_dir(settings.root) / f"{slug(artifact.name)}-{board.id}"
    terminal.stage(f"generate {_shown(root)}")
    compiling = f"compile for {board.name} ({board.cpu})"
    with project_lock(root):
        project = write_project(artifact, plan, board, root, runtime=runtime)
        image = build_project(
            project,
            board,
            progress=lambda _, done, total: terminal.step(compiling, done, total),
            verbose=terminal.verbose,
        )
    terminal.end_bar()
    built = Built(
        model=settings.model,
        board=board,
        io=artifact.io,
        calibrate=settings.calibrate,
        artifact=artifact,
        plan=plan,
        image=image,
        lowering=lowering,
    )
    state.save_last_build(
        settings.root,
        state.LastBuild(
            model=absolute_model(settings.model),
            board_id=board.id,
            io=built.io,
            calibrate=settings.calibrate,
            artifact=artifact,
            image=image,
        ),
    )
    return built


def last_or_build(options: Options, terminal: Terminal) -> tuple[Settings, Built]:
    """Return the last build if the options do not ask for another one, else build.

    Raises ConfigError when there is neither a last build nor a model to build.
    """
    from mcugen import state
    from mcugen.boards import load_board

    config = load_config(Path.cwd())
    builds_anew = any(
        value is not None
        for value in (options.model, options.io, options.calibrate, options.output, options.strict)
    )
    last = None
    if not builds_anew and state.has_last_build(config.root):
        last = state.load_last_build(config.root)
        if options.board is not None and load_board(options.board).id != last.board_id:
            # Another board: the same model is built for it.
            options = replace(options, model=last.model, io=last.io)
            config = replace(config, calibrate=last.calibrate or config.calibrate)
            last = None
    elif not builds_anew and config.model is None and options.board is None:
        raise ConfigError(
            f"nothing has been built in {_shown(config.root)} yet",
            hint="mcugen build MODEL --board BOARD, or name a model here, too.",
        )
    if last is None:
        settings = _resolve(options, config)
        return settings, build(settings, terminal)
    settings = _resolve(replace(options, model=last.model, board=last.board_id), config)
    return settings, built_from(last)


def built_from(last: Any) -> Built:
    """Return a remembered build; what follows from it is computed again."""
    from mcugen.boards import load_board
    from mcugen.memory import plan_memory

    board = load_board(last.board_id)
    return Built(
        model=last.model,
        board=board,
        io=last.io,
        calibrate=last.calibrate,
        artifact=last.artifact,
        plan=plan_memory(last.artifact, board),
        image=last.image,
    )


def slug(name: str) -> str:
    """Return a name that is one plain folder name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "model"


def absolute_model(model: str) -> str:
    """Return the model as it can be named from any folder; a bundled model's name stays."""
    path, colon, factory = model.rpartition(":")
    if colon and Path(path).exists():
        return f"{Path(path).absolute()}:{factory}"
    return str(Path(model).absolute()) if Path(model).is_file() else model


def _shown(path: Path) -> str:
    from mcugen.report import show_path

    return show_path(path)


# ---------------------------------------------------------------------------- device


@dataclass(frozen=True)
class Link:
    """An open connection to the device that runs a build."""

    client: Client
    info: DeviceInfo
    simulated: bool
    transcript: Path


@contextlib.contextmanager
def connect(
    settings: Settings, built: Built, terminal: Terminal, command: str, *, flash_first: bool = False
) -> Iterator[Link]:
    """Connect to a device that runs `built`; whatever happens, nothing is left running or open.

    Simulated: the machine `mcugen flash --simulate` left running, if it runs this very image, else
    one of our own. Real: the board is flashed if it runs something else, or if `flash_first`;
    without a probe to flash it with, what is wrong with it is the error.
    """
    from mcugen.measure import check_device
    from mcugen.protocol import Client, Transcript
    from mcugen.state import out_dir

    path = (
        out_dir(settings.root)
        / "transcripts"
        / (f"{slug(built.artifact.name)}-{built.board.id}-{command}.txt")
    )
    transcript = Transcript(path)
    transcript.note(
        f"mcugen {command}: {built.artifact.name} on {built.board.id}, "
        f"firmware {built.image.firmware_id}"
    )
    try:
        if settings.simulate:
            with _simulated_console(built, terminal) as console:
                client = Client(console, transcript, settings.deadlines)
                info = client.connect()
                check_device(info, built.artifact, built.image.firmware_id, log_path=path)
                yield Link(client, info, True, path)
            return
        from mcugen.device import SerialConsole

        target = find_target(settings)
        if flash_first:
            flash_board(built, target, terminal)
        terminal.stage(f"connect to {port_of(target, built.board)}")
        console = SerialConsole(port_of(target, built.board), built.board.console.baud)
        try:
            client = Client(console, transcript, settings.deadlines)
            if (
                not flash_first
                and _has_probe(settings, target)
                and not _runs(client, built.image.firmware_id)
            ):
                console.close()
                flash_board(built, target, terminal)
                console = SerialConsole(port_of(target, built.board), built.board.console.baud)
                client = Client(console, transcript, settings.deadlines)
            info = client.connect()
            check_device(info, built.artifact, built.image.firmware_id, log_path=path)
            yield Link(client, info, False, path)
        finally:
            console.close()
    except McugenError as error:
        if error.log_path is None and path.exists():
            error.log_path = path
        raise
    finally:
        transcript.close()


@contextlib.contextmanager
def _simulated_console(built: Built, terminal: Terminal) -> Iterator[Any]:
    from mcugen import device

    session = running_session(built)
    if session is not None:
        terminal.stage(f"connect to the running simulator, {session.url}")
        console = device.SerialConsole(session.url, built.board.console.baud)
        try:
            yield console
        finally:
            console.close()
        return
    assert built.board.qemu is not None
    terminal.stage(f"start QEMU ({built.board.qemu.machine})")
    with device.simulated_console(built.board, built.image.elf) as console:
        yield console


def running_session(built: Built) -> Any:
    """Return the simulator `mcugen flash --simulate` started, if it runs this image."""
    from mcugen import cache, device

    session = device.running_session(device.session_path(built.image.project.root))
    if session is None or session.elf_sha256 != cache.file_sha256(built.image.elf):
        return None
    return session


def _runs(client: Client, firmware_id: str) -> bool:
    from mcugen.errors import DeviceError, DeviceTimeoutError
    from mcugen.protocol import Deadlines

    patience, client.deadlines = client.deadlines, Deadlines(3.0, 3.0, 3.0)
    try:
        return client.connect().firmware_id == firmware_id
    except (DeviceError, DeviceTimeoutError):
        return False  # Blank, another program, or an old protocol: flashing settles it.
    finally:
        client.deadlines = patience


def check_target(settings: Settings) -> None:
    """Find out now that there is no board, or no simulator, to run anything on."""
    if settings.simulate:
        from mcugen.toolchain import QEMU, find_tool

        find_tool(QEMU)
    else:
        find_target(settings)


def find_target(settings: Settings) -> Target:
    """Return the one attached device that is meant. Raises FlashError."""
    from mcugen.boards import list_boards
    from mcugen.device import choose_target, find_devices

    return choose_target(settings.board, find_devices(list_boards()), settings.device)


def _has_probe(settings: Settings, target: Target) -> bool:
    """Tell whether there is a probe to flash the board with; OpenOCD takes the only one."""
    from mcugen.boards import list_boards
    from mcugen.device import find_devices

    return target.probe_serial is not None or any(
        settings.board.id in found.board_ids for found in find_devices(list_boards())
    )


def port_of(target: Target, board: BoardSpec) -> str:
    """Return the serial port of a device. Raises FlashError if it has none."""
    if target.port is None:
        raise FlashError(
            f"the probe {target.probe_serial or ''} of {board.id} has no serial port",
            hint="Name the board's serial port with --device PORT.",
        )
    return target.port


def flash_board(built: Built, target: Target, terminal: Terminal) -> None:
    """Put the image on a real board."""
    from mcugen.device import ProbeFlasher

    probe = f" through probe {target.probe_serial}" if target.probe_serial else ""
    terminal.stage(f"flash {built.board.name}{probe}")
    ProbeFlasher(built.board, target.probe_serial).flash(built.image)


# ---------------------------------------------------------------------------- measuring


def measure(
    settings: Settings,
    built: Built,
    terminal: Terminal,
    command: str,
    *,
    verify: bool,
    bench: bool,
    flash_first: bool = False,
) -> Measurement:
    """Verify and time a build on its device. The host's part is done before a device is opened."""
    from mcugen import measure as stage

    artifact, board = built.artifact, built.board
    check_target(settings)
    data = evaluation(settings, built, terminal, verify=verify)
    timing: Timing | None = None
    verification: Verification | None = None
    with connect(settings, built, terminal, command, flash_first=flash_first) as link:
        client = link.client
        if verify:
            text = f"verify {len(data.inputs)} samples"
            description = data.description
            if artifact.keeps_state:
                # The host's outputs are those of one inference after the other from the start.
                client.reload_model()
                description += "; its state as loaded, then kept from sample to sample"
            verification = stage.verify(
                client,
                artifact,
                data.inputs,
                data.expected,
                labels=data.labels,
                float_accuracy=data.float_accuracy,
                data=description,
                advance=_steps(terminal, text, len(data.inputs)),
            )
        if bench:
            if artifact.keeps_state:
                client.reload_model()
            total = settings.warmups + settings.runs
            timing = stage.bench(
                client,
                link.info,
                board,
                data.inputs[0],
                runs=settings.runs,
                warmups=settings.warmups,
                simulated=link.simulated,
                advance=_steps(terminal, f"time {settings.runs} runs", total),
            )
        # Asked again at the end: the stack's peak is known only now.
        info = client.info()
    warnings = stage.memory_warnings(info, artifact, built.plan)
    for warning in warnings:
        terminal.warning(warning)
    return stage.Measurement(
        board=board,
        simulated=link.simulated,
        firmware_id=info.firmware_id,
        pte_sha256=info.pte_sha256,
        info=info,
        toolchain=built.image.toolchain,
        flags=built.image.flags,
        transcript=link.transcript,
        timing=timing,
        verification=verification,
        warnings=warnings,
    )


def _steps(terminal: Terminal, text: str, total: int) -> Any:
    done = 0
    terminal.step(text, 0, total)

    def advance() -> None:
        nonlocal done
        done += 1
        terminal.step(text, done, total)

    return advance


@dataclass(frozen=True)
class Evaluation:
    """Samples as bytes, and what the host says about them."""

    inputs: Sequence[TensorBytes]
    expected: Sequence[TensorBytes]
    labels: Sequence[int] | None
    float_accuracy: float | None
    description: str


def evaluation(settings: Settings, built: Built, terminal: Terminal, *, verify: bool) -> Evaluation:
    """Return the samples to run and, to verify, the host reference's outputs for them."""
    from mcugen import pipeline
    from mcugen.model import resolve_model

    artifact = built.artifact
    info = resolve_model(built.model).info
    labelled = info is not None and info.dataset is not None
    n = 1
    if verify:
        n = settings.samples or (DEFAULT_SAMPLES if labelled else DEFAULT_RANDOM_SAMPLES)
    data = pipeline.evaluation_data(built.model, artifact, n)
    n = data.samples
    inputs = [tuple(tensor[i].tobytes() for tensor in data.inputs) for i in range(n)]
    if not verify:
        return Evaluation(inputs, [], None, None, data.provenance)
    expected = _host_outputs(artifact, data.inputs, terminal)
    float_accuracy = None
    if data.labels is not None:
        float_accuracy = pipeline.float_accuracy(built.model, n, progress=terminal.step)
    terminal.end_bar()
    labels = None if data.labels is None else [int(label) for label in data.labels]
    return Evaluation(inputs, expected, labels, float_accuracy, data.provenance)


def _host_outputs(
    artifact: PteArtifact, inputs: Sequence[np.ndarray], terminal: Terminal
) -> list[TensorBytes]:
    """Return the host reference's output bytes of every sample."""
    from mcugen import reference

    outputs = reference.reference_outputs(artifact, inputs, progress=terminal.step)
    return [tuple(values[i].tobytes() for values in outputs) for i in range(len(inputs[0]))]


# ---------------------------------------------------------------------------- subcommands


def build_document(built: Built) -> dict[str, Any]:
    """Return the document of `build`."""
    from mcugen import report

    return {
        "schema": "mcugen.build/1",
        "model": report.model_section(built.artifact),
        "board": report.board_section(built.board),
        "firmware": report.firmware_section(built.board, built.plan, built.image),
        "operators": report.operator_rows(built.artifact),
        "lowering": built.lowering.to_json() if built.lowering is not None else None,
        "project": str(built.image.project.root),
        "log": str(built.image.log_path),
    }


def flash(options: Options, terminal: Terminal) -> tuple[str, dict[str, Any]]:
    """Put a build on a board, or start it on QEMU and leave it running; text and document."""
    # A board that is not there is found out before anything is built for it.
    early = _flash_settings(options)
    if early is not None:
        if options.model is not None:
            check_model(early)
        check_target(early)
    settings, built = last_or_build(options, terminal)
    document: dict[str, Any] = {
        "schema": "mcugen.flash/1",
        "board": built.board.id,
        "model": built.artifact.name,
        "firmware": {"id": built.image.firmware_id},
        "simulated": settings.simulate,
        "project": str(built.image.project.root),
    }
    if settings.simulate:
        from mcugen.build import upload

        assert built.board.qemu is not None
        terminal.stage(f"start QEMU ({built.board.qemu.machine})")
        upload(built.image.project, built.board, simulate=True)
        session = running_session(built)
        if session is None:
            raise FlashError("QEMU was started but does not run the last build")
        document |= {"port": session.url, "probe": None, "pid": session.pid}
        text = (
            f"{built.artifact.name} runs on QEMU's {built.board.qemu.machine}; "
            f"its console is {session.url}\nmcugen verify --simulate and mcugen bench --simulate "
            "use it; mcugen flash --stop ends it"
        )
        return text, document
    target = find_target(settings)
    flash_board(built, target, terminal)
    document |= {"port": target.port, "probe": target.probe_serial, "pid": None}
    console = f"; its console is {target.port}" if target.port else ""
    return f"{built.artifact.name} runs on {built.board.name}{console}", document


def _flash_settings(options: Options) -> Settings | None:
    """Return the settings `flash` will act with, or None if they depend on a build to be made."""
    from mcugen import state

    config = load_config(Path.cwd())
    if options.model is None and options.board is None and state.has_last_build(config.root):
        last = state.load_last_build(config.root)
        return _resolve(replace(options, model=last.model, board=last.board_id), config)
    if options.model is None and options.board is None and config.model is None:
        return None
    return _resolve(options, config)


def stop_simulator(terminal: Terminal) -> tuple[str, dict[str, Any]]:
    """End the simulators that `flash --simulate` left running for projects of this folder."""
    from mcugen import device, state

    config = load_config(Path.cwd())
    projects = {
        path.parent for path in (config.root / state.OUT_NAME).glob(f"*/{device.SESSION_NAME}")
    }
    board = None
    if state.has_last_build(config.root):
        last = state.load_last_build(config.root)
        projects.add(last.image.project.root)
        board = last.board_id
    stopped = [root for root in sorted(projects) if device.stop_session(device.session_path(root))]
    text = "the simulator was stopped" if stopped else "no simulator was running"
    return text, {"schema": "mcugen.flash/1", "board": board, "stopped": bool(stopped)}


def inspect(settings: Settings, terminal: Terminal) -> dict[str, Any]:
    """Return what a model becomes: operators, tensors, memory, lowering. Compiles nothing."""
    from mcugen import report
    from mcugen.errors import DoesNotFitError
    from mcugen.memory import io_bytes, plan_memory

    artifact, lowering = make_artifact(settings, terminal)
    document: dict[str, Any] = {
        "schema": "mcugen.inspect/1",
        "model": report.model_section(artifact),
        "board": report.board_section(settings.board),
        "operators": report.operator_rows(artifact),
        "memory": {
            "planned_bytes": sum(artifact.planned_buffers),
            "planned_buffers": list(artifact.planned_buffers),
            "method_bytes": artifact.method_bytes,
            "temp_bytes": artifact.temp_bytes,
            "io_bytes": io_bytes(artifact),
        },
        "lowering": lowering.to_json(),
    }
    try:
        plan = plan_memory(artifact, settings.board)
    except DoesNotFitError as error:
        # Looking at a model that does not fit is what inspect is for.
        document |= {"fits": False, "regions": [], "shortage": error.message, "hint": error.hint}
    else:
        document |= {"fits": True, "regions": report.region_rows(plan), "shortage": None}
    return document


def infer(
    options: Options, inputs: Sequence[Path], outputs: Sequence[Path], terminal: Terminal
) -> dict[str, Any]:
    """Run one inference from files to files; return the document."""
    from mcugen import measure as stage
    from mcugen import report, tensor_files

    settings = resolve(options)
    tensor_files.check_files(inputs, outputs)
    check_model(settings)
    check_compiler()
    artifact, lowering = make_artifact(settings, terminal)
    data = tensor_files.read_inputs(inputs, artifact.inputs)
    tensor_files.check_outputs(outputs, artifact.outputs)
    check_target(settings)
    built = build_artifact(settings, artifact, lowering, terminal)
    with connect(settings, built, terminal, "infer") as link:
        terminal.stage("infer")
        results, ticks = stage.infer(link.client, artifact, data)
    for path, spec, result in zip(outputs, artifact.outputs, results, strict=True):
        tensor_files.write_output(path, spec, result)
    counter, count = stage.counted(ticks, link.info, built.board, simulated=link.simulated)
    return {
        "schema": "mcugen.infer/1",
        "model": report.model_section(artifact),
        "board": report.board_section(built.board, simulated=link.simulated, info=link.info),
        "firmware": report.firmware_section(built.board, built.plan, built.image, link.info),
        "outputs": [
            {"file": str(path), **report.tensor_section(spec)}
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


def require_verified(measurement: Measurement) -> OutputMismatchError | None:
    """Return the error that a failed verification ends with, or None."""
    from mcugen import measure as stage

    if measurement.verification is None:
        return None
    try:
        stage.require_passed(measurement.verification, log_path=measurement.transcript)
    except OutputMismatchError as error:
        return error
    return None


def clean(terminal: Terminal, *, caches: bool) -> tuple[str, dict[str, Any]]:
    """Remove what mcugen made in this project, and the caches if asked to; text and document."""
    from mcugen import cleaning

    config = load_config(Path.cwd())
    result = cleaning.clean_project(config.root)
    lines = [f"removed {_shown(path)}" for path in result.removed]
    lines += [f"kept {_shown(path)}: {why}" for path, why in result.kept]
    freed = None
    if caches:
        from mcugen import cache

        freed = cache.clear()
        lines.append(f"removed the caches in {cache.cache_dir()} ({freed:,} B)")
    document = {
        "schema": "mcugen.clean/1",
        "removed": [str(path) for path in result.removed],
        "kept": [{"path": str(path), "why": why} for path, why in result.kept],
        "cache_bytes": freed,
    }
    return "\n".join(lines) or "nothing to remove", document
