# SPDX-License-Identifier: BSD-3-Clause
"""Samples through a device, beside the host and the model in float; kept and gone on with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.base import cache
from mcugen.base.errors import McugenError
from mcugen.base.files import write_atomically
from mcugen.device.judgement import HOST, Truth
from mcugen.flow.building import Built, slug
from mcugen.flow.paths import show_path
from mcugen.flow.settings import Settings
from mcugen.model.catalog import Metric

if TYPE_CHECKING:
    import numpy as np

    from mcugen.device.inference import TensorBytes
    from mcugen.device.protocol.client import Client
    from mcugen.device.verify import Verification
    from mcugen.export.evaluation import EvaluationData
    from mcugen.flow.connection import Reconnecting
    from mcugen.flow.terminal import Terminal
    from mcugen.program.artifact import PteArtifact

#: Of a model that has no file: its program, beside saved samples, for `infer`.
IN_MEMORY = "model.pte"


@dataclass(frozen=True)
class Evaluation:
    """Samples as bytes, what the host says about them, and what they are judged by."""

    inputs: Sequence[TensorBytes]
    expected: Sequence[TensorBytes]
    description: str
    truth: Truth = field(default_factory=Truth)


def evaluation(settings: Settings, built: Built, terminal: Terminal, *, verify: bool) -> Evaluation:
    """Return the samples to run and, to verify, the host reference's outputs for them."""
    from mcugen.export import evaluation as samples

    artifact = built.artifact
    if not verify:
        data = samples.evaluation_data(built.model, artifact, 1)
        return Evaluation(_rows(data), [], data.provenance)
    data = samples.chosen_data(
        built.model,
        artifact,
        settings.samples,
        data=settings.data,
        pixels=settings.pixels,
        preprocess=settings.preprocess,
        dims=settings.dim,
        trust=settings.trust,
        progress=terminal.step,
    )
    for text in data.warnings:
        terminal.warning(text)
    truth = _truth(settings.metric, artifact, data)
    # Of the program as it was exported: so a fault in preparing it for the board shows, too.
    expected = _host_outputs(built.exported, data.inputs, terminal)
    terminal.end_bar()
    return Evaluation(_rows(data), expected, data.provenance, truth)


def first_sample(built: Built, terminal: Terminal) -> Evaluation:
    """Return one sample to run, and the host reference's outputs for it; no model in float."""
    from mcugen.export import evaluation as samples

    data = samples.evaluation_data(built.model, built.artifact, 1)
    expected = _host_outputs(built.exported, data.inputs, terminal)
    terminal.end_bar()
    return Evaluation(_rows(data), expected, data.provenance)


def _rows(data: EvaluationData) -> list[TensorBytes]:
    return [tuple(tensor[i].tobytes() for tensor in data.inputs) for i in range(data.samples)]


def _truth(asked: str | None, artifact: PteArtifact, data: EvaluationData) -> Truth:
    """Return what outputs are judged by. Raises ConfigError if the labels are not for it."""
    from mcugen.model.scores import are_classes, choose_metric, one_hot_classes, require_metric

    spec, labels = artifact.outputs[0], data.labels
    outputs = spec.shape
    # As of a model that ends in argmax.
    is_class = spec.dtype in ("int32", "int64") and math.prod(outputs) == 1 and are_classes(labels)
    hot = one_hot_classes(labels, outputs)
    if hot is not None and asked in (None, Metric.ACCURACY):
        labels = hot
    if is_class and asked in (None, Metric.ACCURACY):
        metric, why = Metric.ACCURACY, "the output is the number of a class"
    elif asked is not None:
        metric, why = Metric(asked), "--metric"
        require_metric(metric, labels, outputs)
    elif data.metric is not None and labels is not None:
        metric, why = data.metric, "what the bundled model is for"
        require_metric(metric, labels, outputs)
    elif hot is not None:
        metric, why = Metric.ACCURACY, "labels are 1 at a place in the output, and 0 elsewhere"
    else:
        into = artifact.inputs[0].shape if artifact.inputs else ()
        metric, why = choose_metric(labels, into, outputs)
    return Truth(
        metric,
        why,
        labels,
        is_class=is_class and metric is Metric.ACCURACY,
        float_outputs=data.float_outputs,
        float_inputs=data.float_inputs,
        class_names=data.class_names,
    )


