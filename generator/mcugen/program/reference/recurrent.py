# SPDX-License-Identifier: BSD-3-Clause
"""Recurrent layers on int8: the integers of firmware/kernels/recurrent_s8.h, step by step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from mcugen.program.reference.registry import computes
from mcugen.program.reference.requantize import finish, scalar_requantize

#: Sums of gates and cells are limited to what leaves room for one more addition in int32.
_MOST_SUM = 2**29
_MOST_CELL = 2**30
#: sigmoid(n / 16) - 1/2 for n = 0 … 256, with 17 bits behind the point.
SIGMOID = tuple(
    min(round((1 / (1 + math.exp(-n / 16)) - 0.5) * 2**17), 2**16 - 1) for n in range(257)
)
_BELOW = np.array(SIGMOID[:-1], np.int64)
_RISE = np.diff(np.array(SIGMOID, np.int64))

# A sequence is many small steps: numpy does them in a third of torch's time. All arrays are int64.


def _rounded(value: Any, shift: int) -> Any:
    """Return value / 2**shift, halves up."""
    return (value + (1 << shift >> 1)) >> shift


def _half_sigmoid(size: Any) -> Any:
    """Return sigmoid(size) - 1/2, 29 bits behind the point; size has 16, and is at least 0."""
    size = np.minimum(size, 2**20 - 1)
    at = size >> 12
    return (_BELOW[at] << 12) + _RISE[at] * (size & 4095)


def sigmoid(total: Any) -> Any:
    """Return sigmoid(total), 0 … 2**15; total has 16 bits behind the point."""
    above = _rounded(_half_sigmoid(np.abs(total)), 14)
    return 2**14 + np.where(total < 0, -above, above)


def tanh(total: Any) -> Any:
    """Return tanh(total), -2**15 … 2**15."""
    size = _rounded(_half_sigmoid(2 * np.abs(total)), 13)
    return np.where(total < 0, -size, size)


def _limited(value: Any, low: int, high: int) -> Any:
    return np.minimum(np.maximum(value, low), high)


def _int16(value: Any) -> Any:
    return _limited(value, -(2**15), 2**15 - 1)


def _products(values: Any, weights: Any, multipliers: Any) -> Any:
    """Return values · weights, wrapped at 32 bits as the device's sums are, times multipliers."""
    acc = (values.astype(np.float64) @ weights).astype(np.int64)  # exact: all are integers
    return acc.astype(np.int32).astype(np.int64) * multipliers


class _Layer:
    """What the three have in common.

    Args:
        x: int8, sequences [T, N, I] or [N, T, I].
        hidden: int16 [N, H] or None.
        arguments: those of the schema from weight_ih to shift.
        output: zero point, multiplier and shift of the output.
    """

    def __init__(
        self,
        x: Any,
        hidden: Any,
        arguments: tuple[Any, ...],
        output: tuple[int, int, int],
        reverse: bool,
        batch_first: bool,
    ) -> None:
        weight_ih, weight_hh, bias, multipliers_ih, multipliers_hh, self.shift = arguments
        self.units: int = weight_hh.shape[1]
        self.bias = bias.numpy().astype(np.int64)
        self._output, self._reverse, self._batch_first = output, reverse, batch_first
        steps = x.numpy().swapaxes(0, 1) if batch_first else x.numpy()
        self._batch: int = steps.shape[1]
        self._given = _products(
            steps, weight_ih.numpy().astype(np.float64).T, multipliers_ih.numpy().astype(np.int64)
        )
        self._weights = weight_hh.numpy().astype(np.float64).T
        self._multipliers = multipliers_hh.numpy().astype(np.int64)
        self._first = self.start(hidden)

    def start(self, state: Any) -> Any:
        """Return the state [N, H] before the first step."""
        if state is not None:
            return state.numpy().astype(np.int64)
        return np.zeros((self._batch, self.units), np.int64)

    def run(self, step: Callable[[Any, Any, Any], Any]) -> tuple[Any, Any]:
        """Return all outputs and the last state, int8 and int16.

        step(given, kept, hidden) gives the next state; `given` and `kept` are what the input and
        the state before add to the gates [N, G * H], not yet shifted.
        """
        hidden = self._first
        states = np.empty((len(self._given), *hidden.shape), np.int64)
        order = range(len(states))
        for index in reversed(order) if self._reverse else order:
            kept = _products(hidden, self._weights, self._multipliers)
            states[index] = hidden = step(self._given[index], kept, hidden)
        zero_point, multiplier, shift = self._output
        scaled = scalar_requantize(torch.from_numpy(states), multiplier, shift)
        outputs = finish(scaled, zero_point, -128, 127)
        if self._batch_first:
            outputs = outputs.transpose(0, 1)
        return outputs, torch.from_numpy(hidden.astype(np.int16))

    def sums(self, total: Any, bias: Any) -> Any:
        """Return gates' sums, 16 bits behind the point."""
        return _limited(_rounded(total, self.shift) + bias, -_MOST_SUM, _MOST_SUM)


