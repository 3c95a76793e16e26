# SPDX-License-Identifier: BSD-3-Clause
"""Which samples the int8 ranges come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.export.rows import Labelled, labelled_rows_of, zipped
from mcugen.model.data import as_model_input, load_dataset, load_source
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
#: What a byte of 0 and one of 255 stand for, by the name in `--pixels`.
PIXELS = {"0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0), "0..255": (0.0, 255.0)}
DEFAULT_PIXELS = "0..1"
#: In a provenance, before one of them.
BYTES_TAKEN_AS = ", bytes taken as "


@dataclass(frozen=True)
class Calibration:
    """Inputs to observe the model's activations with."""

    samples: tuple[tuple[torch.Tensor, ...], ...]
    provenance: str
    random: bool


def choose_calibration(
    ref: ModelRef, source: ModelSource, calibrate: str | None, pixels: str | None = None
) -> Calibration:
    """Return the calibration inputs named by `--calibrate`, else the model's own.

    Args:
        pixels: what bytes in the data stand for, of PIXELS; None: 0..1.

    Raises ConfigError if the model has none (noise is used only when asked for by name), or if they
    hold what no int8 range covers.
    """
    chosen = _chosen(ref, source, calibrate, pixels)
    bad = sum(not all(bool(value.isfinite().all()) for value in row) for row in chosen.samples)
    if bad:
        raise ConfigError(
            f"{source.name}: {bad} of {len(chosen.samples)} calibration samples hold NaN or "
            f"infinite values ({chosen.provenance}), which no int8 range covers",
            hint="Leave these samples out, or mend them where they are made.",
        )
    return chosen


def _chosen(
    ref: ModelRef, source: ModelSource, calibrate: str | None, pixels: str | None
) -> Calibration:
    if calibrate == RANDOM:
        return _random(source)
    if calibrate is not None:
        samples = load_source(calibrate, CALIBRATION_SAMPLES, seed=SEED)
        inputs, scaling = _as_floats(source, samples.inputs, pixels)
        return Calibration(_rows(source, inputs), samples.provenance + scaling, False)
    if ref.info is not None and ref.info.dataset is not None:
        samples = load_dataset(ref.info.dataset, "train", CALIBRATION_SAMPLES, seed=SEED)
        return Calibration(_rows(source, samples.inputs), samples.provenance, False)
    if ref.kind is ModelKind.BUNDLED:
        from mcugen.model.bundled import mlperf_tiny

        noise = mlperf_tiny.samples(ref.name, RANDOM_SAMPLES, SEED + 1)
        return Calibration(
            tuple((value,) for value in noise), "uniform noise in [-1, 1]; untrained weights", True
        )
    if source.calibration is not None:
        rows, scaling = _own(source, pixels)
        return Calibration(rows, f"the model's own ({source.provenance}){scaling}", False)
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
    example = source.example_inputs[0]
    if not example.is_floating_point() and stored.dtype.kind == "f":
        takes = str(example.dtype).removeprefix("torch.")
        raise ConfigError(f"samples are {stored.dtype} where the model takes {takes}")
    rows = as_model_input(stored, tuple(example.shape))
    return tuple((torch.from_numpy(row).to(example.dtype),) for row in rows)


def _as_floats(
    source: ModelSource, stored: np.ndarray, pixels: str | None
) -> tuple[np.ndarray, str]:
    """Return stored bytes as the model was trained on them, and what was done, for the report.

    A float model that is fed from 8-bit images mostly has them as 0..1: torchvision's ToTensor
    makes them so. A model with a `preprocess` of its own does that itself.
    """
    example = source.example_inputs[0]
    if source.preprocess is not None or stored.dtype != np.uint8 or not example.is_floating_point():
        return stored, ""
    scale, low, said = _pixel_scale(pixels)
    return stored.astype(np.float32) * np.float32(scale) + np.float32(low), said


def _pixel_scale(pixels: str | None) -> tuple[float, float, str]:
    """Return the step of a byte, what 0 stands for, and both in words for the report."""
    try:
        low, high = PIXELS[pixels or DEFAULT_PIXELS]
    except KeyError:
        raise ConfigError(
            f"pixels cannot be '{pixels}'", hint=f"One of {', '.join(PIXELS)}."
        ) from None
    return (high - low) / 255, low, BYTES_TAKEN_AS + (pixels or DEFAULT_PIXELS)


def _own(
    source: ModelSource, pixels: str | None
) -> tuple[tuple[tuple[torch.Tensor, ...], ...], str]:
    """Return up to CALIBRATION_SAMPLES of a user's own samples, and what was done to bytes."""
    rows, scaling = own_rows(source, source.calibration, CALIBRATION_SAMPLES, pixels, "calibration")
    return tuple(row for row, _ in rows), scaling


def own_rows(
    source: ModelSource, data: Any, limit: int, pixels: str | None, what: str
) -> tuple[list[Labelled], str]:
    """Return up to `limit` samples that a user's code hands over, and what was done to bytes.

    Args:
        data: a Dataset, DataLoader, list, tensor, array or generator.
        what: it is for, in messages.
    """
    scale, low, said = _pixel_scale(pixels)
    scaled = False

    def from_bytes(value: torch.Tensor) -> torch.Tensor:
        nonlocal scaled
        scaled = True
        return value * scale + low

    try:
        data = zipped(data, source.example_inputs)
        rows = labelled_rows_of(data, source.example_inputs, limit, SEED, from_bytes)
    except ConfigError as error:
        message = error.message.replace("calibration", what)
        raise ConfigError(f"{source.name}: {message}", hint=error.hint) from error
    if not rows:
        raise ConfigError(f"{source.name}: its {what} data is empty")
    return rows, said if scaled else ""
