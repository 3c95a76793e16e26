# SPDX-License-Identifier: BSD-3-Clause
"""Figures of a `.pte` beside the float model, and what is likely to cost accuracy. No torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mcugen.export.fidelity import (
    POOR_DB,
    Column,
    Fidelity,
    InputFidelity,
    OutputFidelity,
)
from mcugen.model.feed import BYTES_TAKEN_AS
from mcugen.program.artifact import PteArtifact, TensorSpec
from mcugen.program.device_input import TELLING_SHARE, beyond_int8, saturation

if TYPE_CHECKING:
    import torch

#: Outputs with more columns are described as a whole.
_MOST_COLUMNS = 16
#: A column that spans fewer steps of its tensor's scale keeps less than three bits.
_FEWEST_STEPS = 8
#: Fewer samples may be of one class by chance.
_TELLING_SAMPLES = 16


@dataclass(frozen=True)
class Values:
    """One output of all samples, float64[n, *shape], in its own units."""

    spec: TensorSpec
    quantized: np.ndarray  #: the quantized graph's
    rounded: np.ndarray  #: the same with every value rounded up or down at random
    pte: np.ndarray
    raw: np.ndarray  #: the program's own type
    float_model: np.ndarray | None  #: the user's module's; None: it has no such output


def rms(values: np.ndarray) -> float:
    """Return the root mean square, of finite values."""
    finite = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(finite**2))) if finite.size else 0.0


def sqnr_db(signal: np.ndarray, other: np.ndarray) -> float:
    """Return the ratio of `signal` to the difference, in dB: inf if they are equal."""
    # A mask of -inf says nothing about noise.
    both = np.isfinite(signal) & np.isfinite(other)
    noise = float(((signal[both] - other[both]) ** 2).sum())
    noise += float((np.isfinite(signal) != np.isfinite(other)).sum()) * rms(signal) ** 2
    power = float((signal[both] ** 2).sum())
    if noise == 0:
        return math.inf
    return 10 * math.log10(power / noise) if power else -math.inf


def describe(
    values: Sequence[Values],
    samples: Sequence[tuple[torch.Tensor, ...]],
    artifact: PteArtifact,
    *,
    data: str,
    random: bool,
) -> Fidelity:
    """Return the figures of every input and output, and what is likely to cost accuracy."""
    arrays = [np.stack([sample[i].numpy() for sample in samples]) for i in range(len(samples[0]))]
    inputs = tuple(_input(spec, array) for spec, array in zip(artifact.inputs, arrays, strict=True))
    smallest = min(math.prod(spec.shape) for spec in artifact.inputs)
    outputs = tuple(_output(each, smallest) for each in values)
    causes = [*_input_causes(artifact, arrays)]
    if not random:
        causes += _class_causes(values, outputs, _pixel_words(arrays, data))
    for each, output in zip(values, outputs, strict=True):
        causes += _output_causes(each, output)
    return Fidelity(len(samples), data, outputs, inputs, tuple(causes))


def _figure(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None


def _input(spec: TensorSpec, array: np.ndarray) -> InputFidelity:
    if spec.dtype != "int8" or not spec.scale:
        return InputFidelity(spec.name, None, None)
    q = np.rint(array / spec.scale) + (spec.zero_point or 0)
    beyond = beyond_int8(array, spec)
    assert beyond is not None
    at_limits = round(float(((q <= -128) | (q >= 127)).mean()), 4)
    return InputFidelity(spec.name, at_limits, float(beyond.mean()))


def _output(values: Values, smallest_input: int) -> OutputFidelity:
    spec, real = values.spec, values.float_model
    assert real is not None
    limits = None
    if values.raw.dtype == np.int8:
        limits = round(float(np.isin(values.raw, (-128, 127)).mean()), 4)
    apart = np.abs(np.nan_to_num(values.pte - real, posinf=0.0, neginf=0.0))
    measured = spec.dtype.startswith("float") or spec.scale is not None
    return OutputFidelity(
        name=spec.name,
        sqnr_db=_figure(sqnr_db(real, values.pte)) if measured else None,
        quantized_sqnr_db=_figure(sqnr_db(real, values.quantized)) if measured else None,
        max_error=float(apart.max(initial=0.0)),
        top_class=_top_class(values, smallest_input),
        at_limits=limits,
        columns=tuple(
            Column(
                _figure(sqnr_db(want, got)),
                float(np.abs(np.nan_to_num(got - want, posinf=0.0, neginf=0.0)).max(initial=0.0)),
            )
            for want, got in zip(_columns(real), _columns(values.pte), strict=True)
        ),
    )


def _columns(values: np.ndarray) -> list[np.ndarray]:
    """Return the columns of [n, *shape] where there are few: elements, features or channels."""
    shape = values.shape[1:]
    axes = {0: [], 1: [1], 2: [2], 3: [3, 2], 4: [2]}.get(len(shape), [])
    for axis in axes:
        if 1 < values.shape[axis] <= _MOST_COLUMNS:
            return list(np.moveaxis(values, axis, 0))
    return []


def _top_class(values: Values, smallest_input: int) -> float | None:
    """Return the share of samples whose largest value is in the same place, of a classifier."""
    shape = values.spec.shape
    elements = math.prod(shape)
    # As many numbers as come in are a signal, not classes.
    if len(shape) not in (1, 2) or max(shape) != elements or not 1 < elements < smallest_input:
        return None
    assert values.float_model is not None
    count = len(values.pte)
    want = values.float_model.reshape(count, -1)
    got = values.pte.reshape(count, -1)
    # Equal values in int8 are no decision against the float model's.
    agree = got[np.arange(count), want.argmax(axis=1)] == got.max(axis=1)
    return round(float(agree.mean()), 4)


# --- causes ---


def _input_causes(artifact: PteArtifact, arrays: Sequence[np.ndarray]) -> Iterator[str]:
    for spec, array in zip(artifact.inputs, arrays, strict=True):
        if not spec.scale:
            continue
        said = saturation(array, spec)
        if said is not None:
            yield said
        yield from _column_causes(spec, array)


def _output_causes(values: Values, output: OutputFidelity) -> Iterator[str]:
    spec, real = values.spec, values.float_model
    if not spec.scale or real is None:
        return
    q = real / spec.scale + (spec.zero_point or 0)
    clipped = float(((q < -129) | (q > 128)).mean())
    if clipped > TELLING_SHARE:
        yield f"{spec.name} is at a limit of int8: {100 * clipped:.0f} % lies outside of its range"
    poor = [column.sqnr_db for column in output.columns if column.sqnr_db is not None]
    if poor and min(poor) < POOR_DB:
        yield from _column_causes(spec, real)


def _column_causes(spec: TensorSpec, array: np.ndarray) -> Iterator[str]:
    """Say so if columns of very different size share one scale."""
    assert spec.scale
    rank = array.ndim - 1
    axis = {1: 1, 2: 2, 4: 2}.get(rank)
    if axis is None or array.shape[axis] < 2 or len(array) < 2:
        return
    columns = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
    spans = columns.max(axis=1) - columns.min(axis=1)
    small = (spans > 0) & (spans < _FEWEST_STEPS * spec.scale)
    if small.any() and spans.max() > 32 * spans[small].min():
        ratio = spans.max() / spans[small].min()
        yield (
            f"one scale for columns of {spec.name} that differ by {ratio:,.0f} x: "
            f"{int(small.sum())} of {len(spans)} span fewer than {_FEWEST_STEPS} of its 255 steps "
            "(normalise them outside of the model)"
        )


def _class_causes(
    values: Sequence[Values], outputs: Sequence[OutputFidelity], pixels: str
) -> Iterator[str]:
    """Say so if all samples are of one class to the float model."""
    for each, output in zip(values, outputs, strict=True):
        if output.top_class is None or each.float_model is None:
            continue
        classes = each.float_model.reshape(len(each.float_model), -1).argmax(axis=1)
        if len(classes) >= _TELLING_SAMPLES and len(set(classes.tolist())) == 1:
            yield (
                f"calibration of one class: the float model gives {output.name} the class "
                f"{classes[0]} for each of {len(classes)} samples{pixels}"
            )


def _pixel_words(arrays: Sequence[np.ndarray], data: str) -> str:
    """Return what may be wrong with images that all look alike to a model; "" for other data."""
    said = data.rpartition(BYTES_TAKEN_AS)
    if said[1]:
        return f" (bytes were taken as {said[2]}: if it was trained on another range, --pixels)"
    first = arrays[0]
    whole = np.issubdtype(first.dtype, np.floating) and bool((first == np.rint(first)).all())
    if first.ndim == 5 and whole and first.min() >= 0 and 128 <= first.max() <= 255:
        return " (its values are whole numbers of 0..255: if it was trained on 0..1, divide by 255)"
    return ""
