// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/clamp_s8.h>
#include <kernels/pool2d_s8.h>
#include <kernels/window.h>

#include <cstdint>
#include <cstring>

/// What the variants of max_pool2d_s8 share for images of few channels, whose windows are too
/// small for a loop each: the rows that a row of windows reads become one, byte by byte, whatever
/// pixel a byte is of; then pixels side by side become one.

namespace mcugen {

/// Bytes of rows taken at a time, on the stack.
constexpr int32_t kPoolStrip = 256;

/// Pixels of a strip side by side: output pixel i is the largest of `taps` pixels from i * step on.
struct PoolStrip {
  const int8_t* pixels;  ///< As many bytes behind them as a vector has may be read.
  int32_t taps;
  int32_t channels;
  int32_t step;  ///< Bytes from the first pixel of a window to that of the next.
  int32_t outs;
};

/// @returns whether a pool goes by strips: not where windows leave out pixels of a row, or a row of
///     few is most of the work.
/// @param[in] most_channels With more, a loop for each window takes fewer instructions.
inline bool pool_by_strips(const Pool2dS8Params& p, int32_t most_channels) {
  return p.channels <= most_channels && p.kernel_w * p.channels <= kPoolStrip && p.out_w > 1 &&
         p.kernel_w >= p.stride_w;
}

/// The same as max_pool2d_s8_scalar(), where pool_by_strips().
/// @tparam larger_rows (a, b, bytes, output): the larger of each two bytes; output may be a.
/// @tparam largest_pixels (strip, output): the outputs of a strip.
/// Template arguments for the calls to be direct: what the stack needs is read from those.
template <auto larger_rows, auto largest_pixels>
void max_pool2d_s8_by_strips(const Pool2dS8Params& p, const int8_t* input, int8_t* output) {
  int8_t pixels[kPoolStrip + 16];
  const int32_t channels = p.channels;
  const int32_t row = p.in_w * channels;
  const int32_t most = (kPoolStrip / channels - p.kernel_w) / p.stride_w + 1;
  int8_t* out = output;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * row) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, 1);
      PoolStrip strip{pixels, p.kernel_w, channels, p.stride_w * channels, 0};
      for (int32_t out_x = 0; out_x < p.out_w; out_x += strip.outs) {
        strip.outs = p.out_w - out_x < most ? p.out_w - out_x : most;
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const int32_t width = (strip.outs - 1) * p.stride_w + p.kernel_w;
        const TapRange xs = valid_taps(x, p.in_w, width, 1);
        const int32_t bytes = (xs.end - xs.begin) * channels;
        if (bytes != width * channels || ys.begin == ys.end) {
          memset(pixels, INT8_MIN, static_cast<uint32_t>(width * channels));
        }
        if (bytes > 0 && ys.begin != ys.end) {
          const int8_t* in = input + (y + ys.begin) * row + (x + xs.begin) * channels;
          int8_t* const to = pixels + xs.begin * channels;
          const int8_t* largest = in;
          for (int32_t rows = ys.end - ys.begin - 1; rows > 0; --rows, largest = to) {
            in += row;
            larger_rows(largest, in, bytes, to);
          }
          if (largest != to) {
            memcpy(to, largest, static_cast<uint32_t>(bytes));
          }
        }
        largest_pixels(strip, out);
        out += strip.outs * channels;
      }
    }
  }
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    clamp_s8_scalar(static_cast<int32_t>(out - output), output,
                    static_cast<int8_t>(p.activation_min), static_cast<int8_t>(p.activation_max),
                    output);
  }
}

}  // namespace mcugen
