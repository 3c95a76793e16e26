# SPDX-License-Identifier: BSD-3-Clause
"""Which samples the int8 ranges come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.data import as_model_input, load_source
from mcugen.model.source import ModelKind, ModelRef, ModelSource

if TYPE_CHECKING:
    import torch

Progress = Callable[[str, int, int], None]
#: Calibration sees this many samples: enough for the observers' ranges to settle on `digits`.
CALIBRATION_SAMPLES = 128
#: Noise needs fewer: every sample has the same range.
RANDOM_SAMPLES = 16
SEED = 0
RANDOM = "random"


@dataclass(frozen=True)
class Calibration:
    """Inputs to observe the model's activations with."""

    samples: tuple[tuple[torch.Tensor, ...], ...]
    provenance: str
    random: bool


def choose_calibration(ref: ModelRef, source: ModelSource, calibrate: str | None) -> Calibration:
    """Return the calibration inputs named by `--calibrate`, else the model's own.

    Raises ConfigError if the model has none: noise is used only when asked for by name.
    """
    if calibrate == RANDOM:
        return _random(source)
    if calibrate is not None:
        samples = load_source(calibrate, CALIBRATION_SAMPLES)
        return Calibration(_rows(source, samples.inputs), samples.provenance, False)
    if ref.info is not None and ref.info.dataset is not None:
        samples = load_source(f"tfds:{ref.info.dataset}/train")
        chosen = np.random.RandomState(SEED).permutation(len(samples.inputs))[:CALIBRATION_SAMPLES]
        return Calibration(_rows(source, samples.inputs[chosen]), samples.provenance, False)
    if ref.kind is ModelKind.BUNDLED:
        from mcugen.model.bundled import mlperf_tiny

        noise = mlperf_tiny.samples(ref.name, RANDOM_SAMPLES, SEED + 1)
        return Calibration(
            tuple((value,) for value in noise), "uniform noise in [-1, 1]; untrained weights", True
        )
    if source.calibration is not None:
        return Calibration(_own(source), f"the model's own ({source.provenance})", False)
    raise ConfigError(
        f"{ref.name} brings no calibration data, and int8 ranges cannot be guessed",
        hint="--calibrate FILE.npz | tfds:NAME | FOLDER, or --calibrate random to try things out.",
    )


def _random(source: ModelSource) -> Calibration:
    import torch

    generator = torch.Generator().manual_seed(SEED)
    samples = tuple(
        tuple(
            torch.rand(value.shape, generator=generator) * 2 - 1
            if value.is_floating_point()
            else value
            for value in source.example_inputs
        )
        for _ in range(RANDOM_SAMPLES)
    )
    return Calibration(samples, "uniform noise in [-1, 1]", True)


def _rows(source: ModelSource, stored: np.ndarray) -> tuple[tuple[torch.Tensor, ...], ...]:
    import torch

    if len(source.example_inputs) != 1:
        raise ConfigError(
            f"{source.name} has {len(source.example_inputs)} inputs; --calibrate gives one",
            hint="Let the factory return (module, example_inputs, calibration).",
        )
    if source.preprocess is not None:
        stored = source.preprocess(stored)
    shape = tuple(source.example_inputs[0].shape)
    return tuple((torch.from_numpy(row),) for row in as_model_input(stored, shape))


def _own(source: ModelSource) -> tuple[tuple[torch.Tensor, ...], ...]:
    """Return a user's calibration iterable as tuples of tensors, at most CALIBRATION_SAMPLES."""
    import torch

    rows: list[tuple[torch.Tensor, ...]] = []
    assert source.calibration is not None
    for item in source.calibration:
        values = item if isinstance(item, (tuple, list)) else (item,)
        row = tuple(torch.as_tensor(value) for value in values)
        for value, example in zip(row, source.example_inputs, strict=False):
            if value.shape != example.shape:
                raise ConfigError(
                    f"{source.name}: calibration sample {len(rows)} has shape "
                    f"{list(value.shape)}, the model takes {list(example.shape)}"
                )
        if len(row) != len(source.example_inputs):
            raise ConfigError(
                f"{source.name}: calibration sample {len(rows)} has {len(row)} inputs, "
                f"the model takes {len(source.example_inputs)}"
            )
        rows.append(row)
        if len(rows) == CALIBRATION_SAMPLES:
            break
    if not rows:
        raise ConfigError(f"{source.name}: its calibration data is empty")
    return tuple(rows)
