# SPDX-License-Identifier: BSD-3-Clause
"""The forms of convolutions packed ahead of time: firmware/kernels/packed_conv2d_s8.h."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from mcugen.program.window import Window

#: The most input channels that Winograd's loop is unrolled for.
_MOST_WINOGRAD_IN_CH = 64


#: Of a convolution before a depthwise one, how many rows are computed at most, of those there are:
#: some twice, where the scratch holds a band of them.
_MOST_COMPUTED = 1.05


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


def of_joined_pair(in_ch: int, kernel: tuple[int, int], dilation: tuple[int, int]) -> int:
    """Return how many words a pair takes with the depthwise convolution behind it."""
    return Runs.of(in_ch, kernel, dilation).padded + 24


def of_pair(form: int, in_ch: int, kernel: tuple[int, int], dilation: tuple[int, int]) -> int:
    """Return how many words a pair of output channels takes."""
    if form == ConvForm.WINOGRAD_2:
        return 16 * in_ch + 22
    if form == ConvForm.WINOGRAD_4:
        return 36 * in_ch + 20
    return Runs.of(in_ch, kernel, dilation).padded + 9


@dataclass(frozen=True)
class _Axis:
    """One of the axes of the planes of `ConvDepthwise`."""

    between: int
    out: int
    pad: int


@dataclass(frozen=True)
class ConvDepthwise:
    """A convolution and the depthwise one behind it: firmware/kernels/packed_conv_depthwise_s8.h.

    What `Planes` in packed_conv_depthwise_s8_dsp.cpp makes of the sizes.
    """

    conv: Window
    depthwise: Window
    turned: bool  #: rows of planes go along columns of the image

    @classmethod
    def quickest(cls, conv: Window, depthwise: Window) -> ConvDepthwise:
        """Return it with the rows that take less, or that there is a loop for."""
        plain, turned = (cls(conv, depthwise, each) for each in (False, True))
        if turned.fits and (not plain.fits or turned._cost < plain._cost):
            return turned
        return plain

    @property
    def stride(self) -> int:
        """Of the depthwise one."""
        return self.depthwise.stride_w

    @property
    def is_for_planes(self) -> bool:
        """Whether the operator takes the shapes and its loops have them."""
        d = self.depthwise
        return (
            (d.kernel_h, d.kernel_w, d.dilation_h, d.dilation_w) == (3, 3, 1, 1)
            and d.stride_h == d.stride_w <= 2
            and max(d.pad_top, d.pad_left) <= 1
            and d.in_ch == d.out_ch
            and d.out_ch % 2 == 0
            and self.conv.groups == 1
            and self.fits
        )

    def scratch_bytes(self, rows: int) -> int:
        """Return what so many rows of the output take at a time."""
        x, y = self._axes
        padded = self._padded
        of_planes = (min(rows, y.out) - 1) * self.stride + 3
        row = 128 if self._columns > 32 else 64
        of_pixels = min(of_planes, y.between)
        pairs = of_pixels * (x.between // 2) + -(-of_pixels // 2) * (x.between % 2)
        return 2 * of_planes * row + 2 * padded + 8 + 4 * padded * pairs

    @property
    def border_bytes(self) -> int:
        """What a copy of the image with its border takes, 0 where it makes nothing quicker."""
        w = self.conv
        if not self.turned or (w.kernel_h, w.kernel_w) == (1, 1):
            return 0
        return w.border_bytes

    @property
    def rows(self) -> int:
        """How many rows the output has, turned columns."""
        return self._axes[1].out

    @property
    def scratch_need(self) -> int:
        """Return the bytes with which few rows are computed twice."""
        rows = range(1, self.rows + 1)
        return self.scratch_bytes(next(n for n in rows if self.computed_rows(n) <= _MOST_COMPUTED))

    def computed_rows(self, rows: int) -> float:
        """Return how many rows of what is between are computed, of those there are."""
        _, y = self._axes
        bands = -(-y.out // rows)
        return (y.between + (bands - 1) * (3 - self.stride)) / y.between

    @property
    def _padded(self) -> int:
        w = self.conv
        kernel, dilation = (w.kernel_h, w.kernel_w), (w.dilation_h, w.dilation_w)
        return Runs.of(w.in_ch, kernel, dilation).padded

    @property
    def _axes(self) -> tuple[_Axis, _Axis]:
        """Along the rows of a plane, and the other one."""
        w, d = self.conv, self.depthwise
        x, y = _Axis(w.out_w, d.out_w, d.pad_left), _Axis(w.out_h, d.out_h, d.pad_top)
        return (y, x) if self.turned else (x, y)

    @property
    def _columns(self) -> int:
        x, _ = self._axes
        return max(self.stride * x.out + 4 - self.stride, x.pad + x.between + x.between % 2)

    @property
    def fits(self) -> bool:
        """Whether rows of planes can go along that axis."""
        x, _ = self._axes
        return (
            self._columns <= 64
            and min(x.between, x.out) >= 2
            and (x.between % 2 == 0 or self._padded % 8 == 0)
        )

    @property
    def _cost(self) -> int:
        """About, of a plane."""
        x, y = self._axes
        row = 30 + x.out // 2 * 25 + x.out % 2 * 19
        return y.out * row + y.between * (8 + x.between % 2 * 20)


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
