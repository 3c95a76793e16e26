# SPDX-License-Identifier: BSD-3-Clause
"""Recurrent layers on int8: the integers of firmware/kernels/recurrent_s8.h, step by step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

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
_TABLE = torch.tensor(SIGMOID, dtype=torch.int64)


def _rounded(value: Any, shift: int) -> Any:
    """Return value / 2**shift, halves up."""
    return (value + (1 << shift >> 1)) >> shift


def _half_sigmoid(total: Any) -> Any:
    """Return sigmoid(|total|) - 1/2, 29 bits behind the point; total has 16."""
    size = total.abs().clamp(max=2**20 - 1)
    at, rest = size >> 12, size & 4095
    return (_TABLE[at] << 12) + (_TABLE[at + 1] - _TABLE[at]) * rest


def sigmoid(total: Any) -> Any:
    """Return sigmoid(total), 0 … 2**15; total has 16 bits behind the point."""
    above = _rounded(_half_sigmoid(total), 14)
    return 2**14 + torch.where(total < 0, -above, above)


def tanh(total: Any) -> Any:
    """Return tanh(total), -2**15 … 2**15."""
    size = _rounded(_half_sigmoid(2 * total), 13)
    return torch.where(total < 0, -size, size)


def _int16(value: Any) -> Any:
    return value.clamp(-(2**15), 2**15 - 1)


@dataclass(frozen=True)
class _Layer:
    """What the three have in common; states are int64 from here on."""

    input: Any
    weight_ih: Any
    weight_hh: Any
    bias: Any
    multipliers_ih: Any
    multipliers_hh: Any
    shift: int
    hidden_bits: int
    output: tuple[int, int, int]  #: zero point, multiplier, shift
    reverse: bool
    batch_first: bool

    def start(self, state: Any) -> Any:
        """Return the state [N, H] before the first step."""
        if state is not None:
            return state.to(torch.int64)
        batch = self.input.shape[0 if self.batch_first else 1]
        return torch.zeros((batch, self.weight_hh.shape[1]), dtype=torch.int64)

    def run(self, hidden: Any, step: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
        """Return all outputs and the last state; step(x, hidden) gives the next one."""
        steps = list(self._steps())
        outputs = [hidden] * len(steps)
        for index, x in reversed(steps) if self.reverse else steps:
            hidden = step(x, hidden)
            scaled = scalar_requantize(hidden, self.output[1], self.output[2])
            outputs[index] = finish(scaled, self.output[0], -128, 127)
        return torch.stack(outputs, int(self.batch_first)), hidden.to(torch.int16)

    def _steps(self) -> Iterator[tuple[int, Any]]:
        axis = int(self.batch_first)
        for index in range(self.input.shape[axis]):
            yield index, self.input.select(axis, index)

    def sums(self, x: Any, hidden: Any) -> Any:
        """Return the gates' sums [N, G * H], 16 bits behind the point."""
        total = self._product(x, self.weight_ih, self.multipliers_ih)
        total = total + self._product(hidden, self.weight_hh, self.multipliers_hh)
        return self._finish(total, self.bias)

    def parts(self, x: Any, hidden: Any, rows: slice, of_state: Any) -> tuple[Any, Any]:
        """Return the sums over the input and over the state, of some rows, each by itself."""
        left = self._product(x, self.weight_ih[rows], self.multipliers_ih[rows])
        right = self._product(hidden, self.weight_hh[rows], self.multipliers_hh[rows])
        return self._finish(left, self.bias[rows]), self._finish(right, of_state)

    def _product(self, values: Any, weights: Any, multipliers: Any) -> Any:
        # In float64 all integers here are exact. The sum of the device wraps at 32 bits.
        acc = values.to(torch.float64) @ weights.to(torch.float64).T
        return acc.to(torch.int64).to(torch.int32).to(torch.int64) * multipliers.to(torch.int64)

    def _finish(self, total: Any, bias: Any) -> Any:
        return (_rounded(total, self.shift) + bias).clamp(-_MOST_SUM, _MOST_SUM)


