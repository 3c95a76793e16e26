// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Two output channels of any number of pairs of tiles of a 3x3 convolution by Winograd's
/// F(2x2, 3x3), for the loops in winograd_products.inc.
struct McugenWinogradProducts {
  const int16_t* tiles;
  const int16_t* tiles_end;
  /// Per column of positions four words that sums start from (the bias of channels 0, 1, 0, 1 in
  /// column 1, zeros elsewhere), then per position and step four words of weights, channel 0's and
  /// channel 1's. Word-aligned.
  const int32_t* weights;
  int8_t* out;         ///< Of the first tile and channel 0; channel 1 follows it.
  int32_t pixel_step;  ///< Bytes from a pixel to the next.
  int32_t row_bytes;   ///< Bytes from a row to the next; pairs * 4 * pixel_step.
  int32_t pairs;       ///< Pairs of tiles in a row.
  uint32_t steps;      ///< Of so many input channels that come to 64 at most.
  int32_t scaling[6];  ///< Of channels 0 and 1: three numbers each that their loop rescales with.
};
