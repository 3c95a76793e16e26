# SPDX-License-Identifier: BSD-3-Clause
"""Real values as an input of a program takes them."""

from __future__ import annotations

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.program.artifact import TensorSpec

#: Share of an input's values beyond int8 that is worth a word: by its range, hardly any is.
TELLING_SHARE = 0.02
#: Fewer samples may be small, or of one sign, by chance.
_TELLING_SAMPLES = 16
#: Samples that reach less of the range than this are scaled otherwise, not merely quiet.
_SMALL_SHARE = 1 / 16


def beyond_int8(values: np.ndarray, spec: TensorSpec) -> np.ndarray | None:
    """Return the share of each sample's values that int8 cannot reach, float64[n].

    None if the input is not int8. Half a step beyond the last one is rounding.
    """
    if spec.dtype != "int8" or not spec.scale:
        return None
    q = np.rint(values.reshape(len(values), -1) / spec.scale) + (spec.zero_point or 0)
    return np.asarray(((q < -129) | (q > 128)).mean(axis=1))


def saturation(values: np.ndarray, spec: TensorSpec) -> str | None:
    """Return what to say of samples that an input cannot represent, with figures; None: nothing."""
    beyond = beyond_int8(values, spec)
    if beyond is None or not len(beyond) or beyond.mean() <= TELLING_SHARE:
        return None
    assert spec.scale is not None
    low, high = (((q - (spec.zero_point or 0)) * spec.scale) for q in (-128, 127))
    return (
        f"{spec.name} saturates: {100 * beyond.mean():.0f} % lies outside of int8, "
        f"{low:.3g}..{high:.3g}, at least half of it in {int((beyond >= 0.5).sum())} of "
        f"{len(beyond)} samples; they span {values.min():.3g}..{values.max():.3g}"
    )


def unused(values: np.ndarray, spec: TensorSpec) -> str | None:
    """Return what to say of samples that leave most of an input's range alone; None: nothing.

    Bytes taken as 0..1 where calibration had -1..1 saturate nothing, and are wrong all the same.
    """
    if spec.dtype != "int8" or not spec.scale or len(values) < _TELLING_SAMPLES:
        return None
    low, high = (((q - (spec.zero_point or 0)) * spec.scale) for q in (-128, 127))
    least, most = float(values.min()), float(values.max())
    small = max(-least, most) < max(-low, high) * _SMALL_SHARE
    positive = low <= -high / 2 and least >= 0
    if not small and not positive:
        return None
    none = "hardly any of it is used" if small else "none is below 0"
    return f"{spec.name} spans {least:.3g}..{most:.3g} of int8's {low:.3g}..{high:.3g}: {none}"


def to_device(values: np.ndarray, spec: TensorSpec) -> np.ndarray:
    """Return float samples [n, *shape without the batch] as an input takes them.

    Quantized by the input's scale and zero point as the device would (multiply by 1/scale in
    float32, round halves to even, clamp), in memory order.
    """
    rows = values.reshape(len(values), *spec.shape)
    rows = rows.transpose(0, *(1 + axis for axis in spec.dim_order))
    whole = spec.dtype == "int8" or (spec.dtype == "int16" and spec.scale is not None)
    if not whole:
        return np.ascontiguousarray(rows.astype(np.dtype(spec.dtype)))
    if spec.scale is None or spec.zero_point is None:
        raise ConfigError(f"{spec.name} is {spec.dtype}, but the .pte does not record its scale")
    inverse = np.float32(1.0 / spec.scale)
    q = np.rint(rows.astype(np.float32) * inverse) + spec.zero_point
    limits = np.iinfo(spec.dtype)
    return np.ascontiguousarray(np.clip(q, limits.min, limits.max).astype(spec.dtype))
