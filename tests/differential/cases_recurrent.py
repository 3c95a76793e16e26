# SPDX-License-Identifier: BSD-3-Clause
"""Random calls of `mcugen::quantized_lstm`, `gru` and `rnn`; results are integers: always exact."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from op_case import OpCase, Out, T

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def cases(rng: np.random.Generator) -> Iterator[OpCase]:
    """Yield calls without end, each operator in turn."""
    while True:
        for kind in GATES:
            yield _layer(rng, kind)


def _int(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _ints(rng: np.random.Generator, dtype: type, *shape: int) -> np.ndarray:
    """Whole range, its ends often."""
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    values = rng.integers(low, high, shape, dtype, endpoint=True)
    return np.where(
        rng.random(shape) < 0.1, rng.choice(np.array([low, high], dtype), shape), values
    )


def _layer(rng: np.random.Generator, kind: str) -> OpCase:
    steps, batch, in_ch, units = (_int(rng, 1, most) for most in (12, 2, 20, 9))
    rows = GATES[kind] * units
    batch_first, reverse = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
    lead = (batch, steps) if batch_first else (steps, batch)
    states = [
        T(_ints(rng, np.int16, batch, units)) if rng.random() < 0.6 else None
        for _ in range(2 if kind == "lstm" else 1)
    ]
    wild = rng.random() < 0.15  # any number, as a damaged file has: all of it wraps alike
    if wild:
        shift = _int(rng, 1, 62)
        multipliers = [_ints(rng, np.int32, rows) for _ in range(2)]
        bias = _ints(rng, np.int32, rows if kind != "gru" else 4 * units)
    else:
        # Sums of a few units: 16 bits behind the point.
        shift = 24
        spread = 2.0 ** rng.uniform(-3, 3, rows) / np.sqrt(in_ch)
        multipliers = [
            (spread * 2.0**bits).astype(np.int32) for bits in (24 + 16 - 13, 24 + 16 - 21)
        ]
        bias = rng.integers(-(2**17), 2**17, rows if kind != "gru" else 4 * units)
    hidden_bits = 15 if rng.random() < 0.6 else _int(rng, 0, 15)
    bits = [hidden_bits, _int(rng, 0, 15)][: len(states)]
    args = (
        T(_ints(rng, np.int8, *lead, in_ch)),
        *states,
        T(_ints(rng, np.int8, rows, in_ch)),
        T(_ints(rng, np.int8, rows, units)),
        T(np.asarray(bias, np.int32)),
        *(T(each) for each in multipliers),
        shift,
        *bits,
        *(_int(rng, -128, 127), _int(rng, 1 << 30, (1 << 31) - 1), _int(rng, -9, -5)),
        *(reverse, batch_first),
        *([bool(rng.random() < 0.5)] if kind == "rnn" else []),
    )
    outs = (
        Out("int8", (*lead, units)),
        *(Out("int16", (batch, units)) for _ in states),
        Out("int32", (units * len(states),)),  # scratch
    )
    return OpCase(f"mcugen::quantized_{kind}.out", args, outs)
