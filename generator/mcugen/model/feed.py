# SPDX-License-Identifier: BSD-3-Clause
"""From stored samples to a model's input: the one way that they take, everywhere.

Calibration, the float model's evaluation, the host reference and what is sent to the device
(`program.device_input.to_device` quantizes what comes from here) all use `as_inputs`. No torch.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.preprocess import DEFAULT_PIXELS, AnyPreprocess, Preprocess, of_pixels
from mcugen.model.samples import Samples, is_ragged

#: In a provenance, before one of PIXELS.
BYTES_TAKEN_AS = ", bytes taken as "


def as_inputs(
    samples: Samples,
    shape: tuple[int, ...],
    dtype: str = "float32",
    *,
    preprocess: AnyPreprocess | None = None,
    pixels: str | None = None,
    limit: int | None = None,
    seed: int | None = None,
) -> Samples:
    """Return samples with inputs [n, *shape] as the model takes them, and their labels.

    Args:
        shape: of the model's input, with its batch of 1: (1, 3, 32, 32).
        dtype: of the model's input; whole numbers stay so for a model that takes some.
        preprocess: what to do with stored samples. None: bytes are scaled by `pixels`, if the model
            takes floats; all else is taken as it is.
        pixels: what bytes stand for, of PIXELS; None: 0..1, torchvision's ToTensor.
        limit: the most samples, where preprocessing makes several of one; drawn by `seed`.

    Raises ConfigError if samples do not suit, naming what and where.
    """
    done, said = samples, ""
    is_float = dtype.startswith(("float", "bfloat"))
    if preprocess is not None:
        if pixels is not None and isinstance(preprocess, Preprocess):
            raise ConfigError(
                "both --pixels and preprocessing say what bytes stand for",
                hint=f"Leave --pixels out: the steps are {preprocess}.",
            )
        done = preprocessed(samples, preprocess)
        if isinstance(preprocess, Preprocess):
            said = f", preprocessed: {preprocess}"
    elif samples.inputs.dtype == np.uint8 and is_float:
        done = preprocessed(samples, of_pixels(pixels))
        said = BYTES_TAKEN_AS + (pixels or DEFAULT_PIXELS)
    done = done.cut(limit, seed)
    if not is_float and done.inputs.dtype.kind == "f":
        raise ConfigError(f"samples are {done.inputs.dtype} where the model takes {dtype}")
    inputs = as_model_input(done.inputs, shape)
    return replace(done, inputs=inputs, provenance=done.provenance + said)


def preprocessed(samples: Samples, preprocess: AnyPreprocess) -> Samples:
    """Return what preprocessing makes of samples; where it cuts windows, each has its label.

    Raises ConfigError if a step does not suit a sample, if audio is of another rate than a step
    takes, or if a function of the user's own does not give an array with as many samples.
    """
    if isinstance(preprocess, Preprocess):
        want, have = preprocess.sample_rate_hz, samples.sample_rate_hz
        if want and have and want != have:
            raise ConfigError(
                f"{samples.provenance} is audio of {have} Hz, preprocessing takes {want} Hz",
                hint=f'First {{ do = "resample", from_hz = {have}, to_hz = {want} }}.',
            )
        inputs, origin = preprocess.apply(samples.inputs, samples.names)
        return replace(samples.take(origin), inputs=inputs)
    inputs = np.asarray(preprocess(samples.inputs))
    if inputs.ndim < 1 or len(inputs) != len(samples):
        raise ConfigError(
            f"preprocess() gave {list(inputs.shape)} for {len(samples)} samples",
            hint="It takes all stored samples, [n, ...], and returns as many inputs.",
        )
    return replace(samples, inputs=inputs)


def as_model_input(samples: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return samples as float32, whole numbers as they are, each of `shape` (batch of 1).

    A sample may come with or without axes of size 1, and with its channels first or last: whichever
    matches the model's shape, [1, channels, height, width] or [1, channels, length]. What fits both
    is taken as channels first.

    Raises ConfigError if no reading fits.
    """
    if is_ragged(samples):
        raise _of_different_shapes(samples)
    want = shape[1:] if len(shape) > 1 and shape[0] == 1 else shape
    rows = samples
    if rows.shape[1:] == shape:
        rows = rows.reshape(len(rows), *want) if shape[0] == 1 else rows
    if rows.shape[1:] != want:
        if _without_ones(rows.shape[1:]) == _without_ones(want):
            rows = rows.reshape(len(rows), *want)
        elif rows.ndim in (3, 4) and len(want) == rows.ndim - 1:
            rows = np.moveaxis(rows, -1, 1)
        elif rows.ndim == 3 and len(want) == 3 and 1 in want[1:]:
            # A signal as an image of one row, or of one column.
            moved = np.moveaxis(rows, -1, 1)
            if _without_ones(moved.shape[1:]) == _without_ones(want):
                rows = moved.reshape(len(rows), *want)
    if rows.shape[1:] != want:
        raise ConfigError(
            f"samples have shape {list(samples.shape[1:])}, the model's input is {list(shape)}",
            hint="Give one sample per row, in the model's own shape or with channels last; "
            "[preprocess] in mcugen.toml can resize, crop and window.",
        )
    rows = rows.astype(np.float32) if rows.dtype.kind == "f" else rows
    return np.ascontiguousarray(rows.reshape(len(rows), *shape))


def _of_different_shapes(samples: np.ndarray) -> ConfigError:
    shapes: dict[tuple[int, ...], int] = {}
    for each in samples:
        shapes[each.shape] = shapes.get(each.shape, 0) + 1
    most = sorted(shapes.items(), key=lambda item: -item[1])[:3]
    said = ", ".join(f"{list(shape)} x {count}" for shape, count in most)
    more = f" and {len(shapes) - 3} more shapes" if len(shapes) > 3 else ""
    return ConfigError(
        f"samples differ in shape: {said}{more}",
        hint="[preprocess] in mcugen.toml makes them one: steps resize, centre_crop, grey or rgb "
        "for images, fit_length or window for series and audio.",
    )


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)
