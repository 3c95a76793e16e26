// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/pool2d_s8.h>
#include <kernels/pool2d_s8_strips.h>
#include <kernels/pool2d_s8_windows.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

void larger_rows(const int8_t* a, const int8_t* b, int32_t bytes, int8_t* output) {
  for (int32_t i = 0; i < bytes; ++i) {
    output[i] = static_cast<int8_t>(larger(a[i], b[i]));
  }
}

void largest_pixels(const PoolStrip& strip, int8_t* output) {
  const int32_t channels = strip.channels;
  for (int32_t c = 0; c < channels; ++c) {
    const int8_t* first = strip.pixels + c;
    int8_t* out = output + c;
    for (int32_t outs = strip.outs; outs > 0; --outs, first += strip.step, out += channels) {
      int32_t largest = *first;
      const int8_t* in = first;
      for (int32_t taps = strip.taps - 1; taps > 0; --taps) {
        in += channels;
        largest = larger(*in, largest);
      }
      *out = static_cast<int8_t>(largest);
    }
  }
}

/// Writes the largest bytes of four channels, from `channel` on, limited to [min, max]. Apart from
/// the loops around it, so that its values stay in registers.
[[gnu::noinline]] void write_largest_four(const PoolWindow& window, int32_t channel, int32_t min,
                                          int32_t max, int8_t* output) {
  const int32_t channels = window.channels;
  const int32_t skip = window.skip;
  const int8_t* in = window.first + channel;
  int32_t a = INT8_MIN, b = INT8_MIN, c = INT8_MIN, d = INT8_MIN;
  for (int32_t y = window.rows; y > 0; --y, in += skip) {
    for (int32_t x = window.pixels; x > 0; --x, in += channels) {
      a = larger(in[0], a);
      b = larger(in[1], b);
      c = larger(in[2], c);
      d = larger(in[3], d);
    }
  }
  output[channel] = static_cast<int8_t>(clamp(a, min, max));
  output[channel + 1] = static_cast<int8_t>(clamp(b, min, max));
  output[channel + 2] = static_cast<int8_t>(clamp(c, min, max));
  output[channel + 3] = static_cast<int8_t>(clamp(d, min, max));
}

}  // namespace

void max_pool2d_s8_mla(const Pool2dS8Params& p, const int8_t* input, int8_t* output) {
  constexpr int32_t kChannels = 4;
  constexpr int32_t kLong = 16;  // pixels of a row that is a window
  if (pool_by_strips(p, 4 * kChannels - 1) && (p.kernel_h > 1 || p.kernel_w < kLong)) {
    max_pool2d_s8_by_strips<larger_rows, largest_pixels>(p, input, output);
    return;
  }
  // Of a single pixel it is not worth it to do some channels twice.
  if (p.channels < kChannels || (p.kernel_h * p.kernel_w == 1 && p.channels % kChannels != 0)) {
    max_pool2d_s8_scalar(p, input, output);
    return;
  }
  const int32_t min = p.activation_min;
  const int32_t max = p.activation_max;
  each_window(p, input, output, [=](const PoolWindow& window, int8_t* out) {
    for (int32_t c = 0; c < window.channels; c += kChannels) {
      // The last ones may be done once more.
      c = c + kChannels > window.channels ? window.channels - kChannels : c;
      write_largest_four(window, c, min, max, out);
    }
  });
}

}  // namespace mcugen
