# SPDX-License-Identifier: BSD-3-Clause
"""From a MODEL argument to a `.pte` ready for the firmware; results kept between runs.

A second call with nothing changed imports no torch and takes a fraction of a second.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mcugen.base import cache
from mcugen.base.errors import (
    ConfigError,
    ExportError,
    QuantizationError,
    UnsupportedOperatorError,
)
from mcugen.base.quiet import quiet
from mcugen.boards.spec import CPU_ISAS, BoardSpec, Isa
from mcugen.export.calibration import CALIBRATION_SAMPLES, RANDOM
from mcugen.export.described import described, named
from mcugen.export.kept_artifact import keep, load_kept
from mcugen.export.layer_report import Trial
from mcugen.export.lowering_report import IO_KINDS, LoweringReport, OperatorReport
from mcugen.export.quantization import DEFAULTS, QuantizationOptions
from mcugen.model.data import load_source, require_dataset, source_fingerprint
from mcugen.model.description import Model
from mcugen.model.dims import parse_dims
from mcugen.model.feed import preprocessed
from mcugen.model.preprocess import Preprocess, as_declared
from mcugen.model.source import ModelKind, ModelRef, ModelSource, resolve_model
from mcugen.program.artifact import PteArtifact
from mcugen.program.calls import CallRefusedError
from mcugen.program.read import read_pte

if TYPE_CHECKING:
    from mcugen.export.calibration import Calibration

Progress = Callable[[str, int, int], None]
#: Rooms whose change makes a kept result stale.
_ROOMS = ("model", "export", "program")
PACKAGES = ("torch", "executorch", "torchao", "numpy")


@dataclass(frozen=True)
class _Asked:
    """A model to quantize and lower, as `build_artifact` takes it."""

    ref: ModelRef
    calibrate: str | None
    pixels: str | None
    preprocess: Preprocess | None
    dims: dict[str, int]
    quantization: QuantizationOptions
    tune: bool
    trust: bool
    verbose: bool
    progress: Progress | None
    warn: Callable[[str], None] | None


def build_artifact(
    model: str | Model,
    *,
    board: BoardSpec | None = None,
    cpu: str | None = None,
    isa: Isa | None = None,
    io: str | None = None,
    strict: bool = False,
    accept_loss: bool = False,
    calibrate: str | None = None,
    pixels: str | None = None,
    preprocess: Preprocess | None = None,
    dims: Sequence[str] = (),
    quantization: QuantizationOptions | None = None,
    tune: bool = False,
    trust: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
    verbose: bool = False,
) -> tuple[PteArtifact, LoweringReport]:
    """Return the checked and stripped `.pte` of a model, and the lowering report.

    Args:
        model: a bundled model, `file.py:factory`, a `.pt2`, a `.pte`, or one in memory.
        board: whose cpu and isa to lower for; or give `cpu` (and `isa`).
        cpu: "cortex-m4".
        isa: what the kernels may use, if not the most that `cpu` has.
        io: "int8" (the default) or "float" inputs and outputs. A `.pte` keeps what it has.
        strict: refuse a program in which an operator runs in float.
        accept_loss: take a program that is far from the model in float (see `Fidelity`).
        calibrate: a source as `model.data` spells it, or "random"; None for the model's own data.
        pixels: what bytes in that data stand for, of PIXELS; None: 0..1.
        preprocess: from stored samples to what the model takes, if it does not bring that itself;
            not for bundled models, which do.
        dims: "x.2=30": sizes of axes that a `.pt2` leaves open.
        quantization: calibration method and samples, layers kept in float; None: the defaults.
        tune: look for better ones, from there; what was tried is in the report.
        trust: let a `.pt2` run code while it is loaded. What comes of it is data: it is no part of
            the kept result's key.
        progress: called as progress(what, done, total).
        warn: called with each of the report's warnings about the data, before a minute is spent;
            not for a kept result.
        verbose: let torch and executorch print.

    Raises ConfigError, QuantizationError, LoweringError, UnsupportedOperatorError, PteError.
    """
    ref = resolve_model(model)
    sizes = _sizes(ref, dims)
    quantization = quantization or DEFAULTS
    if ref.kind is ModelKind.PTE:
        if tune or quantization != DEFAULTS:
            raise ConfigError(
                f"{quantization.as_arguments or '--tune'}: {ref.name} is a .pte: it has ranges",
                hint="Name the model that it was made from.",
            )
        artifact, report = _from_pte(ref)
    else:
        cpu = cpu or (board.cpu if board else None)
        isa = isa or (board.isa if board else None)
        if cpu is None:
            raise ConfigError("the model is to be lowered for a board or a cpu: neither is given")
        io = io or "int8"
        if io not in IO_KINDS:
            raise ConfigError(f"unknown io '{io}': one of {', '.join(IO_KINDS)}")
        isa = isa or (CPU_ISAS[cpu][0] if cpu in CPU_ISAS else None)
        asked = _Asked(
            ref,
            calibrate,
            pixels,
            preprocess if ref.info is None else None,
            sizes,
            quantization,
            tune=tune,
            trust=trust,
            verbose=verbose,
            progress=progress,
            warn=warn,
        )
        artifact, report = _from_model(asked, cpu, isa, io)
    if strict:
        report.refuse_fallbacks()
    if not accept_loss:
        report.fidelity.refuse_loss(ref.name)
    return artifact, report


def _sizes(ref: ModelRef, dims: Sequence[str]) -> dict[str, int]:
    """Return the sizes that `--dim` gives, by name."""
    sizes = parse_dims(dims)
    if sizes and ref.kind is not ModelKind.PT2:
        where = {
            ModelKind.FACTORY: "The example inputs that the factory returns have the sizes.",
            ModelKind.OBJECT: "Its example inputs have the sizes.",
            ModelKind.PTE: "Its sizes were fixed when the .pte was made.",
        }
        raise ConfigError(
            f"--dim is for a .pt2 with dynamic axes; {ref.name} has none",
            hint=where.get(ref.kind, "Leave --dim out."),
        )
    return sizes


def _from_pte(ref: ModelRef) -> tuple[PteArtifact, LoweringReport]:
    assert ref.path is not None
    try:
        data = ref.path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {ref.path}: {error.strerror}") from error
    artifact = read_pte(data, name=ref.name)
    report = LoweringReport(
        model=ref.name,
        cpu=None,
        isa=None,
        io=artifact.io,
        operators=tuple(
            OperatorReport(
                use.name, "", "", use.int8, None if use.int8 else "it is float in the .pte file"
            )
            for use in artifact.operators
            for _ in range(use.calls)
        ),
        calibration=None,
        calibration_samples=0,
        calibration_random=False,
        channels_last=False,
    )
    return artifact, report


def _from_model(
    asked: _Asked, cpu: str, isa: Isa | None, io: str
) -> tuple[PteArtifact, LoweringReport]:
    ref, calibrate, quantization = asked.ref, asked.calibrate, asked.quantization
    progress, verbose = asked.progress, asked.verbose
    loaded = None
    if ref.given is not None:
        loaded = _load(asked)
    key = cache.make_key(
        what="artifact",
        model=identity(ref) if loaded is None else _identity_of(*loaded[:2]),
        cpu=cpu,
        isa=isa.value if isa else None,
        io=io,
        calibrate=calibrate,
        pixels=asked.pixels,
        preprocess=asked.preprocess.to_json() if asked.preprocess is not None else None,
        dims=asked.dims,
        quantization=quantization.to_json(),
        tune=asked.tune,
        calibration_data=source_fingerprint(calibrate, quantization.samples or CALIBRATION_SAMPLES)
        if calibrate
        else None,
        source=cache.source_hash(_ROOMS),
        versions=cache.package_versions(PACKAGES),
    )
    kept = load_kept(key)
    if kept is not None:
        return kept
    if ref.info is not None and ref.info.dataset is not None and calibrate is None:
        require_dataset(ref.info.dataset)

    with quiet(verbose=verbose):
        from mcugen.export.compare import compare, one_thread, run_float
        from mcugen.export.layer_figures import MOST_SAMPLES, measure_layers
        from mcugen.export.lower import lower
        from mcugen.export.prepared import channels_last
        from mcugen.export.quantize import quantize

    source, calibration, dependencies = loaded or _load(asked)
    if asked.warn:
        for text in calibration.warnings:
            asked.warn(text)
    with quiet(verbose=verbose):
        in_float = run_float(source.module, calibration)
    trials: tuple[Trial, ...] = ()
    try:
        if asked.tune:
            with quiet(verbose=verbose):
                from mcugen.export.tune import tune as search
            quantization, trials = search(
                source, calibration, quantization, progress=progress, verbose=verbose
            )
        quantized = quantize(source, calibration, quantization, progress=progress, verbose=verbose)
        if progress:
            progress("lowering", 0, 1)
        data, report = lower(quantized, cpu=cpu, isa=isa, io=io, verbose=verbose)
        report = replace(
            report,
            warnings=calibration.warnings,
            preprocess=as_declared(source.preprocess or asked.preprocess),
        )
        artifact = _read(data, ref.name, report)
    except ExportError as error:
        with quiet(verbose=verbose):
            from mcugen.export.refusals import clarified

            clear = clarified(error, source)
        if clear is None and in_float.reason is not None:
            clear = QuantizationError(
                f"{ref.name}: on the calibration samples, {in_float.reason}",
                hint="Samples must be what the model takes: indices within a table, say.",
            )
        if clear is None:
            raise
        raise clear from error
    artifact = named(described(artifact, ref, isa, report), quantized.program)
    if progress:
        progress("comparing with the model", 0, 1)
    with quiet(verbose=verbose), one_thread():
        layers = measure_layers(
            quantized.prepared,
            [channels_last(sample) for sample in calibration.samples[:MOST_SAMPLES]],
            quantization,
            len(calibration.samples),
        )
        report = replace(
            report,
            fidelity=compare(in_float, quantized, report, artifact).blaming(layers.blame),
            quantization=replace(layers, trials=trials),
            calibration_sha256=calibration.sha256,
            dependencies=dependencies,
        )
    keep(key, artifact, report)
    if progress:
        progress("comparing with the model", 1, 1)
    return artifact, report


def _load(asked: _Asked) -> tuple[ModelSource, Calibration, dict[str, str]]:
    """Return the model, its calibration samples, and the hashes of the user's files behind them."""
    with quiet(verbose=asked.verbose):
        from mcugen.export.calibration import choose_calibration
        from mcugen.model.files_read import files_read
        from mcugen.model.load import load_model

    ref, calibrate, preprocess = asked.ref, asked.calibrate, asked.preprocess
    if asked.progress:
        asked.progress("loading the model", 0, 1)
    shape = None
    if ref.kind is ModelKind.PT2 and calibrate not in (None, RANDOM):
        one = load_source(str(calibrate), 1)
        shape = (preprocessed(one, preprocess) if preprocess else one).inputs.shape[1:]
    source = load_model(
        ref, progress=asked.progress, trust=asked.trust, dims=asked.dims, sample_shape=shape
    )
    # A factory's calibration samples may be read from files only now.
    with files_read() as read_late:
        calibration = choose_calibration(
            *(ref, source, calibrate, asked.pixels),
            preprocess=preprocess,
            most=asked.quantization.samples,
            progress=asked.progress,
        )
    own_samples = source.dependencies and calibrate is None
    # Hashed before the slow part: a file saved meanwhile must not pass for the one that was used.
    dependencies = {
        str(path): cache.file_sha256(path)
        for path in sorted({*source.dependencies, *(read_late if own_samples else ())})
    }
    return source, calibration, dependencies


