// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/pool2d_s8.h>
#include <kernels/window.h>

#include <cstdint>

/// What the variants of max_pool2d_s8 share.

namespace mcugen {

/// The part of a window that lies inside the image.
struct PoolWindow {
  const int8_t* first;
  int32_t rows, pixels;
  int32_t channels;  ///< Bytes from a pixel to the next.
  int32_t skip;      ///< From behind a row to the next.
};

/// Calls `pool(window, output)` for each pixel of the output.
template <typename Pool>
void each_window(const Pool2dS8Params& p, const int8_t* input, int8_t* output, Pool pool) {
  const int32_t channels = p.channels;
  const int32_t row = p.in_w * channels;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * row) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, 1);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x, output += channels) {
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const TapRange xs = valid_taps(x, p.in_w, p.kernel_w, 1);
        const int32_t pixels = xs.end - xs.begin;
        pool(PoolWindow{input + (y + ys.begin) * row + (x + xs.begin) * channels, ys.end - ys.begin,
                        pixels, channels, row - pixels * channels},
             output);
      }
    }
  }
}

}  // namespace mcugen
