# SPDX-License-Identifier: BSD-3-Clause
"""A convolution and a depthwise one, from the words that were made of both.

firmware/kernels/packed_conv_depthwise_s8.h. Nothing here knows the layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from mcugen.program.conv_words import Runs, of_joined_pair
from mcugen.program.reference.packed_conv import Conv, convolved, halves_of, in_int32, weights_of
from mcugen.program.reference.registry import computes


@computes("mcugen::packed_conv_depthwise")
def packed_conv_depthwise(x: Any, words: Any, *rest: Any) -> Any:
    """Return both of `x` [N, C, H, W]."""
    return packed_conv_depthwise_nhwc(x.permute(0, 2, 3, 1), words, *rest).permute(0, 3, 1, 2)


@computes("mcugen::packed_conv_depthwise_nhwc")
def packed_conv_depthwise_nhwc(
    x: Any,
    words: Any,
    depthwise_stride: int,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    input_offset: int,
    output_offset: int,
    kernel: list[int],
    depthwise_padding: list[int],
    low: int,
    high: int,
    turned: int,
    scratch: Any,
) -> Any:
    """Return both of `x` [N, H, W, C]."""
    del scratch, output_offset
    image = x.contiguous().numpy().astype(np.int64)
    sides = [(each[0], each[-1]) for each in (kernel, stride, padding, dilation)]
    conv = Conv(image, sides[0], sides[1], sides[2], sides[3], -input_offset, 0)
    in_ch = image.shape[3]
    runs = Runs.of(in_ch, sides[0], sides[3])
    rows = words.numpy().astype(np.int64)
    rows = rows.reshape(-1, of_joined_pair(in_ch, sides[0], sides[3]))
    weights = weights_of(rows[:, 2:-22], runs)
    sums = convolved(conv, weights.reshape(2 * len(rows), *sides[0], -1))
    scaling = rows[:, -22:-18].reshape(-1, 2)
    between = _rescaled(in_int32(sums + rows[:, :2].reshape(-1)), scaling).clip(0, 255)
    nine = rows[:, -18:].reshape(-1, 9)
    taps = halves_of(nine[:, :6])  # [channel, word, half]
    own = np.concatenate([taps[:, ::2], taps[:, 1::2, 1:]], axis=2).reshape(-1, 1, 3, 3)
    own = np.ascontiguousarray(own.swapaxes(2, 3)) if turned else own
    sums = functional.conv2d(
        torch.from_numpy(between).permute(0, 3, 1, 2).to(torch.float64),
        torch.from_numpy(own).to(torch.float64),
        stride=depthwise_stride,
        padding=(depthwise_padding[0], depthwise_padding[-1]),
        groups=len(own),
    )
    sums = sums.permute(0, 2, 3, 1).numpy().astype(np.int64)
    results = _rescaled(in_int32(sums + nine[:, 6]), nine[:, 7:])
    limited = results.clip(-128, 127).clip(low, high).astype(np.int8)
    return torch.from_numpy(np.ascontiguousarray(limited))


def _rescaled(sums: np.ndarray, scaling: np.ndarray) -> np.ndarray:
    return np.asarray(in_int32((sums * scaling[:, 0] >> 32) + scaling[:, 1]) >> 12)