def _host_outputs(
    artifact: PteArtifact, inputs: Sequence[np.ndarray], terminal: Terminal
) -> list[TensorBytes]:
    """Return the host reference's output bytes of every sample."""
    from mcugen.program.reference import walker

    outputs = walker.reference_outputs(artifact, inputs, progress=terminal.step)
    return [tuple(values[i].tobytes() for values in outputs) for i in range(len(inputs[0]))]


def run_verification(
    settings: Settings,
    built: Built,
    terminal: Terminal,
    device: Reconnecting,
    data: Evaluation,
) -> Verification:
    """Run the samples, from where an earlier command of the same build and data stopped.

    Samples that differ are saved in the folder of `verify_folder`.
    """
    from mcugen.device import verify as verify_stage
    from mcugen.device.differing import save_differing
    from mcugen.device.sampling import Record

    artifact = built.artifact
    folder = verify_folder(settings, built)
    description = data.description
    record = None
    if artifact.keeps_state:
        # The host's outputs are those of one inference after the other from the start.
        device.link.client.reload_model()
        description += "; its state as loaded, then kept from sample to sample"
    else:
        sizes = [spec.nbytes for spec in artifact.outputs]
        record = Record(folder / "progress.bin", _key(settings, built, data), sizes)
    resumed = len(record.kept) if record is not None else 0
    total = len(data.inputs)
    if resumed:
        terminal.stage(f"go on at sample {resumed} of {total}: {show_path(folder)}")

    def again(error: McugenError, sample: int) -> Client:
        client = device.again(error, sample, terminal.warning)
        if artifact.keeps_state:
            client.reload_model()
        return client

    advance = steps(terminal, f"verify {total} samples", total)
    try:
        result = verify_stage.verify(
            device.link.client,
            artifact,
            data.inputs,
            data.expected,
            truth=data.truth,
            data=description,
            record=record,
            again=again,
            advance=advance,
        )
    except BaseException:
        if record is not None:
            record.close()
            if record.samples:
                terminal.warning(
                    f"{record.samples} of {total} samples are kept in {show_path(folder)}: "
                    "the same command goes on there"
                )
        raise
    if record is not None:
        record.close(remove=True)
    differing = save_differing(
        folder,
        artifact,
        data.inputs,
        data.expected,
        result.outputs,
        result.judgement,
        model=built.model if isinstance(built.model, str) else IN_MEMORY,
        data=description,
    )
    if differing.index is not None and not isinstance(built.model, str):
        write_atomically(folder / IN_MEMORY, built.exported.pte)
    _warn_of_another_model(built, result, terminal)
    return replace(result, resumed=resumed, losses=tuple(device.losses), differing=differing)


def _warn_of_another_model(built: Built, result: Verification, terminal: Terminal) -> None:
    """Say so if int8 was near the model in float on calibration samples, and is not on these."""
    from mcugen.export.fidelity import POOR_DB, REFUSED_DB

    apart, worst = result.judgement.against_float.get(HOST), built.fidelity.worst
    now, before = apart.sqnr_db if apart else None, worst.sqnr_db if worst else None
    if now is not None and before is not None and now < REFUSED_DB and before > POOR_DB:
        terminal.warning(
            f"int8 is at {now:.1f} dB of the model in float on these samples, and was at "
            f"{before:.1f} dB on those for calibration. They are scaled otherwise (see --pixels), "
            "or the factory gives other weights each time: torch.manual_seed(0) before it trains"
        )


def verify_folder(settings: Settings, built: Built) -> Path:
    """Return where a build's verification keeps what it has so far, and samples that differ."""
    from mcugen.project.last_build import out_dir

    return out_dir(settings.root) / "verify" / f"{slug(built.artifact.name)}-{built.board.id}"


def _key(settings: Settings, built: Built, data: Evaluation) -> str:
    """Return what changes with the image, the samples, and where they run."""
    inputs = b"".join(tensor for sample in data.inputs for tensor in sample)
    return cache.make_key(
        what="verification",
        elf=cache.file_sha256(built.image.elf),
        samples=len(data.inputs),
        inputs=cache.sha256_hex(inputs),
        simulated=settings.simulate,
    )


def steps(terminal: Terminal, text: str, total: int) -> Any:
    """Return what is to be called `total` times: it says how far a stage has come."""
    done = 0
    terminal.step(text, 0, total)

    def advance() -> None:
        nonlocal done
        done += 1
        terminal.step(text, done, total)

    return advance
