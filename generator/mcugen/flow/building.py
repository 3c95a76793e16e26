# SPDX-License-Identifier: BSD-3-Clause
"""From settings to a firmware; the last build found again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcugen.flow.paths import absolute_model, show_path, slug
from mcugen.flow.settings import Settings
from mcugen.program.level import Level

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec
    from mcugen.export.fidelity import Fidelity
    from mcugen.export.layer_report import QuantizationReport
    from mcugen.export.lowering_report import LoweringReport
    from mcugen.flow.terminal import Terminal
    from mcugen.model.description import Model
    from mcugen.program.artifact import PteArtifact
    from mcugen.program.forms import CallForm
    from mcugen.program.memory import MemoryPlan
    from mcugen.project.build import BuiltImage


@dataclass(frozen=True)
class Built:
    """A firmware and everything it was made from. lowering: None for a remembered build."""

    model: str | Model
    board: BoardSpec
    io: str | None
    calibrate: str | None
    artifact: PteArtifact
    exported: PteArtifact  #: before it was prepared for the board: what results are compared with
    plan: MemoryPlan
    image: BuiltImage
    fidelity: Fidelity
    quantization: QuantizationReport
    lowering: Any = None
    layers: tuple[str, ...] = ()  #: the model's module of each operator call, where it is known
    level: Level = Level.BALANCED

    @property
    def forms(self) -> tuple[CallForm, ...]:
        """How each call is computed whose kernel has several forms, and is ours."""
        from mcugen.program.forms import call_forms

        if not self.artifact.own_runtime:
            return ()
        return call_forms(self.artifact, self.board, self.level)


def make_artifact(settings: Settings, terminal: Terminal) -> tuple[PteArtifact, Any]:
    """Return the `.pte` and how it was lowered; warn about what stayed float or lost much."""
    from mcugen.export import pipeline

    said: set[str] = set()

    def warn(text: str) -> None:
        if text not in said:
            terminal.warning(text)
        said.add(text)

    artifact, lowering = pipeline.build_artifact(
        settings.model,
        board=settings.board,
        io=settings.io,
        strict=settings.strict,
        accept_loss=settings.accept_loss,
        pixels=settings.pixels,
        preprocess=settings.preprocess,
        dims=settings.dim,
        calibrate=settings.calibrate,
        quantization=settings.quantization,
        tune=settings.tune,
        trust=settings.trust,
        progress=terminal.step,
        warn=warn,
        verbose=terminal.verbose,
    )
    terminal.end_bar()
    for text in (*lowering.notes, *lowering.warnings, *lowering_warnings(lowering)):
        warn(text)
    if lowering.fidelity.warning is not None:
        terminal.warning(lowering.fidelity.warning)
    return artifact, lowering


def check_model(settings: Settings) -> None:
    """Find out now that there is no such model."""
    from mcugen.model.source import resolve_model

    resolve_model(settings.model)


def check_compiler() -> None:
    """Find out now, not after a minute of quantizing, that there is no compiler."""
    from mcugen.base.toolchain import COMPILER, find_tool

    find_tool(COMPILER)


def lowering_warnings(lowering: LoweringReport) -> list[str]:
    """Return one line if operators of the model run in float."""
    from mcugen.flow.report.lowering import float_rows, float_summary

    document = lowering.to_json()
    summary = float_summary(document)
    if summary is None:
        return []
    names = ", ".join(dict.fromkeys(each["operator"] for each in float_rows(document)))
    return [f"{summary}: {names} (mcugen inspect shows where and why; --strict refuses it)"]


def build(settings: Settings, terminal: Terminal, *, remember: bool = True) -> Built:
    """Model to firmware: quantize, lower, plan, generate, compile.

    remember: as the last build of the folder; not for a model in memory.
    """
    check_model(settings)
    check_compiler()
    if settings.runtime is not None:
        from mcugen.project.upstream.prefix import find_runtime

        find_runtime(settings.runtime, settings.board)  # before minutes of quantizing
    artifact, lowering = make_artifact(settings, terminal)
    return build_artifact(settings, artifact, lowering, terminal, remember=remember)


def build_locked(settings: Settings, terminal: Terminal, *, locked: bool = False) -> Built:
    """Build, and write down of what in `mcugen.lock`; locked: refuse to differ from it instead.

    Raises LockError, naming each thing that differs.
    """
    from mcugen.flow import lock

    check_model(settings)
    path = lock.lock_path(settings)
    if not locked:
        before = lock.known_before(settings, path)
        built = build(settings, terminal)
        lowered = lock.known_lowered(built.lowering, built.exported, path)
        lock.write(settings, path, lock.merged(before, lowered, lock.known_built(built.image)))
        return built
    entry = lock.read(settings, path)
    before = lock.known_before(settings, path)
    lock.refuse_differences(entry, before, path, complete=False)
    check_compiler()
    artifact, lowering = make_artifact(settings, terminal)
    known = lock.merged(before, lock.known_lowered(lowering, artifact, path))
    lock.refuse_differences(entry, known, path, complete=True)
    built = build_artifact(settings, artifact, lowering, terminal)
    known = lock.merged(known, lock.known_built(built.image))
    lock.refuse_differences(entry, known, path, complete=True)
    return built


def build_artifact(
    settings: Settings,
    artifact: PteArtifact,
    lowering: Any,
    terminal: Terminal,
    *,
    remember: bool = True,
) -> Built:
    """`.pte` to firmware. remember: as the last build."""
    from mcugen.program.memory import plan_memory
    from mcugen.program.planning.arrange import FOREIGN, arrange
    from mcugen.program.planning.fit import arrange_for

    board = settings.board
    runtime = None
    exported = artifact
    level = _level(settings, terminal)
    if settings.runtime is not None:
        artifact = arrange(exported, FOREIGN)
    else:
        artifact = arrange_for(exported, board, level)
    if settings.runtime is not None:
        from mcugen.project.upstream.memory import with_room
        from mcugen.project.upstream.prefix import find_runtime

        runtime = find_runtime(settings.runtime, board)
        runtime.link([use.name for use in artifact.operators])
        artifact = with_room(artifact)
    plan = plan_memory(artifact, board)
    for use in plan.regions:
        terminal.detail(
            f"{use.region.name}: {use.used_bytes:,} of {use.region.size_bytes:,} B planned"
        )
    # Imported once the fit is known: rendering needs more than planning does.
    from mcugen.project import last_build
    from mcugen.project.build import build_project
    from mcugen.project.generate import write_project
    from mcugen.project.place import project_lock

    root = (
        settings.output or last_build.out_dir(settings.root) / f"{slug(artifact.name)}-{board.id}"
    )
    terminal.stage(f"generate {show_path(root)}")
    compiling = f"compile for {board.name} ({board.cpu})"
    with project_lock(root):
        project = write_project(artifact, plan, board, root, runtime=runtime, level=level)
        image = build_project(
            project,
            board,
            progress=lambda _, done, total: terminal.step(compiling, done, total),
            verbose=terminal.verbose,
        )
    terminal.end_bar()
    known = lowering.cpu is not None  # a `.pte` file does not tell
    layers = tuple(line.layer for line in lowering.operators) if known else ()
    if artifact.planned is not None:
        layers = artifact.planned.layers(layers)
    built = Built(
        model=settings.model,
        board=board,
        io=artifact.io,
        calibrate=settings.calibrate,
        artifact=artifact,
        exported=exported,
        plan=plan,
        image=image,
        fidelity=lowering.fidelity,
        quantization=lowering.quantization,
        lowering=lowering,
        layers=layers,
        level=level,
    )
    if not remember or not isinstance(settings.model, str):
        return built
    last_build.save_last_build(
        settings.root,
        last_build.LastBuild(
            model=absolute_model(settings.model),
            board_id=board.reference,
            io=built.io,
            calibrate=settings.calibrate,
            artifact=artifact,
            exported=exported,
            image=image,
            fidelity=built.fidelity,
            quantization=built.quantization,
            pixels=settings.pixels,
            dim=settings.dim,
            layers=layers,
            level=level,
        ),
    )
    return built


def _level(settings: Settings, terminal: Terminal) -> Level:
    """Return what the image is made for; say so where that is no other than is asked for."""
    if settings.level is Level.BALANCED:
        return settings.level
    asked = f"--optimize {settings.level}"
    if settings.runtime is not None:
        terminal.warning(f"{asked} has no effect on ExecuTorch's own kernels (--runtime)")
        return Level.BALANCED
    return settings.level


def lowering_of(built: Built) -> dict[str, Any] | None:
    """Return how a build was lowered, with about what each operator costs; None: not known."""
    from mcugen.flow.report.lowering import lowering_section

    if built.lowering is None:
        return None
    planned = built.artifact.planned
    dropped = planned.dropped_calls if planned is not None else ()
    return lowering_section(built.lowering, built.exported, built.board, dropped)


def build_document(built: Built) -> dict[str, Any]:
    """Return the document of `build`."""
    from mcugen.flow.report import documents

    return {
        "schema": "mcugen.build/1",
        "model": documents.model_section(built.artifact),
        "board": documents.board_section(built.board),
        "optimize": built.level.value,
        "forms": documents.form_rows(built.forms),
        "firmware": documents.firmware_section(built.board, built.plan, built.image),
        "operators": documents.operator_rows(built.artifact),
        "lowering": lowering_of(built),
        "fidelity": built.fidelity.to_json(),
        "quantization": built.quantization.to_json(),
        "project": str(built.image.project.root),
        "log": str(built.image.log_path),
    }
