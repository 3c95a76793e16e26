# SPDX-License-Identifier: BSD-3-Clause
"""Where a convolution may be quicker by the scalar form: conv_choice.h, in its numbers.

The kernel decides; here only whether it may, so that an image has what it may take.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcugen.boards.spec import Isa
from mcugen.program.conv_words import Runs
from mcugen.program.scratch import padded_taps, product_bytes
from mcugen.program.window import Window

#: The kernel's estimate may be off by as much, and this one of the kernel's.
_DOUBT = 1.5


@dataclass(frozen=True)
class _Costs:
    """`ScalarCosts`, then `ProductCosts` without what is for small ones."""

    scalar: tuple[int, int, int, int, int, float]
    call: int
    block: int
    channel: int
    channel_tap: float
    window: int
    run: int
    tap: float
    run_apart: int
    odd_byte: int
    whole_run: int
    whole_tap: float
    output: int
    mac: float


_DSP = _Costs((126, 70, 77, 31, 11, 6.1), 600, 440, 104, 2.4, 133, 11, 1.9, 30, 4, 3, 0.9, 7, 0.63)
_ARMV7M = _Costs((134, 70, 75, 31, 11, 6.1), 380, 63, 161, 2.4, 102, 27, 2.9, 27, 0, 3, 2, 11, 1.25)
_ARMV6M = _Costs(
    (232, 133, 112, 39, 18, 11.2), 666, 119, 282, 5.9, 182, 33, 7.4, 33, 0, 0, 3.9, 32, 1.9
)
_BY_ISA = {Isa.DSP: (_DSP,), Isa.SCALAR: (_ARMV7M, _ARMV6M), Isa.MVE: ()}


def scalar_cost(w: Window) -> float:
    """Return what the scalar form takes on a Cortex-M4."""
    return _scalar(w, _DSP)


def may_be_scalar(w: Window, scratch: int, isa: Isa) -> bool:
    """Return whether a kernel may take the scalar form of a convolution: of those with two."""
    return any(
        _scalar(w, costs) < _DOUBT * _product(w, scratch, costs, dsp=isa is Isa.DSP)
        for costs in _BY_ISA[isa]
    )


def _scalar(w: Window, costs: _Costs) -> float:
    call, pixel, output, row, run, mac = costs.scalar
    rows = w.batch * w.out_w * w.rows_inside
    runs = rows if w.groups == 1 and w.dilation_w == 1 else w.taps_inside
    each = output * w.pixels + row * rows + run * runs + mac * w.taps_inside * (w.in_ch // w.groups)
    return call + pixel * w.pixels + w.out_ch * each


def _product(w: Window, scratch: int, costs: _Costs, *, dsp: bool) -> float:
    in_ch = w.in_ch // w.groups
    together = w.groups == 1 and w.dilation_w == 1
    laid_out = Runs.of(in_ch, (w.kernel_h, w.kernel_w), (w.dilation_h, w.dilation_w), w.groups)
    if dsp:
        taps = padded_taps(w, in_ch)
        fixed, pair = product_bytes(w, in_ch, 0), 4 * taps
    else:
        taps = -(-w.kernel_h * w.kernel_w * in_ch // 4) * 4
        fixed, pair = 2 * (2 * taps + 16) + 8 + 2 * taps, 4 * taps
    if scratch < fixed + pair:
        return float("inf")
    pairs = -(-w.pixels // 2)
    blocks = -(-pairs // ((scratch - fixed) // pair))
    one_tap = (w.kernel_h, w.kernel_w, w.groups, w.stride_h, w.stride_w) == (1, 1, 1, 1, 1)
    whole = 0
    if one_tap and w.pad_top == w.pad_left == 0:
        whole = w.pixels
    elif dsp and together and (laid_out.nine or laid_out.runs == w.kernel_h):
        whole = w.windows_inside
    cut = (w.pixels - whole) * w.groups
    runs = w.kernel_h * (1 if together else w.kernel_w)
    run = costs.run if together else costs.run_apart
    odd = (w.kernel_w * in_ch if together else in_ch) % 4 * costs.odd_byte
    return (
        costs.call
        + blocks * (w.groups * costs.block + w.out_ch * (costs.channel + costs.channel_tap * taps))
        + cut * (costs.window + (run + odd) * runs + costs.tap * taps)
        + whole * (costs.whole_run * w.kernel_h + costs.whole_tap * taps)
        + 2 * pairs * w.out_ch * (costs.output + costs.mac * taps)
    )
