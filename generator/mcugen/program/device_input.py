# SPDX-License-Identifier: BSD-3-Clause
"""Real values as an input of a program takes them."""

from __future__ import annotations

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.program.artifact import TensorSpec


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
