// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/pool2d_s8.h>
#include <kernels/simd_dsp.h>
#include <kernels/window.h>

namespace mcugen {
namespace {

constexpr int32_t kChannels = 4;

/// A window's part inside the image.
struct Window {
  const int8_t* first;
  int32_t rows, pixels;
  int32_t channels;  ///< Bytes from a pixel to the next.
  int32_t skip;      ///< From behind a row to the next.
};

/// @returns the largest bytes of four channels, from `channel` on, and of `four`.
inline uint32_t largest_four(const Window& window, int32_t channel, uint32_t four) {
  const int8_t* in = window.first + channel;
  for (int32_t y = window.rows; y > 0; --y, in += window.skip) {
    for (int32_t x = window.pixels; x > 0; --x, in += window.channels) {
      four = larger_four(four, load_four(in));
    }
  }
  return four;
}

/// Writes the largest bytes of sixteen channels, from `channel` on, limited to [min, max].
inline void write_largest_sixteen(const Window& window, int32_t channel, uint32_t min, uint32_t max,
                                  int8_t* output) {
  const int8_t* in = window.first + channel;
  uint32_t a = min, b = min, c = min, d = min;
  for (int32_t y = window.rows; y > 0; --y, in += window.skip) {
    for (int32_t x = window.pixels; x > 0; --x, in += window.channels) {
      a = larger_four(a, load_four(in));
      b = larger_four(b, load_four(in + 4));
      c = larger_four(c, load_four(in + 8));
      d = larger_four(d, load_four(in + 12));
    }
  }
  store_four(output + channel, smaller_four(a, max));
  store_four(output + channel + 4, smaller_four(b, max));
  store_four(output + channel + 8, smaller_four(c, max));
  store_four(output + channel + 12, smaller_four(d, max));
}

}  // namespace

void max_pool2d_s8_dsp(const Pool2dS8Params& p, const int8_t* input, int8_t* output) {
  if (p.channels < kChannels) {
    max_pool2d_s8_scalar(p, input, output);
    return;
  }
  const int32_t row = p.in_w * p.channels;
  const uint32_t min = four_of(p.activation_min);
  const uint32_t max = four_of(p.activation_max);
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * row) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, 1);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x, output += p.channels) {
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const TapRange xs = valid_taps(x, p.in_w, p.kernel_w, 1);
        const int32_t pixels = xs.end - xs.begin;
        const Window window = {input + (y + ys.begin) * row + (x + xs.begin) * p.channels,
                               ys.end - ys.begin, pixels, p.channels, row - pixels * p.channels};
        int32_t c = 0;
        for (; c + 4 * kChannels <= p.channels; c += 4 * kChannels) {
          write_largest_sixteen(window, c, min, max, output);
        }
        for (; c < p.channels; c += kChannels) {
          c = c + kChannels > p.channels ? p.channels - kChannels : c;  // some of them once more
          store_four(output + c, smaller_four(largest_four(window, c, min), max));
        }
      }
    }
  }
}

}  // namespace mcugen
