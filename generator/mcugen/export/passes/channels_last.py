# SPDX-License-Identifier: BSD-3-Clause
"""Images in the memory order N, H, W, C where an operator needs it."""

from __future__ import annotations

from typing import Any

import torch
from executorch.exir.pass_base import ExportPass

from mcugen.export.passes.edge import EDGE

_IMAGE_OPERATORS = frozenset(
    getattr(EDGE.cortex_m, name).default
    for name in (
        "quantized_conv2d",
        "quantized_depthwise_conv2d",
        "quantized_transpose_conv2d",
        "quantized_avg_pool2d",
        "quantized_max_pool2d",
    )
)
_NHWC = [0, 2, 3, 1]


class ChannelsLastImages(ExportPass):  # type: ignore[misc]
    """Copies an image into N, H, W, C order where an operator needs it and memory has another.

    A slice of channels, say, comes out contiguous, and so does what is computed from it.
    """

    def call_operator(self, op: Any, args: tuple[Any, ...], kwargs: Any, meta: Any) -> Any:
        if op in _IMAGE_OPERATORS and not _is_channels_last(args[0].data):
            copy = super().call_operator(
                EDGE.dim_order_ops._clone_dim_order.default,
                (args[0],),
                {"dim_order": _NHWC},
                meta,
            )
            args = (copy, *args[1:])
        return super().call_operator(op, args, kwargs, meta)


def _is_channels_last(image: torch.Tensor) -> bool:
    """Whether memory is in the order N, H, W, C; an axis of one element is anywhere."""
    steps = [image.stride(axis) for axis in _NHWC if image.shape[axis] > 1]
    return steps == sorted(steps, reverse=True)


def keep_memory_order() -> None:
    """Let minimum and maximum give what torch gives: channels-last for channels-last images."""

    def minimum(self: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.empty_like(torch.minimum(self, other))

    def maximum(self: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.empty_like(torch.maximum(self, other))

    torch.library.register_fake("cortex_m::minimum", minimum)
    torch.library.register_fake("cortex_m::maximum", maximum)