def _scratch(words: int) -> Any:
    """Return what the device works in; its contents mean nothing."""
    return torch.zeros(words, dtype=torch.int32)


@computes("mcugen::quantized_lstm")
def quantized_lstm(
    x: Any,
    hidden: Any,
    cell: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias: Any,
    multipliers_ih: Any,
    multipliers_hh: Any,
    shift: int,
    hidden_bits: int,
    cell_bits: int,
    zero_point: int,
    multiplier: int,
    output_shift: int,
    reverse: bool,
    batch_first: bool,
) -> tuple[Any, ...]:
    """Return outputs, the last state and the last cell."""
    layer = _Layer(
        *(x, weight_ih, weight_hh, bias, multipliers_ih, multipliers_hh, shift, hidden_bits),
        *((zero_point, multiplier, output_shift), reverse, batch_first),
    )
    cells = layer.start(cell) << (16 - cell_bits)

    def step(x: Any, hidden: Any) -> Any:
        nonlocal cells
        i, f, g, o = layer.sums(x, hidden).chunk(4, -1)
        kept = sigmoid(f) * cells + 2 * sigmoid(i) * tanh(g)
        cells = _rounded(kept, 15).clamp(-_MOST_CELL, _MOST_CELL)
        return _int16(_rounded(sigmoid(o) * tanh(cells), 30 - hidden_bits))

    outputs, hidden = layer.run(layer.start(hidden), step)
    last = _int16(_rounded(cells, 16 - cell_bits)).to(torch.int16)
    return outputs, hidden, last, _scratch(2 * weight_hh.shape[1])


@computes("mcugen::quantized_gru")
def quantized_gru(
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias: Any,
    multipliers_ih: Any,
    multipliers_hh: Any,
    shift: int,
    hidden_bits: int,
    zero_point: int,
    multiplier: int,
    output_shift: int,
    reverse: bool,
    batch_first: bool,
) -> tuple[Any, ...]:
    """Return outputs and the last state."""
    units = weight_hh.shape[1]
    new_rows = slice(2 * units, 3 * units)
    of_state = bias[3 * units :]
    layer = _Layer(
        *(x, weight_ih, weight_hh, bias[: 3 * units], multipliers_ih, multipliers_hh, shift),
        *(hidden_bits, (zero_point, multiplier, output_shift), reverse, batch_first),
    )

    def step(x: Any, hidden: Any) -> Any:
        r, z, _ = layer.sums(x, hidden).chunk(3, -1)
        given, kept = layer.parts(x, hidden, new_rows, of_state)
        new = tanh(given + _rounded(sigmoid(r) * kept, 15))
        before = hidden << (15 - hidden_bits)
        mixed = new + _rounded(sigmoid(z) * (before - new), 15)
        return _int16(_rounded(mixed, 15 - hidden_bits))

    outputs, hidden = layer.run(layer.start(hidden), step)
    return outputs, hidden, _scratch(units)


@computes("mcugen::quantized_rnn")
def quantized_rnn(
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias: Any,
    multipliers_ih: Any,
    multipliers_hh: Any,
    shift: int,
    hidden_bits: int,
    zero_point: int,
    multiplier: int,
    output_shift: int,
    reverse: bool,
    batch_first: bool,
    relu: bool,
) -> tuple[Any, ...]:
    """Return outputs and the last state."""
    layer = _Layer(
        *(x, weight_ih, weight_hh, bias, multipliers_ih, multipliers_hh, shift, hidden_bits),
        *((zero_point, multiplier, output_shift), reverse, batch_first),
    )

    def step(x: Any, hidden: Any) -> Any:
        total = layer.sums(x, hidden)
        if relu:
            return _int16(_rounded(total.clamp(min=0), 16 - hidden_bits))
        return _int16(_rounded(tanh(total), 15 - hidden_bits))

    outputs, hidden = layer.run(layer.start(hidden), step)
    return outputs, hidden, _scratch(weight_hh.shape[1])
