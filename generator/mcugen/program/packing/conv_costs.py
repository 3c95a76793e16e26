# SPDX-License-Identifier: BSD-3-Clause
"""What a convolution takes on a Cortex-M4, by the form of its weights, about.

In instructions, as `saves()` in winograd_s8_dsp.cpp has them; good enough to choose by.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcugen.program.conv_words import ConvDepthwise, ConvForm, takes_winograd_2
from mcugen.program.packing.scalar_choice import scalar_cost
from mcugen.program.scratch import padded_taps, product_bytes, winograd_bytes
from mcugen.program.window import Window

#: Cycles of an instruction in the inner loops.
CYCLES = 1.8
#: Of a pair of channels in a block of pixels, besides its taps.
_STREAM = 100
#: Of a row of a window that is written by itself: no two that lie side by side are taken together.
_RUN_APART = 56
#: Of a row of a window that reaches over the image.
_RUN_OUTSIDE = 45
#: Part of the scratch that a copy of the image with its border may take: kShare.
_BORDER_SHARE = 3


@dataclass(frozen=True)
class Flash:
    """How the memory is read that the model is in."""

    line_bytes: int = 1
    wait_states: int = 0  #: of each line


def unpacked(w: Window, scratch: int) -> float:
    """Return what our kernel takes that lays out the weights at run time."""
    return min(_unpacked(w, scratch), scalar_cost(w))


def _unpacked(w: Window, scratch: int) -> float:
    pairs, rows = -(-w.out_ch // 2), w.out_h // 2
    found = [_products(w) + _blocks(w, scratch) * pairs * (2 * padded_taps(w, w.in_ch) + _STREAM)]
    if takes_winograd_2(w) and scratch >= winograd_bytes(w, 1, 1):
        room = [
            (blocks, (scratch - winograd_bytes(w, -(-rows // blocks), 0)) // (64 * w.in_ch + 64))
            for blocks in range(1, rows + 1)
        ]
        transformed = min(
            pairs if kept >= pairs else kept - 1 + blocks * (pairs - kept + 1)
            for blocks, kept in room
            if kept >= 1
        )
        if w.out_h * w.out_w * pairs * (3 * w.in_ch - 9) >= transformed * 35 * w.in_ch:
            return _winograd(w) + transformed * (70 * w.in_ch + _STREAM)
    return found[0]


def packed(w: Window, form: ConvForm, flash: Flash) -> float:
    """Return what it takes with weights read from flash, waiting for that included."""
    pairs, taps = -(-w.out_ch // 2), padded_taps(w, w.in_ch)
    if form is ConvForm.WINOGRAD_2:
        instructions, tiles, stream = _winograd(w), w.pixels / 8, 64 * w.in_ch + 64
    elif form is ConvForm.WINOGRAD_4:
        instructions, tiles, stream = _winograd_4(w), _pairs_of_tiles(w), 144 * w.in_ch + 80
    else:
        instructions, tiles, stream = _products(w), w.pixels / 2, 4 * taps + 28
    lines = pairs * tiles * stream / flash.line_bytes
    return instructions + lines * flash.wait_states / CYCLES


def depthwise(w: Window) -> float:
    """Return what a depthwise 3x3 convolution takes over planes."""
    return w.pixels * w.out_ch * 14.5 + w.batch * w.in_h * w.in_w * w.in_ch * 1.5 + 90 * w.out_ch


def joined(sizes: ConvDepthwise, rows: int, flash: Flash, *, bordered: bool) -> float:
    """Return what a convolution and the depthwise one behind it take, so many rows at a time.

    bordered: there is room for what `sizes.border_bytes` is.
    """
    w = sizes.depthwise
    first = packed(sizes.conv, ConvForm.PAIRS, flash)
    if sizes.turned and (sizes.conv.kernel_h, sizes.conv.kernel_w) != (1, 1) and not bordered:
        first += _RUN_APART * sizes.conv.pixels * sizes.conv.kernel_h
    return first * sizes.computed_rows(rows) + w.pixels * w.out_ch * 14.5 + 85 * w.out_ch


def _products(w: Window) -> float:
    taps = padded_taps(w, w.in_ch)
    runs = w.kernel_h * (1 if w.dilation_w == 1 else w.kernel_w)
    outside = w.pixels * (_RUN_OUTSIDE * runs + 2 * taps) if w.few_inside else 0
    return outside + w.pixels * w.out_ch * (0.625 * taps + 7)


def _winograd(w: Window) -> float:
    return w.pixels * w.out_ch * (2.5 * w.in_ch + 16)


def _winograd_4(w: Window) -> float:
    # What the image takes is about the same in all forms, if tiles do not reach beyond it.
    beyond = 9 * w.in_ch * (32 * _pairs_of_tiles(w) - w.pixels)
    return beyond + _pairs_of_tiles(w) * w.out_ch // 2 * (90 * w.in_ch + 1000)


def _pairs_of_tiles(w: Window) -> int:
    """Return how often eight outputs by four are computed, whether there are so many or not."""
    return w.batch * -(-w.out_h // 4) * -(-w.out_w // 8)


def _blocks(w: Window, scratch: int) -> int:
    fixed = product_bytes(w, w.in_ch, 0)
    pair = product_bytes(w, w.in_ch, 1) - fixed
    border = w.border_bytes
    if scratch // _BORDER_SHARE >= max(border, fixed + pair):
        scratch -= border
    return -(-w.pixels // (2 * max(1, (scratch - fixed) // pair)))