def _identity_of(source: ModelSource, calibration: Calibration) -> dict[str, str]:
    from mcugen.export.in_memory import identity_of

    try:
        return identity_of(source, calibration)
    except ExportError:  # quantizing will say so, in clearer words; nothing is kept for it
        return {"unknown": uuid.uuid4().hex}


def _read(data: bytes, name: str, report: LoweringReport) -> PteArtifact:
    """Read the `.pte` that lowering wrote; what it refuses is said by layer."""
    try:
        return read_pte(data, name=name)
    except UnsupportedOperatorError as error:
        from mcugen.export.advice import instead_of

        lines = _calls_named(error, report)
        where = "\n".join(dict.fromkeys(_origin(line) for line in lines))
        instead = next(filter(None, (instead_of(line.source) for line in lines)), None)
        raise UnsupportedOperatorError(
            f"{error.message}\n{where}" if where else error.message, hint=instead or error.hint
        ) from error


def identity(ref: ModelRef) -> dict[str, Any]:
    """Return what changes when the model's definition changes. Of one in memory: imports torch."""
    if ref.info is not None:
        return {"name": ref.name, "source": cache.source_hash(ref.info.sources)}
    if ref.given is not None:
        from mcugen.export.in_memory import identity_of
        from mcugen.model.load import load_model

        return dict(identity_of(load_model(ref)))
    assert ref.path is not None
    return {
        "name": ref.name,
        "path": str(ref.path.resolve()),
        "file": cache.file_sha256(ref.path),
        "factory": ref.factory,
    }


def _calls_named(error: UnsupportedOperatorError, report: LoweringReport) -> list[OperatorReport]:
    """Return the report's lines of the calls that an error speaks of."""
    if isinstance(error, CallRefusedError) and error.call is not None:
        return list(report.operators[error.call : error.call + 1])
    return [line for line in report.operators if line.operator in error.message]


def _origin(line: OperatorReport) -> str:
    """Return which layer an operator comes from, and why it is there."""
    why = f": {line.reason}" if line.reason else ""
    return f"{line.operator} comes from {line.source or 'code'} in {line.where}{why}."