def _scratch(words: int) -> Any:
    """Return what the device works in; its contents mean nothing."""
    return torch.zeros(words, dtype=torch.int32)


@computes("mcugen::quantized_lstm")
def quantized_lstm(x: Any, hidden: Any, cell: Any, *arguments: Any) -> tuple[Any, ...]:
    """Return outputs, the last state and the last cell; arguments as in the schema."""
    parameters, (hidden_bits, cell_bits), output = arguments[:6], arguments[6:8], arguments[8:11]
    layer = _Layer(x, hidden, parameters, output, *arguments[11:])
    units = layer.units
    cells = layer.start(cell) << (16 - cell_bits)

    def step(given: Any, kept: Any, hidden: Any) -> Any:
        nonlocal cells
        del hidden
        sums = layer.sums(given + kept, layer.bias)
        new = tanh(sums[:, 2 * units : 3 * units])
        i, f, _, o = np.split(sigmoid(sums), 4, -1)
        cells = _limited(_rounded(f * cells + 2 * i * new, 15), -_MOST_CELL, _MOST_CELL)
        return _int16(_rounded(o * tanh(cells), 30 - hidden_bits))

    outputs, last = layer.run(step)
    last_cell = torch.from_numpy(_int16(_rounded(cells, 16 - cell_bits)).astype(np.int16))
    return outputs, last, last_cell, _scratch(2 * units)


@computes("mcugen::quantized_gru")
def quantized_gru(x: Any, hidden: Any, *arguments: Any) -> tuple[Any, ...]:
    """Return outputs and the last state; arguments as in the schema."""
    parameters, hidden_bits, output = arguments[:6], arguments[6], arguments[7:10]
    layer = _Layer(x, hidden, parameters, output, *arguments[10:])
    units = layer.units
    of_gates, of_input, of_state = np.split(layer.bias, (2 * units, 3 * units))

    def step(given: Any, kept: Any, hidden: Any) -> Any:
        gates = sigmoid(layer.sums((given + kept)[:, : 2 * units], of_gates))
        r, z = gates[:, :units], gates[:, units:]
        part = _rounded(r * layer.sums(kept[:, 2 * units :], of_state), 15)
        new = tanh(layer.sums(given[:, 2 * units :], of_input) + part)
        mixed = new + _rounded(z * ((hidden << (15 - hidden_bits)) - new), 15)
        return _int16(_rounded(mixed, 15 - hidden_bits))

    outputs, last = layer.run(step)
    return outputs, last, _scratch(units)


@computes("mcugen::quantized_rnn")
def quantized_rnn(x: Any, hidden: Any, *arguments: Any) -> tuple[Any, ...]:
    """Return outputs and the last state; arguments as in the schema."""
    parameters, hidden_bits, output = arguments[:6], arguments[6], arguments[7:10]
    reverse, batch_first, relu = arguments[10:]
    layer = _Layer(x, hidden, parameters, output, reverse, batch_first)

    def step(given: Any, kept: Any, hidden: Any) -> Any:
        del hidden
        sums = layer.sums(given + kept, layer.bias)
        if relu:
            return _int16(_rounded(np.maximum(sums, 0), 16 - hidden_bits))
        return _int16(_rounded(tanh(sums), 15 - hidden_bits))

    outputs, last = layer.run(step)
    return outputs, last, _scratch(layer.units)
