# SPDX-License-Identifier: BSD-3-Clause
"""One layer of a recurrent network in one direction, as operators of torch. Imports torch.

`mcugen::lstm`, `gru` and `rnn` take and give float32, and compute what torch's layers do. They
stand in captured graphs in their place, so that observers see what a layer takes and gives and
nothing of what happens at each step. `mcugen::quantized_…` are what they are lowered to; those have
a schema and shapes only: the host reference computes them (mcugen.program.reference.recurrent).

Shapes, of T steps, batches of N, I inputs and H units:

    input       [T, N, I], with batch_first [N, T, I]
    hidden      [N, H], None: zeros; the state before the first step (the last one, if reverse)
    cell        as hidden, of an LSTM
    weight_ih   [G * H, I], G being 4 for an LSTM (i, f, g, o), 3 for a GRU (r, z, n), else 1
    weight_hh   [G * H, H]
    bias        [G * H], the sum of both of torch's; of a GRU [4 * H]: r, z, n's of the input, n's
                of the state

They give the state after each step [T, N, H] or [N, T, H], after the last one, and the LSTM's cell.
"""

from __future__ import annotations

from typing import Any

import torch

#: A fragment: other operators of the namespace are defined elsewhere.
_LIBRARY = torch.library.Library("mcugen", "FRAGMENT")
#: Operator to its count of gates.
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
_STATES = {
    "lstm": ("hidden", "cell"),
    "gru": ("hidden",),
    "rnn": ("hidden",),
}


def _define(kind: str) -> None:
    states = _STATES[kind]
    starts = "".join(f", Tensor? {name}" for name in states)
    relu = ", bool relu" if kind == "rnn" else ""
    parameters = "Tensor weight_ih, Tensor weight_hh, Tensor bias"
    gives = ", ".join(["Tensor"] * (1 + len(states)))
    _LIBRARY.define(
        f"{kind}(Tensor input{starts}, {parameters}, bool reverse, bool batch_first{relu})"
        f" -> ({gives})"
    )
    bits = "".join(f", int {name}_bits" for name in states)
    arguments = (
        f"Tensor input{starts}, {parameters}, Tensor multipliers_ih, Tensor multipliers_hh, "
        f"int shift{bits}, int output_zero_point, int output_multiplier, int output_shift, "
        f"bool reverse, bool batch_first{relu}"
    )
    outs = ["out", *(f"out_{name}" for name in states), "scratch"]
    marks = [f"Tensor({chr(ord('a') + i)}!)" for i in range(len(outs))]
    written = ", ".join(f"{mark} {name}" for mark, name in zip(marks, outs, strict=True))
    _LIBRARY.define(f"quantized_{kind}({arguments}) -> ({', '.join(['Tensor'] * len(outs))})")
    _LIBRARY.define(f"quantized_{kind}.out({arguments}, *, {written}) -> ({', '.join(marks)})")


for _kind in GATES:
    _define(_kind)


def sequence_sizes(input: Any, batch_first: bool) -> tuple[int, int]:
    """Return how many steps and batches an input has."""
    steps, batch = input.shape[:2]
    return (batch, steps) if batch_first else (steps, batch)


def scratch_words(kind: str, units: int) -> int:
    """Return how many int32 an operator needs to work in: two states of int16, and the cell."""
    return units * 2 if kind == "lstm" else units


# -- shapes


def _shapes(kind: str, input: Any, weight_hh: Any, batch_first: bool) -> tuple[Any, ...]:
    """Return empty results; of integers, where a pass has folded quantization into the operator."""
    units = weight_hh.shape[1]
    _, batch = sequence_sizes(input, batch_first)
    state = input.dtype if input.is_floating_point() else torch.int16
    return (
        input.new_empty((*input.shape[:2], units)),
        *(input.new_empty((batch, units), dtype=state) for _ in _STATES[kind]),
    )


def _quantized_shapes(kind: str, input: Any, weight_hh: Any, batch_first: bool) -> tuple[Any, ...]:
    words = scratch_words(kind, weight_hh.shape[1])
    return (
        *_shapes(kind, input, weight_hh, batch_first),
        input.new_empty((words,), dtype=torch.int32),
    )


def _argument(kind: str, prefix: str, name: str) -> int:
    schema = getattr(torch.ops.mcugen, f"{prefix}{kind}").default._schema
    return [each.name for each in schema.arguments].index(name)


def _register_shapes(kind: str) -> None:
    for prefix, shapes in (("", _shapes), ("quantized_", _quantized_shapes)):
        weight = _argument(kind, prefix, "weight_hh")
        first = _argument(kind, prefix, "batch_first")

        def fake(
            *args: Any, shapes: Any = shapes, weight: int = weight, first: int = first
        ) -> tuple[Any, ...]:
            result: tuple[Any, ...] = shapes(kind, args[0], args[weight], args[first])
            return result

        torch.library.register_fake(f"mcugen::{prefix}{kind}", fake, lib=_LIBRARY)


for _kind in GATES:
    _register_shapes(_kind)


# -- in float


@torch.library.impl(_LIBRARY, "lstm", "CompositeExplicitAutograd")
def _lstm(
    input: Any,
    hidden: Any,
    cell: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias: Any,
    reverse: bool,
    batch_first: bool,
) -> tuple[Any, Any, Any]:
    states = [_start(each, input, weight_hh, batch_first) for each in (hidden, cell)]
    parameters = [weight_ih, weight_hh, bias, torch.zeros_like(bias)]
    output, hidden, cell = torch.lstm(
        _ordered(input, reverse, batch_first),
        states,
        parameters,
        True,
        1,
        0.0,
        False,
        False,
        batch_first,
    )
    return _ordered(output, reverse, batch_first), hidden[0].clone(), cell[0].clone()


@torch.library.impl(_LIBRARY, "gru", "CompositeExplicitAutograd")
def _gru(
    input: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias: Any,
    reverse: bool,
    batch_first: bool,
) -> tuple[Any, Any]:
    units = weight_hh.shape[1]
    of_input = bias[: 3 * units]
    of_state = torch.cat([torch.zeros_like(bias[: 2 * units]), bias[3 * units :]])
    output, hidden = torch.gru(
        _ordered(input, reverse, batch_first),
        _start(hidden, input, weight_hh, batch_first),
        [weight_ih, weight_hh, of_input, of_state],
        True,
        1,
        0.0,
        False,
        False,
        batch_first,
    )
    return _ordered(output, reverse, batch_first), hidden[0].clone()


@torch.library.impl(_LIBRARY, "rnn", "CompositeExplicitAutograd")
def _rnn(
    input: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias: Any,
    reverse: bool,
    batch_first: bool,
    relu: bool,
) -> tuple[Any, Any]:
    layer = torch.rnn_relu if relu else torch.rnn_tanh
    output, hidden = layer(
        _ordered(input, reverse, batch_first),
        _start(hidden, input, weight_hh, batch_first),
        [weight_ih, weight_hh, bias, torch.zeros_like(bias)],
        True,
        1,
        0.0,
        False,
        False,
        batch_first,
    )
    return _ordered(output, reverse, batch_first), hidden[0].clone()


def _ordered(values: Any, reverse: bool, batch_first: bool) -> Any:
    values = values.flip(int(batch_first)) if reverse else values
    # Results must not share memory with operands.
    return values.clone(memory_format=torch.contiguous_format)


def _start(state: Any, input: Any, weight_hh: Any, batch_first: bool) -> Any:
    if state is not None:
        return state.unsqueeze(0).contiguous()
    _, batch = sequence_sizes(input, batch_first)
    return input.new_zeros((1, batch, weight_hh.shape[1]))
