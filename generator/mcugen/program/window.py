# SPDX-License-Identifier: BSD-3-Clause
"""The sizes of a convolution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol


class Sizes(Protocol):
    """What is read of a call: call_tensors.Call."""

    def nhwc(self, name: str) -> tuple[int, ...]:
        """Return a tensor's sizes: batch, height, width, channels."""

    def sizes(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape."""

    def pair(self, name: str) -> tuple[int, int]:
        """Return an int[] of height and width."""

    def integer(self, name: str) -> int | None:
        """Return an int."""

    def has_ints(self, name: str) -> bool:
        """Return whether the operator has such an int[]."""


@dataclass(frozen=True)
class Window:
    """The sizes of a convolution, as Conv2dS8Params has them; in_ch and out_ch of all groups."""

    batch: int
    in_h: int
    in_w: int
    in_ch: int
    out_h: int
    out_w: int
    out_ch: int
    kernel_h: int
    kernel_w: int
    groups: int
    stride_h: int
    stride_w: int
    pad_top: int
    pad_left: int
    dilation_h: int
    dilation_w: int

    @classmethod
    def of(cls, call: Sizes, *, depthwise: bool) -> Window:
        """Return those of a call; `depthwise`: of an operator without groups of its own."""
        batch, in_h, in_w, in_ch = call.nhwc("input")
        _, out_h, out_w, out_ch = call.nhwc("out")
        if call.has_ints("kernel"):
            (kernel_h, kernel_w), groups = call.pair("kernel"), call.integer("groups") or 1
        else:
            _, kernel_h, kernel_w, group_ch = call.sizes("weight")
            groups = in_ch if depthwise else in_ch // group_ch
        return cls(
            *(batch, in_h, in_w, in_ch, out_h, out_w, out_ch, kernel_h, kernel_w, groups),
            *call.pair("stride"),
            *call.pair("padding"),
            *call.pair("dilation"),
        )

    @classmethod
    def of_joined(cls, call: Sizes) -> tuple[Window, Window]:
        """Return those of a call of packed_conv_depthwise: of the first, and of the depthwise."""
        conv, stride = cls.of(call, depthwise=False), call.integer("depthwise_stride") or 1
        reach_h, reach_w = (
            (conv.kernel_h - 1) * conv.dilation_h + 1,
            (conv.kernel_w - 1) * conv.dilation_w + 1,
        )
        height = (conv.in_h + 2 * conv.pad_top - reach_h) // conv.stride_h + 1
        width = (conv.in_w + 2 * conv.pad_left - reach_w) // conv.stride_w + 1
        channels = conv.out_ch
        depthwise = cls(
            *(conv.batch, height, width, channels, conv.out_h, conv.out_w, channels),
            *(3, 3, channels, stride, stride, *call.pair("depthwise_padding"), 1, 1),
        )
        return replace(conv, out_h=height, out_w=width), depthwise

    @property
    def border_bytes(self) -> int:
        """What a copy of the image with its border takes, 0 where there is none."""
        if self.batch != 1 or not (self.pad_top or self.pad_left):
            return 0
        height = (self.out_h - 1) * self.stride_h + (self.kernel_h - 1) * self.dilation_h + 1
        width = (self.out_w - 1) * self.stride_w + (self.kernel_w - 1) * self.dilation_w + 1
        return -(-(height * width * self.in_ch + 4) // 8) * 8

    @property
    def pixels(self) -> int:
        """How many the output has."""
        return self.batch * self.out_h * self.out_w

    @property
    def few_inside(self) -> bool:
        """Return whether few windows lie inside of the image: less than half, or next to none."""
        axes = (
            (self.in_h, self.out_h, self.kernel_h, self.stride_h, self.dilation_h),
            (self.in_w, self.out_w, self.kernel_w, self.stride_w, self.dilation_w),
        )
        return self.pixels < 4 or any(
            2 * (size - (kernel - 1) * dilation - 1 + stride) < out * stride
            for size, out, kernel, stride, dilation in axes
        )

    @property
    def rows_inside(self) -> int:
        """Return how many rows of taps of a column of outputs lie inside of the image."""
        return _taps_inside(
            self.in_h, self.out_h, self.kernel_h, self.stride_h, self.pad_top, self.dilation_h
        )

    @property
    def taps_inside(self) -> int:
        """Return how many taps of all windows lie inside of the image."""
        columns = _taps_inside(
            self.in_w, self.out_w, self.kernel_w, self.stride_w, self.pad_left, self.dilation_w
        )
        return self.batch * self.rows_inside * columns

    @property
    def windows_inside(self) -> int:
        """Return how many windows lie inside of the image."""
        rows, columns = (
            max(min((size - 1 - reach + pad) // stride + 1, out) + -pad // stride, 0)
            for size, out, reach, stride, pad in (
                (
                    *(self.in_h, self.out_h, (self.kernel_h - 1) * self.dilation_h),
                    *(self.stride_h, self.pad_top),
                ),
                (
                    *(self.in_w, self.out_w, (self.kernel_w - 1) * self.dilation_w),
                    *(self.stride_w, self.pad_left),
                ),
            )
        )
        return self.batch * rows * columns


def _taps_inside(size: int, out: int, kernel: int, stride: int, pad: int, dilation: int) -> int:
    return sum(
        max(min((size - 1 - place) // stride + 1, out) - max(-(place // stride), 0), 0)
        for place in range(-pad, kernel * dilation - pad, dilation)
        if place < size
    )
