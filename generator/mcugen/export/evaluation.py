# SPDX-License-Identifier: BSD-3-Clause
"""Samples to verify a model with, as the device takes them, and what the model gives in float."""

from __future__ import annotations

import importlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mcugen.base import cache
from mcugen.base.errors import ConfigError
from mcugen.export.kept_labelled import Labelled
from mcugen.export.labelled import labelled
from mcugen.export.pipeline import PACKAGES, Progress, identity
from mcugen.model.catalog import DATASETS, Metric
from mcugen.model.data import load_dataset
from mcugen.model.description import Model
from mcugen.model.feed import preprocessed
from mcugen.model.preprocess import AnyPreprocess, Preprocess
from mcugen.model.scores import score
from mcugen.model.source import ModelRef, resolve_model
from mcugen.program.artifact import PteArtifact, TensorSpec
from mcugen.program.device_input import saturation, to_device, unused

#: Inputs for models without labelled data.
RANDOM_INPUT_SEED = 1
RANDOM = "random"
#: How many, where nobody says.
SAMPLES = 256
RANDOM_SAMPLES = 16


@dataclass(frozen=True)
class EvaluationData:
    """Inputs as the device takes them, and the labels where there are any."""

    inputs: tuple[np.ndarray, ...]  #: per method input: [n, *memory shape], of its dtype
    labels: np.ndarray | None  #: int64[n]; of a user's own data, real numbers, too, and [n, ...]
    provenance: str
    float_inputs: np.ndarray | None = None  #: of input 0, as the model in float takes them
    float_outputs: np.ndarray | None = None  #: of output 0: what that gives, [n, *shape]
    class_names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  #: what makes them unlike the data of calibration, with numbers
    metric: Metric | None = None  #: what a bundled model is judged by

    @property
    def samples(self) -> int:
        """How many."""
        return len(self.inputs[0])


def evaluation_data(model: str | Model, artifact: PteArtifact, n: int) -> EvaluationData:
    """Return `n` samples for verifying a model (fewer if its test split has fewer). No torch.

    Labelled test samples where the model has a dataset, else inputs drawn from a seed.
    """
    if n <= 0:
        raise ConfigError(f"{n} samples to verify: at least 1")
    ref = resolve_model(model)
    if ref.info is None or ref.info.dataset is None:
        return _random(artifact, n)
    samples = load_dataset(ref.info.dataset, "test", n)
    values = preprocessed(samples, _preprocess(ref)).inputs
    return EvaluationData(
        (to_device(values, artifact.inputs[0]),), samples.labels, samples.provenance
    )


def chosen_data(
    model: str | Model,
    artifact: PteArtifact,
    n: int | None,
    *,
    data: str | None = None,
    pixels: str | None = None,
    preprocess: Preprocess | None = None,
    dims: Sequence[str] = (),
    trust: bool = False,
    progress: Progress | None = None,
) -> EvaluationData:
    """Return what to verify a model with, and what the model in float gives for it.

    `data`, else a factory's own `evaluation`, else a bundled model's test split, else noise.

    Args:
        n: how many; None: SAMPLES with labels, else RANDOM_SAMPLES.
        data: as `--calibrate`, or "random".
        pixels, preprocess, dims, trust: as for `build_artifact`.
    """
    if data == RANDOM:
        return _random(artifact, n or RANDOM_SAMPLES)
    ref = resolve_model(model)
    metric = ref.info.metric if ref.info is not None else None
    own = labelled(
        model,
        artifact,
        n or SAMPLES,
        data=data,
        pixels=pixels,
        preprocess=preprocess if ref.info is None else None,
        dims=dims,
        trust=trust,
        progress=progress,
    )
    if own is not None:
        inputs = tuple(
            to_device(values, spec)
            for values, spec in zip(own.inputs, artifact.inputs, strict=True)
        )
        return EvaluationData(
            inputs,
            own.labels,
            own.provenance,
            own.inputs[0],
            None if own.outputs is None else own.outputs[0],
            own.class_names,
            (*_unlike_calibration(own.inputs, artifact), *_fewer_classes(own, artifact)),
            metric,
        )
    if ref.info is None or ref.info.dataset is None:
        return _random(artifact, n or RANDOM_SAMPLES)
    found = evaluation_data(model, artifact, n or SAMPLES)
    values, outputs = float_outputs(model, found.samples, progress=progress)
    return replace(found, float_inputs=values, float_outputs=outputs, metric=metric)


