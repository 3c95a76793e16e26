# SPDX-License-Identifier: BSD-3-Clause
"""Which samples the int8 ranges come from, and whether they look like what the model was shown."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import ConfigError
from mcugen.export.looks import oddities
from mcugen.export.rows import Labelled, Row, labelled_rows_of, zipped
from mcugen.model.data import Samples, load_dataset, load_source
from mcugen.model.feed import BYTES_TAKEN_AS, as_inputs
from mcugen.model.preprocess import DEFAULT_PIXELS, AnyPreprocess, of_pixels, scales
from mcugen.model.source import ModelKind, ModelRef, ModelSource

if TYPE_CHECKING:
    import numpy as np
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
    labels: np.ndarray | None = None  #: of the samples, where they have some
    warnings: tuple[str, ...] = ()  #: what makes them look unlike the model's inputs, with numbers

    @property
    def sha256(self) -> str:
        """Of all samples' bytes, in order."""
        digest = hashlib.sha256()
        for row in self.samples:
            for value in row:
                digest.update(value.detach().contiguous().numpy().tobytes())
        return digest.hexdigest()


def choose_calibration(
    ref: ModelRef,
    source: ModelSource,
    calibrate: str | None,
    pixels: str | None = None,
    *,
    preprocess: AnyPreprocess | None = None,
    most: int | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Return the calibration inputs named by `--calibrate`, else the model's own.

    Args:
        pixels: what bytes in the data stand for, of PIXELS; None: 0..1.
        preprocess: from stored samples to inputs, of `mcugen.toml`, where the model has none.
        most: samples to take; None: CALIBRATION_SAMPLES, or RANDOM_SAMPLES of noise.
        progress: called while data are read.

    Raises ConfigError if the model has none (noise is used only when asked for by name), or if they
    hold what no int8 range covers; or if both the model and `mcugen.toml` declare preprocessing.
    """
    prepare = the_preprocess(ref, source, preprocess)
    chosen = _chosen(ref, source, calibrate, pixels, prepare, most, progress)
    bad = sum(not all(bool(value.isfinite().all()) for value in row) for row in chosen.samples)
    if bad:
        raise ConfigError(
            f"{source.name}: {bad} of {len(chosen.samples)} calibration samples hold NaN or "
            f"infinite values ({chosen.provenance}), which no int8 range covers",
            hint="Leave these samples out, or mend them where they are made.",
        )
    if chosen.random:
        return chosen
    asked = pixels is not None or (prepare is not None and scales(prepare))
    odd = oddities(chosen.samples, chosen.labels, source.example_inputs, asked=asked)
    return replace(chosen, warnings=odd)


def _chosen(
    ref: ModelRef,
    source: ModelSource,
    calibrate: str | None,
    pixels: str | None,
    preprocess: AnyPreprocess | None,
    most: int | None,
    progress: Progress | None,
) -> Calibration:
    of_noise, most = most or RANDOM_SAMPLES, most or CALIBRATION_SAMPLES
    if calibrate == RANDOM:
        return _random(source, of_noise)
    if calibrate is not None:
        samples = load_source(calibrate, most, seed=SEED, progress=progress)
        return _of_stored(source, samples, preprocess, pixels, most)
    if ref.info is not None and ref.info.dataset is not None:
        name = ref.info.dataset
        samples = load_dataset(name, "train", most, seed=SEED, progress=progress)
        return _of_stored(source, samples, preprocess, pixels, most)
    if ref.kind is ModelKind.BUNDLED:
        from mcugen.model.bundled import mlperf_tiny

        noise = mlperf_tiny.samples(ref.name, of_noise, SEED + 1)
        return Calibration(
            tuple((value,) for value in noise), "uniform noise in [-1, 1]; untrained weights", True
        )
    stored = stored_samples(source.calibration, most, progress)
    if stored is not None:
        return _of_stored(source, stored, preprocess, pixels, most)
    if source.calibration is not None:
        rows, scaling = _own(source, pixels, most, preprocess)
        return Calibration(rows, f"the model's own ({source.provenance}){scaling}", False)
    raise ConfigError(
        f"{ref.name} brings no calibration data, and int8 ranges cannot be guessed",
        hint="--calibrate FILE.npz | FILE.csv | tfds:NAME | FOLDER, or --calibrate random to try "
        "things out.",
    )


def _of_stored(
    source: ModelSource,
    samples: Samples,
    preprocess: AnyPreprocess | None,
    pixels: str | None,
    most: int,
) -> Calibration:
    rows, fed = stored_rows(source, samples, most, preprocess=preprocess, pixels=pixels)
    return Calibration(rows, fed.provenance, False, labels=fed.labels)


def _random(source: ModelSource, count: int) -> Calibration:
    import torch

    generator = torch.Generator().manual_seed(SEED)
    samples = tuple(
        tuple(
            torch.rand(value.shape, generator=generator) * 2 - 1
            if value.is_floating_point()
            else value
            for value in source.example_inputs
        )
        for _ in range(count)
    )
    return Calibration(samples, "uniform noise in [-1, 1]", True)


def stored_samples(given: Any, limit: int, progress: Progress | None) -> Samples | None:
    """Return the stored samples that a user's code names, or hands over as `Samples`; else None."""
    if isinstance(given, Samples):
        return given.cut(limit, SEED)
    if isinstance(given, (str, os.PathLike)):
        return load_source(os.fspath(given), limit, seed=SEED, progress=progress)
    return None


def stored_rows(
    source: ModelSource,
    samples: Samples,
    limit: int,
    *,
    preprocess: AnyPreprocess | None,
    pixels: str | None,
) -> tuple[tuple[Row, ...], Samples]:
    """Return stored samples as the model takes them, at most `limit`: as tensors, and as arrays."""
    import torch

    if len(source.example_inputs) != 1:
        raise ConfigError(
            f"{source.name} has {len(source.example_inputs)} inputs; stored data are for one",
            hint="Let the factory return (module, example_inputs, calibration).",
        )
    example = source.example_inputs[0]
    dtype = str(example.dtype).removeprefix("torch.")
    shape = tuple(example.shape)
    fed = as_inputs(
        samples, shape, dtype, preprocess=preprocess, pixels=pixels, limit=limit, seed=SEED
    )
    return tuple((torch.from_numpy(row).to(example.dtype),) for row in fed.inputs), fed


def the_preprocess(
    ref: ModelRef, source: ModelSource, preprocess: AnyPreprocess | None
) -> AnyPreprocess | None:
    """Return the one declaration of preprocessing. Raises ConfigError if there are two."""
    if preprocess is not None and source.preprocess is not None and ref.info is None:
        raise ConfigError(
            f"{source.name} brings a preprocess of its own, and [preprocess] declares another",
            hint="Keep one of them.",
        )
    return source.preprocess or preprocess


def _own(
    source: ModelSource, pixels: str | None, most: int, preprocess: AnyPreprocess | None
) -> tuple[tuple[tuple[torch.Tensor, ...], ...], str]:
    """Return up to `most` of a user's own samples, and what was done to them."""
    rows, scaling = own_rows(source, source.calibration, most, pixels, "calibration", preprocess)
    return tuple(row for row, _ in rows), scaling


def own_rows(
    source: ModelSource,
    data: Any,
    limit: int,
    pixels: str | None,
    what: str,
    preprocess: AnyPreprocess | None = None,
) -> tuple[list[Labelled], str]:
    """Return up to `limit` samples that a user's code hands over, and what was done to them.

    They are as the model takes them: its preprocessing is for stored data.

    Args:
        data: a Dataset, DataLoader, list, tensor, array or generator.
        what: it is for, in messages.
        preprocess: of stored data; with it, bytes are refused: they are stored data, too.
    """
    import torch

    (step,) = of_pixels(pixels).steps
    scaled = False

    def from_bytes(value: torch.Tensor) -> torch.Tensor:
        nonlocal scaled
        if preprocess is not None:
            raise ConfigError(
                "calibration samples in memory are bytes: preprocess is for stored samples, and "
                "was not applied to them",
                hint="mcugen.model.data.samples_from(SAMPLES) hands them over as stored ones; or "
                "give what forward() takes.",
            )
        scaled = True
        return torch.from_numpy(step(value.numpy()))

    try:
        data = zipped(data, source.example_inputs)
        rows = labelled_rows_of(data, source.example_inputs, limit, SEED, from_bytes)
    except ConfigError as error:
        message = error.message.replace("calibration", what)
        raise ConfigError(f"{source.name}: {message}", hint=error.hint) from error
    if not rows:
        raise ConfigError(f"{source.name}: its {what} data is empty")
    if preprocess is not None:
        return rows, ", as they are: preprocess is for stored samples"
    return rows, BYTES_TAKEN_AS + (pixels or DEFAULT_PIXELS) if scaled else ""
