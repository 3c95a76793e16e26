# SPDX-License-Identifier: BSD-3-Clause
"""A good call of each operator of firmware/ops/recurrent; see test_bad_arguments.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from op_host import T

STEPS, BATCH, INPUTS, UNITS = 4, 2, 3, 5
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def s8(*shape: int) -> T:
    return T(np.ones(shape, np.int8))


def s16(*shape: int) -> T:
    return T(np.ones(shape, np.int16))


def s32(*shape: int) -> T:
    return T(np.ones(shape, np.int32))


def _call(kind: str) -> list[Any]:
    rows = GATES[kind] * UNITS
    states = 2 if kind == "lstm" else 1
    return [
        *(s8(STEPS, BATCH, INPUTS), *[s16(BATCH, UNITS)] * states),
        *(s8(rows, INPUTS), s8(rows, UNITS), s32(4 * UNITS if kind == "gru" else rows)),
        *(s32(rows), s32(rows), 20, *[15, 12][:states], 0, 1 << 30, -7),
        *(False, False, *([False] if kind == "rnn" else [])),
        *(s8(STEPS, BATCH, UNITS), *[s16(BATCH, UNITS)] * states, s32(states * UNITS)),
    ]


#: Operator → its arguments, those written to included.
CALLS: dict[str, Callable[[], list[Any]]] = {
    f"mcugen::quantized_{kind}.out": lambda kind=kind: _call(kind) for kind in GATES
}


LSTM, GRU, RNN = CALLS


def _right_after_all(value: Any) -> bool:
    """A state may be none; what is wrong elsewhere, int16, is right for it."""
    if not isinstance(value, T):
        return value is None
    fine = value.array.ndim == 2 and not value.null_data and not value.misalignment
    return value.array.dtype == np.int16 and fine and value.order is None


def _int16(value: Any) -> bool:
    return value is not None and _right_after_all(value)


#: (operator, position) → whether a value that is wrong as a rule is right there.
ALLOWED: dict[tuple[str, int], Callable[[Any], bool]] = {
    (LSTM, 1): _right_after_all,
    (LSTM, 2): _right_after_all,
    (LSTM, 17): _int16,
    (LSTM, 18): _int16,
    (GRU, 1): _right_after_all,
    (GRU, 15): _int16,
    (RNN, 1): _right_after_all,
    (RNN, 16): _int16,
}

#: Good calls with some arguments that do not fit.
BAD_VALUES: list[tuple[str, dict[int, Any]]] = [
    (LSTM, {0: s8(STEPS, BATCH, INPUTS + 1)}),
    (LSTM, {0: s8(STEPS, INPUTS)}),
    (LSTM, {0: s8(0, BATCH, INPUTS), 16: s8(0, BATCH, UNITS)}),
    (LSTM, {1: s16(BATCH + 1, UNITS)}),
    (LSTM, {2: s16(BATCH, UNITS + 1)}),
    (LSTM, {2: s16(BATCH * UNITS)}),
    (LSTM, {3: s8(4 * UNITS, INPUTS, 1)}),
    (LSTM, {4: s8(4 * UNITS + 1, UNITS)}),
    (LSTM, {4: s8(3 * UNITS, UNITS)}),
    (LSTM, {4: s8(0, 0)}),
    (LSTM, {5: s32(4 * UNITS - 1)}),
    (LSTM, {6: s32(1)}),
    (LSTM, {7: s32(UNITS)}),
    (LSTM, {8: 0}),
    (LSTM, {8: 63}),
    (LSTM, {9: 16}),
    (LSTM, {10: -1}),
    (LSTM, {11: 128}),
    (LSTM, {12: -(1 << 31)}),
    (LSTM, {13: 31}),
    (LSTM, {15: True}),  # 2 steps of batches of 4
    (LSTM, {17: s16(BATCH, UNITS + 1)}),
    (LSTM, {18: s16(BATCH + 1, UNITS)}),
    (LSTM, {19: s32(UNITS)}),
    (GRU, {4: s32(3 * UNITS)}),
    (GRU, {16: s32(2 * UNITS)}),
    (RNN, {3: s8(4 * UNITS, UNITS)}),
    (RNN, {9: -129}),
]