def _unlike_calibration(inputs: Sequence[np.ndarray], artifact: PteArtifact) -> tuple[str, ...]:
    """Return what to say of samples that the ranges of calibration do not cover."""
    said = (
        saturation(values, spec) or unused(values, spec)
        for values, spec in zip(inputs, artifact.inputs, strict=True)
    )
    return tuple(
        f"{text}: are they scaled as the data of calibration?" for text in said if text is not None
    )


def _fewer_classes(own: Labelled, artifact: PteArtifact) -> tuple[str, ...]:
    """Return what to say of data that name fewer classes than the model has."""
    names, places = own.class_names, math.prod(artifact.outputs[0].shape)
    if own.labels is None or not 1 <= len(names) < places:
        return ()
    of = ", ".join(f"{name} is {number}" for number, name in enumerate(names[:3]))
    return (
        f"the data name {len(names)} classes, the model's output has {places:,} places: "
        f"{of}{', ...' if len(names) > 3 else ''}, as the data number them. If that is not the "
        "model's order, let its factory return an mcugen.Model with class_names",
    )


def _random(artifact: PteArtifact, n: int) -> EvaluationData:
    rng = np.random.RandomState(RANDOM_INPUT_SEED)
    inputs = tuple(_random_input(spec, n, rng) for spec in artifact.inputs)
    return EvaluationData(inputs, None, f"random inputs, seed {RANDOM_INPUT_SEED}")


def _preprocess(ref: ModelRef) -> AnyPreprocess:
    module = importlib.import_module(f"mcugen.model.bundled.{ref.name}_data")
    preprocess: AnyPreprocess = module.preprocess
    return preprocess


def _random_input(spec: TensorSpec, n: int, rng: np.random.RandomState) -> np.ndarray:
    dtype = np.dtype(spec.dtype)
    shape = (n, *spec.memory_shape)
    if spec.fixed is not None:
        return np.full(shape, spec.fixed, dtype)
    if dtype.kind == "f":
        return (rng.random_sample(shape) * 2 - 1).astype(dtype)
    if dtype.kind == "b":
        return rng.randint(0, 2, shape).astype(dtype)
    limits = np.iinfo(dtype)
    if dtype.itemsize > 2:  # Indices, mostly: small ones are safe.
        return rng.randint(0, 2, shape).astype(dtype)
    return rng.randint(limits.min, limits.max + 1, shape).astype(dtype)


def float_score(model: str | Model, n: int, *, progress: Progress | None = None) -> float | None:
    """Return the figure that the float PyTorch model reaches on the first `n` test samples.

    None for a model without labelled data, and where the samples give no figure.
    """
    ref = resolve_model(model)
    if ref.info is None or ref.info.dataset is None:
        return None
    labels = load_dataset(ref.info.dataset, "test", n).labels
    assert labels is not None
    result = score(ref.info.metric, *float_outputs(model, n, progress=progress), labels)
    if result is not None and not math.isfinite(result):
        raise ConfigError(f"{model}: {ref.info.metric} is not a number")
    return result


def float_outputs(
    model: str | Model, n: int, *, progress: Progress | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first `n` test samples of a bundled model, and what it gives for them in float.

    float32[n, *shape] each; outputs are kept on disk.
    """
    ref = resolve_model(model)
    assert ref.info is not None and ref.info.dataset is not None
    values = preprocessed(load_dataset(ref.info.dataset, "test", n), _preprocess(ref)).inputs
    key = cache.make_key(
        what="float outputs",
        model=identity(ref),
        n=n,
        source=cache.source_hash(("export/evaluation.py", "model")),
        versions=cache.package_versions((*PACKAGES, DATASETS[ref.info.dataset].package)),
    )
    kept = cache.load("accuracy", key)
    if kept is not None:
        return values, np.load(io.BytesIO(kept["outputs.npy"]), allow_pickle=False)

    from mcugen.model.load import load_model

    source = load_model(ref, progress=progress)
    import torch

    with torch.no_grad():
        outputs = source.module(torch.from_numpy(values)).numpy()
    buffer = io.BytesIO()
    np.save(buffer, outputs, allow_pickle=False)
    cache.store("accuracy", key, {"outputs.npy": buffer.getvalue()})
    return values, outputs
