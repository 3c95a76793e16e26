# SPDX-License-Identifier: BSD-3-Clause
"""Whether calibration data look like what the model was shown. Figures, before a minute is spent.

What a model was shown is known by its example inputs, as far as they are not all one value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

#: Values of an example that is drawn or real; fewer say nothing of a range.
_TELLING_VALUES = 16
#: Data may be this much larger than an example, or this much smaller, before it is said: a standard
#: normal dummy reaches 3 to 5, where real data end at 1.
_LARGER, _SMALLER = 8.0, 1 / 64
#: An example input that fills this much of -1..1, and no more, is of that range: noise of a
#: standard normal dummy goes beyond.
_MOST_OF_1 = 0.5
#: Fewer samples may be alike by chance.
_TELLING_SAMPLES = 16
_MORE = " (mcugen.toml's [preprocess] or --pixels scale stored data)"


def oddities(
    samples: Sequence[tuple[torch.Tensor, ...]],
    labels: np.ndarray | None,
    examples: Sequence[torch.Tensor],
    *,
    asked: bool,
) -> tuple[str, ...]:
    """Return what looks odd of calibration inputs, a sentence with figures each.

    Args:
        labels: of the samples, where they have some.
        asked: scaling was asked for, by --pixels or a preprocessing: whole numbers of 0..255 are
            then no oversight.
    """
    found: list[str] = []
    for place, example in enumerate(examples):
        if not example.is_floating_point():
            continue
        values = np.stack([sample[place].numpy() for sample in samples])
        which = "" if len(examples) == 1 else f" of input {place}"
        found += _ranges(values, example.numpy(), which, asked)
        if len(samples) >= _TELLING_SAMPLES and bool((values == values[:1]).all()):
            found.append(f"all {len(samples)} calibration samples{which} are the same")
    if labels is not None and labels.ndim == 1 and len(labels) >= _TELLING_SAMPLES:
        classes = np.unique(labels)
        if len(classes) == 1 and labels.dtype.kind in "iu":
            found.append(
                f"all {len(labels)} calibration samples have the label {classes[0]}: ranges of "
                "other classes are not seen"
            )
    return tuple(found)


def _ranges(values: np.ndarray, example: np.ndarray, which: str, asked: bool) -> Iterator[str]:
    low, high = float(values.min()), float(values.max())
    size = max(-low, high)
    bytes_like = low >= 0 and 128 <= high <= 255 and bool((values == np.rint(values)).all())
    shown = _range_of(example)
    if shown is None:
        if bytes_like and not asked:
            yield (
                f"calibration data{which} are whole numbers of {low:g}..{high:g}, as images are "
                "stored: if the model was trained on 0..1 or normalised values, its int8 ranges "
                f"are wrong{_MORE}"
            )
        return
    largest = max(-shown[0], shown[1])
    if shown[0] <= -_MOST_OF_1 and shown[1] >= _MOST_OF_1 and largest <= 1 and 0 <= low < high <= 1:
        yield (
            f"calibration data{which} span {low:.3g}..{high:.3g}, the model's example input "
            f"{shown[0]:.3g}..{shown[1]:.3g}: none is below 0. Are they scaled as in training?"
            f"{_MORE}"
        )
    if _SMALLER <= size / largest <= _LARGER:
        return
    times = size / largest
    factor = max(times, 1 / max(times, 1e-9))
    apart = f"{factor:,.0f} times {'as large' if times > 1 else 'smaller'}"
    yield (
        f"calibration data{which} span {low:.3g}..{high:.3g}, the model's example input "
        f"{shown[0]:.3g}..{shown[1]:.3g}: {apart}. Are they scaled as in training?{_MORE}"
    )


def _range_of(example: np.ndarray) -> tuple[float, float] | None:
    """Return the range of an example input that tells one."""
    finite = example[np.isfinite(example)]
    if finite.size < _TELLING_VALUES or finite.min() == finite.max():
        return None
    return float(finite.min()), float(finite.max())
