# SPDX-License-Identifier: BSD-3-Clause
"""The sizes of a convolution."""

from __future__ import annotations

from dataclasses import dataclass
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

    @property
    def pixels(self) -> int:
        """How many the output has."""
        return self.batch * self.out_h * self.out_w
