# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions with weights prepared ahead of time, as far as there is flash for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mcugen.boards.spec import Isa
from mcugen.program.conv_words import ConvForm
from mcugen.program.packing import conv_costs, conv_dsp, winograd4
from mcugen.program.packing.conv_depthwise import Rewritten, joined_calls
from mcugen.program.packing.conv_layer import NAMES, ConvLayer
from mcugen.program.packing.edit import Call, Method

#: By form: what makes the words of a layer, or None where it cannot.
WORDS = {
    ConvForm.PAIRS: conv_dsp.pairs,
    ConvForm.WINOGRAD_2: conv_dsp.winograd_2,
    ConvForm.WINOGRAD_4: winograd4.of_layer,
}
#: What each instruction set's kernels read.
FORMS: dict[Isa, tuple[ConvForm, ...]] = {
    Isa.DSP: (ConvForm.PAIRS, ConvForm.WINOGRAD_2, ConvForm.WINOGRAD_4),
    Isa.MVE: (),
    Isa.SCALAR: (),
}
#: Forms whose weights are transformed.
_TRANSFORMED = frozenset({ConvForm.WINOGRAD_2, ConvForm.WINOGRAD_4})
#: What a call and a constant take in the file besides their bytes.
_CALL_BYTES = 192
#: Bytes that make no difference to a choice among layers.
_STEP = 256


class Room(NamedTuple):
    """How many bytes a file may grow by, and how the flash is read that it is in."""

    by: int  #: with weights as they are
    by_transformed: int  #: those with transformed weights included
    line_bytes: int = 1
    wait_states: int = 0


@dataclass(frozen=True)
class Choice:
    """A form that a layer can have."""

    layer: int  #: among those that are looked at
    form: ConvForm
    grows: int  #: bytes of the file
    saves: float  #: instructions, about
    joined: bool = False  #: with the depthwise convolution behind it


def pack_conv(
    method: Method, isa: Isa, room: Room, scratch: Mapping[int, int], memory: int = 0
) -> list[Rewritten]:
    """Rewrite the convolutions for which it pays; return which became one with the next call.

    scratch: by value of a call's output, what it would have to work in; memory: what a
    convolution and a depthwise one behind it may have as one call, operands included.
    """
    flash = conv_costs.Flash(room.line_bytes, room.wait_states)
    joined = joined_calls(method, memory) if isa is Isa.DSP else {}
    layers: list[tuple[Call, ConvLayer, dict[ConvForm, np.ndarray]]] = []
    choices: list[list[Choice]] = []
    for call in method.calls():
        layer = ConvLayer.of(call)
        if layer is None:
            continue
        words = {form: WORDS[form](layer) for form in FORMS[isa]}
        found = {form: each for form, each in words.items() if each is not None}
        unpacked = conv_costs.unpacked(layer.window, scratch.get(call.index("out"), 0))
        choices.append(
            [
                Choice(len(layers), form, each.nbytes - _constant_bytes(layer) + _CALL_BYTES, saves)
                for form, each in found.items()
                if (saves := unpacked - conv_costs.packed(layer.window, form, flash)) > 0
            ]
        )
        both = joined.get(call.index("out"))
        if both is not None:
            saves = unpacked + conv_costs.depthwise(both.sizes.depthwise)
            grows = both.words.nbytes - _constant_bytes(layer) - both.constant_bytes
            saves -= conv_costs.joined(both.sizes, both.rows, flash, bordered=both.bordered)
            if saves > 0:
                choices[-1].append(Choice(len(layers), ConvForm.PAIRS, grows, saves, joined=True))
        layers.append((call, layer, found))
    chosen = choose(choices, room)
    gone = []
    for each in chosen:
        call, layer, found = layers[each.layer]
        if each.joined:
            gone.append(joined[call.index("out")].rewrite())
        else:
            rewrite(call, each.form, layer, found[each.form])
    return gone


def _constant_bytes(layer: ConvLayer) -> int:
    return layer.weights.size + 12 * len(layer.weights)


@dataclass(frozen=True)
class _Chosen:
    """Choices of some layers together."""

    grows: int = 0
    plain: int = 0  #: of it, weights as they are
    saves: float = 0
    choices: tuple[Choice, ...] = ()

    def with_(self, choice: Choice) -> _Chosen:
        return _Chosen(
            self.grows + choice.grows,
            self.plain + (0 if choice.form in _TRANSFORMED else choice.grows),
            self.saves + choice.saves,
            (*self.choices, choice),
        )


def choose(layers: Sequence[Sequence[Choice]], room: Room) -> tuple[Choice, ...]:
    """Return at most one choice of each layer: those that save most of what there is room for."""
    best = {0: _Chosen()}  # by what the file grows, in steps
    for choices in layers:
        for chosen in list(best.values()):
            for each in map(chosen.with_, choices):
                if each.grows > max(room.by, room.by_transformed) or each.plain > room.by:
                    continue
                step = max(each.grows, 0) // _STEP
                if step not in best or best[step].saves < each.saves:
                    best[step] = each
    return max(best.values(), key=lambda each: each.saves).choices


def rewrite(call: Call, form: ConvForm, layer: ConvLayer, words: np.ndarray) -> None:
    """Make a call one of the packed operator."""
    method, w = call.method, layer.window
    same = ("stride", "padding", "dilation", "input_offset", "output_offset")
    arguments = [
        *(call.index("input"), method.add_constant(words), method.add_number(form)),
        *(call.index(name) for name in same),
        *(method.add_numbers([w.kernel_h, w.kernel_w]), method.add_number(w.groups)),
        *(call.index(name) for name in ("activation_min", "activation_max", "scratch")),
    ]
    call.becomes(NAMES[call.name], arguments)
