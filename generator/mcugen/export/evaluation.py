# SPDX-License-Identifier: BSD-3-Clause
"""Samples to verify a model with, as the device takes them, and the float model's accuracy."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mcugen.base import cache
from mcugen.base.errors import ConfigError
from mcugen.export.pipeline import PACKAGES, Progress, identity
from mcugen.model.catalog import DATASETS
from mcugen.model.data import load_dataset
from mcugen.model.scores import score
from mcugen.model.source import ModelRef, resolve_model
from mcugen.program.artifact import PteArtifact, TensorSpec
from mcugen.program.device_input import to_device

#: Inputs for models without labelled data.
RANDOM_INPUT_SEED = 1


@dataclass(frozen=True)
class EvaluationData:
    """Inputs as the device takes them, and the labels where there are any."""

    inputs: tuple[np.ndarray, ...]  #: per method input: [n, *memory shape], of its dtype
    labels: np.ndarray | None  #: int64[n]
    provenance: str

    @property
    def samples(self) -> int:
        """How many."""
        return len(self.inputs[0])


def evaluation_data(model: str, artifact: PteArtifact, n: int) -> EvaluationData:
    """Return `n` samples for verifying a model (fewer if its test split has fewer). No torch.

    Labelled test samples where the model has a dataset, else inputs drawn from a seed.
    """
    if n <= 0:
        raise ConfigError(f"{n} samples to verify: at least 1")
    ref = resolve_model(model)
    if ref.info is None or ref.info.dataset is None:
        rng = np.random.RandomState(RANDOM_INPUT_SEED)
        inputs = tuple(_random_input(spec, n, rng) for spec in artifact.inputs)
        return EvaluationData(inputs, None, f"random inputs, seed {RANDOM_INPUT_SEED}")
    samples = load_dataset(ref.info.dataset, "test", n)
    values = _preprocess(ref)(samples.inputs)
    return EvaluationData(
        (to_device(values, artifact.inputs[0]),), samples.labels, samples.provenance
    )


def _preprocess(ref: ModelRef) -> Callable[[np.ndarray], np.ndarray]:
    module = importlib.import_module(f"mcugen.model.bundled.{ref.name}_data")
    preprocess: Callable[[np.ndarray], np.ndarray] = module.preprocess
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


def float_score(model: str, n: int, *, progress: Progress | None = None) -> float | None:
    """Return the figure that the float PyTorch model reaches on the first `n` test samples.

    Kept on disk. None for a model without labelled data, and where the samples give no figure.
    """
    ref = resolve_model(model)
    if ref.info is None or ref.info.dataset is None:
        return None
    key = cache.make_key(
        what="float score",
        model=identity(ref),
        n=n,
        source=cache.source_hash(
            ("export/evaluation.py", "model/data.py", "model/datasets", "model/scores.py")
        ),
        versions=cache.package_versions((*PACKAGES, DATASETS[ref.info.dataset].package)),
    )
    kept = cache.load("accuracy", key)
    if kept is not None:
        return _figure(json.loads(kept["score.json"]))

    from mcugen.model.load import load_model

    source = load_model(ref, progress=progress)
    import torch

    samples = load_dataset(ref.info.dataset, "test", n)
    assert samples.labels is not None
    values = _preprocess(ref)(samples.inputs)
    with torch.no_grad():
        outputs = source.module(torch.from_numpy(values)).numpy()
    result = score(ref.info.metric, values, outputs, samples.labels)
    if result is not None and not math.isfinite(result):
        raise ConfigError(f"{model}: {ref.info.metric} is not a number")
    cache.store("accuracy", key, {"score.json": json.dumps(result).encode()})
    return result


def _figure(value: object) -> float | None:
    return None if value is None else float(str(value))
