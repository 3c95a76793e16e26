# SPDX-License-Identifier: BSD-3-Clause
"""A 3x3 convolution of transformed weights: firmware/kernels/winograd4_s8.h, from its words."""

from __future__ import annotations

import numpy as np

from mcugen.program.packing.winograd4 import RAISED, ROWS, SCALING_WORDS, A, B


def by_winograd_4(
    image: np.ndarray, words: np.ndarray, padding: tuple[int, int], zero_point: int
) -> np.ndarray:
    """Return the results int64[batch, out_h, out_w, out_ch], not limited yet.

    image: [batch, in_h, in_w, in_ch]; words: int32[out_ch / 2, 36 in_ch + 20]; padding: above and
    below, left and right; zero_point: what lies outside of the image.
    """
    batch, *size, in_ch = image.shape
    height, width = (side + 2 * pad - 2 for side, pad in zip(size, padding, strict=True))
    tiles = _tiles(image.astype(np.int64), padding, zero_point)
    moved = np.einsum("ir,byrxsc,js->ijbyxc", B, tiles, B, optimize=True)
    moved[..., np.arange(in_ch) % 4 < 2] += RAISED
    down, across = moved.shape[3:5]
    # Sums of 64 products of fewer than 16 bits are exact in float64.
    products = moved.reshape(6, 6, -1, in_ch).astype(np.float64) @ _weights(words, in_ch)
    sums = np.einsum("ri,ijto,sj->tors", A, products.astype(np.int64), A, optimize=True)
    results = _rescaled(sums, words[:, -SCALING_WORDS:].astype(np.int64))
    laid_out = results.reshape(batch, down, across, -1, 4, 4).transpose(0, 1, 4, 2, 5, 3)
    return laid_out.reshape(batch, 4 * down, 4 * across, -1)[:, :height, :width]


def _tiles(image: np.ndarray, padding: tuple[int, int], zero_point: int) -> np.ndarray:
    """Return tiles x = q + 128 as [batch, down, 6, across, 6, in_ch]."""
    sides, places = [(0, 0)], []
    for side, pad in zip(image.shape[1:3], padding, strict=True):
        tiles = -(-(side + 2 * pad - 2) // 4)
        sides.append((pad, 4 * tiles + 2 - side - pad))
        places.append(4 * np.arange(tiles)[:, None] + np.arange(6))
    padded = np.pad(image + 128, [*sides, (0, 0)], constant_values=zero_point + 128)
    return padded[:, places[0]][:, :, :, places[1]]


def _weights(words: np.ndarray, in_ch: int) -> np.ndarray:
    """Return U as float64[row, column, in_ch, out_ch]."""
    fours = words[:, : 36 * in_ch].reshape(len(words), 6, 6, in_ch // 4, 2, 2)
    # [pair, column, row, four, channel, k % 2] -> k = 2 * upper half + k % 2
    halves = np.stack([fours.astype(np.int16), (fours >> 16).astype(np.int16)], axis=5)
    u = np.empty((6, 6, in_ch, 2 * len(words)))
    u[ROWS, :] = halves.transpose(2, 1, 3, 5, 6, 0, 4).reshape(u.shape)
    return u


def _rescaled(sums: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Return results of 576 times the sums, [tile, out_ch, row, column]."""
    factor, multipliers, corrections = words[:, 0:4:2], words[:, 12:16:2], words[:, 16:20:2]
    starts = np.empty((len(words), 2, 4, 4), np.int64)
    starts[:] = words[:, 1:4:2, None, None]
    starts[:, :, 2:, 2:] = words[:, 4:12].reshape(-1, 2, 2, 2).transpose(0, 2, 1, 3)
    by_channel = [
        each.reshape(-1, 1, 1) for each in (factor, multipliers, words[:, 13:16:2], corrections)
    ]
    v = _int32(_int32(sums) * by_channel[0] + starts.reshape(-1, 4, 4))
    high = _int32((v * by_channel[1] >> 32) + by_channel[2])
    return _int32(high - np.where(v < 0, by_channel[3], 0)) >> 16


def _int32(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int32).astype(np.int64)
