// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

namespace mcugen {

/// First pixel along an axis that windows from `out` on read.
inline int64_t first_read_in_place(int32_t out, int32_t stride, int32_t pad) {
  const int64_t at = static_cast<int64_t>(out) * stride - pad;
  return at > 0 ? at : 0;
}

/// @returns how many bytes before the input the output must begin at least; negative: it may begin
///     so many bytes behind. The largest, over all pixels of the output, of the end of the pixel
///     less the first byte that its window or a later one reads. Both grow in steps along each
///     axis: what is read stands still in the leading padding, so it is enough to look where that
///     ends and where the axis does.
inline int64_t in_place_distance(const Conv2dS8Params& p) {
  const int64_t row = static_cast<int64_t>(p.in_w) * p.in_ch;
  const auto candidate = [](int32_t i, int32_t pad, int32_t stride, int32_t out) {
    const int32_t at = i == 2 ? out - 1 : pad / stride + i;
    return at < out ? at : out - 1;
  };
  int64_t most = INT64_MIN;
  for (int32_t i = 0; i < 3; ++i) {
    const int32_t y = candidate(i, p.pad_top, p.stride_h, p.out_h);
    const int64_t next_row = first_read_in_place(y + 1, p.stride_h, p.pad_top) * row;
    for (int32_t j = 0; j < 3; ++j) {
      const int32_t x = candidate(j, p.pad_left, p.stride_w, p.out_w);
      int64_t read = first_read_in_place(y, p.stride_h, p.pad_top) * row +
                     first_read_in_place(x, p.stride_w, p.pad_left) * p.in_ch;
      if (y + 1 < p.out_h && next_row < read) {
        read = next_row;
      }
      const int64_t end = (static_cast<int64_t>(y) * p.out_w + x + 1) * p.out_ch;
      most = end - read > most ? end - read : most;
    }
  }
  return most;
}

}  // namespace mcugen
