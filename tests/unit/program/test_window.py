# SPDX-License-Identifier: BSD-3-Clause
"""How many taps of a convolution's windows lie inside of the image."""

from __future__ import annotations

import random
from dataclasses import replace

from mcugen.program.packing import conv_costs
from mcugen.program.window import Window

#: 3x3 over 24 rows of 12, with a border of one pixel.
WINDOW = Window(1, *(24, 12, 8), *(24, 12, 8), *(3, 3), 1, *(1, 1), *(1, 1), *(1, 1))


def test_taps_inside_are_those_that_are_counted() -> None:
    draw = random.Random(20261127).randint
    compared = 0
    while compared < 300:
        size, kernel, pad = (
            [draw(low, high) for _ in "hw"] for low, high in ((1, 9), (1, 5), (0, 9))
        )
        stride, dilation = ([draw(1, 3) for _ in "hw"] for _ in range(2))
        sizes = list(zip(size, kernel, pad, stride, dilation, strict=True))
        room = [n + 2 * p - (k - 1) * d - 1 for n, k, p, _, d in sizes]
        if min(room) < 0:
            continue
        compared += 1
        out = [each // s + 1 for each, s in zip(room, stride, strict=True)]

        window = Window(2, *size, 1, *out, 1, *kernel, 1, *stride, *pad, *dilation)

        rows, columns = (
            sum(0 <= at * s - p + tap * d < n for at in range(outs) for tap in range(k))
            for outs, (n, k, p, s, d) in zip(out, sizes, strict=True)
        )
        assert window.taps_inside == 2 * rows * columns
        assert window.rows_inside == rows
        whole_rows, whole_columns = (
            sum(p <= at * s and at * s - p + (k - 1) * d < n for at in range(outs))
            for outs, (n, k, p, s, d) in zip(out, sizes, strict=True)
        )
        assert window.windows_inside == 2 * whole_rows * whole_columns


def test_an_image_with_a_border_has_most_windows_inside() -> None:
    assert not WINDOW.few_inside
    assert not replace(WINDOW, in_h=4, out_h=4).few_inside
    assert replace(WINDOW, in_h=2, out_h=2).few_inside
    assert replace(WINDOW, in_h=1, out_h=1, in_w=1, out_w=1, kernel_h=1, kernel_w=1).few_inside


def test_weights_are_not_laid_out_for_windows_that_lie_outside() -> None:
    """The scalar form leaves out what a matrix product multiplies."""
    small = replace(WINDOW, in_h=2, in_w=1, in_ch=3, out_h=8, out_w=13, out_ch=4)
    small = replace(
        small, kernel_h=5, kernel_w=5, pad_top=9, pad_left=12, dilation_h=3, dilation_w=3
    )
    plain = replace(WINDOW, kernel_h=5, kernel_w=5, pad_top=2, pad_left=2)
    pairs = conv_costs.ConvForm.PAIRS

    saves = [
        conv_costs.unpacked(each, 4_000) - conv_costs.packed(each, pairs, conv_costs.Flash())
        for each in (small, plain)
    ]

    assert saves[0] < 0 < saves[1]
