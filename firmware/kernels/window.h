// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// @returns whether two runs of bytes share one.
inline bool overlap(const int8_t* a, int32_t a_bytes, const int8_t* b, int32_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

/// Half-open range of kernel taps.
struct TapRange {
  int32_t begin;
  int32_t end;
};

/// @returns the taps of a window that fall inside the image along one axis; begin <= end.
/// @param[in] origin Position of tap 0, negative inside the leading padding.
/// @param[in] in_size Size of the image along the axis.
/// @param[in] taps Size of the window.
/// @param[in] dilation Distance of neighbouring taps, at least 1.
inline TapRange valid_taps(int32_t origin, int32_t in_size, int32_t taps, int32_t dilation) {
  TapRange range{0, 0};
  if (origin < in_size) {
    const int32_t fitting = (in_size - origin + dilation - 1) / dilation;
    range.end = fitting < taps ? fitting : taps;
  }
  if (origin < 0) {
    const int32_t outside = (-origin + dilation - 1) / dilation;
    range.begin = outside < range.end ? outside : range.end;
  }
  return range;
}

}  // namespace mcugen
