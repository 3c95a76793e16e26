# SPDX-License-Identifier: BSD-3-Clause
"""The forms of convolutions packed ahead of time: firmware/kernels/packed_conv2d_s8.h."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from mcugen.program.window import Window

#: The most input channels that Winograd's loop is unrolled for.
_MOST_WINOGRAD_IN_CH = 64


class ConvForm(IntEnum):
    """How the weights lie; the operator's argument `form`."""

    PAIRS = 0  #: pairs of output channels in 16 bits
    WINOGRAD_2 = 1  #: pairs of output channels, transformed by F(2x2, 3x3)
    WINOGRAD_4 = 2  #: the same by F(4x4, 3x3)


@dataclass(frozen=True)
class Runs:
    """How the taps of a window are laid out, as conv_runs() in firmware/kernels has them."""

    runs: int
    run: int
    padded: int  #: taps of all runs, each filled up to a multiple of four
    nine: bool  #: three rows of nine: the first eight of each, then the ninth of all

    @classmethod
    def of(
        cls, in_ch: int, kernel: tuple[int, int], dilation: tuple[int, int], groups: int = 1
    ) -> Runs:
        """Return that of a window; in_ch: of a group."""
        height, run = kernel[0], kernel[1] * in_ch
        by_rows, together = height * fours(run), fours(height * run)
        nine = (height, run, in_ch, groups, dilation[1]) == (3, 9, 3, 1, 1)
        if not nine and 3 * by_rows <= 4 * together:
            return cls(height, run, by_rows, False)
        return cls(1, height * run, together, nine)


def fours(taps: int) -> int:
    """Return taps rounded up to whole groups of four."""
    return -(-taps // 4) * 4


def of_pair(form: int, in_ch: int, kernel: tuple[int, int], dilation: tuple[int, int]) -> int:
    """Return how many words a pair of output channels takes."""
    if form == ConvForm.WINOGRAD_2:
        return 16 * in_ch + 22
    if form == ConvForm.WINOGRAD_4:
        return 36 * in_ch + 20
    return Runs.of(in_ch, kernel, dilation).padded + 9


def takes_winograd_2(w: Window) -> bool:
    """Return what winograd_has_form() does, for an even number of output channels."""
    inside = min(w.out_w + 2 - w.pad_left, w.in_w)
    return _takes_winograd(w) and w.out_h % 2 == w.out_w % 4 == 0 and inside >= 1


def takes_winograd_4(w: Window) -> bool:
    """Return what winograd4_has_form() does."""
    return _takes_winograd(w) and max(w.pad_top, w.pad_left) <= 2


def _takes_winograd(w: Window) -> bool:
    plain = (w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w)
    return (
        plain == (3, 3, 1, 1, 1, 1)
        and w.groups == 1
        and w.in_ch % 4 == 0
        and w.in_ch <= _MOST_WINOGRAD_IN_CH
        and w.out_ch >= 2
        and w.out_ch % 2 == 0
        and w.out_w <= 32767
    )
