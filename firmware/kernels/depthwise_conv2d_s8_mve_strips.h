// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/depthwise_conv2d_s8.h>

#include <cstdint>

namespace mcugen {

/// How an image is cut into strips of planes, which the gather's 8-bit offsets limit in width.
struct MveStrips {
  explicit MveStrips(const DepthwiseConv2dS8Params& p) : p_(p) {}

  static constexpr uint32_t kTileBytes = 8;  // sizeof(MveTile)
  static constexpr int32_t kNarrow = 16;     // below, a table of places is faster than rows

  int32_t max_columns() const { return p_.stride_w == 1 ? 82 : 60; }
  bool table() const { return p_.in_w < kNarrow; }
  int32_t plane_row(int32_t columns) const { return (columns - 1) * p_.stride_w + 3; }
  int32_t plane_rows(int32_t rows) const { return (rows - 1) * p_.stride_h + 3; }

  /// Rows of outputs to tiles: pairs of tiles take four. What is left is one tile of two rows, or
  /// one more pair; both go over rows that are done.
  static int32_t pairs(int32_t rows) { return rows < 4 ? 0 : (rows + 1) / 4; }
  static int32_t singles(int32_t rows) { return rows < 4 ? rows - 1 : rows % 4 % 3 != 0 ? 1 : 0; }

  uint32_t tile_bytes(int32_t columns, int32_t rows) const {
    const int32_t tiles = (columns + 1) / 2 * (pairs(rows) + singles(rows));
    return static_cast<uint32_t>(tiles) * kTileBytes;
  }

  /// @returns the bytes of the list of tiles, of the places of pixels and of a plane.
  uint32_t bytes(int32_t columns, int32_t rows) const {
    const int32_t in_rows = plane_rows(rows);
    const int32_t places = table() ? 2 * p_.in_w * (in_rows < p_.in_h ? in_rows : p_.in_h) + 16 : 0;
    return tile_bytes(columns, rows) +
           static_cast<uint32_t>(in_rows * plane_row(columns) + 16 + places);
  }

  int32_t columns() const { return p_.out_w < max_columns() ? p_.out_w : max_columns(); }

  /// @returns how many rows of the output `scratch` bytes are enough for, at most all.
  int32_t rows_in(uint32_t scratch) const {
    int32_t rows = p_.out_h;
    while (rows > 1 && bytes(columns(), rows) > scratch) {
      --rows;
    }
    return rows;
  }

  const DepthwiseConv2dS8Params& p_;
};

/// Whether the loop for 3x3 windows can do this, given enough scratch.
inline bool mve_takes_3x3(const DepthwiseConv2dS8Params& p) {
  return p.depth_multiplier == 1 && p.kernel_h == 3 && p.kernel_w == 3 && p.dilation_h == 1 &&
         p.dilation_w == 1 && p.stride_h == p.stride_w && p.stride_h <= 2 && p.out_h >= 2 &&
         p.out_w >= 2 && p.in_ch <= 8191 && (3 * p.out_w + 2) * p.in_ch <= 65535;
}

}  // namespace mcugen
