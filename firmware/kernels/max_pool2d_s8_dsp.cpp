// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/forms.h>
#include <kernels/pool2d_s8.h>
#include <kernels/pool2d_s8_strips.h>
#include <kernels/pool2d_s8_windows.h>
#include <kernels/simd_dsp.h>

namespace mcugen {
namespace {

constexpr int32_t kChannels = 4;

void larger_rows(const int8_t* a, const int8_t* b, int32_t bytes, int8_t* output) {
  const int8_t* const end = a + (bytes & ~3);
  for (; a != end; a += 4, b += 4, output += 4) {
    store_four(output, larger_four(load_four(a), load_four(b)));
  }
  for (int32_t i = 0; i < (bytes & 3); ++i) {
    output[i] = a[i] > b[i] ? a[i] : b[i];
  }
}

/// Four channels at a time, of fewer with bytes of the next pixel, which are written again.
void largest_pixels(const PoolStrip& strip, int8_t* output) {
  const int32_t channels = strip.channels;
  const int32_t bytes = strip.outs * channels;
  for (int32_t c = 0; c < channels; c += kChannels) {
    // The last ones may be done once more.
    c = c > 0 && c + kChannels > channels ? channels - kChannels : c;
    const int8_t* first = strip.pixels + c;
    int8_t* out = output + c;
    for (int32_t left = bytes; left > 0; left -= channels) {
      uint32_t four = load_four(first);
      const int8_t* in = first;
      for (int32_t taps = strip.taps - 1; taps > 0; --taps) {
        in += channels;
        four = larger_four(four, load_four(in));
      }
      if (left >= kChannels) {
        store_four(out, four);
      } else {
        memcpy(out, &four, static_cast<uint32_t>(left));
      }
      first += strip.step;
      out += channels;
    }
  }
}

/// @returns the largest bytes of four channels, from `channel` on, and of `four`.
inline uint32_t largest_four(const PoolWindow& window, int32_t channel, uint32_t four) {
  const int8_t* in = window.first + channel;
  for (int32_t y = window.rows; y > 0; --y, in += window.skip) {
    for (int32_t x = window.pixels; x > 0; --x, in += window.channels) {
      four = larger_four(four, load_four(in));
    }
  }
  return four;
}

/// Writes the largest bytes of sixteen channels, from `channel` on, limited to [min, max]. Apart
/// from the loops around it, so that its values stay in registers.
[[gnu::noinline]] void write_largest_sixteen(const PoolWindow& window, int32_t channel,
                                             uint32_t min, uint32_t max, int8_t* output) {
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
  const bool strips = pool_by_strips(p, 4 * kChannels - 1);
  if (!forms::kMaxPoolRows || (!strips && p.channels < kChannels)) {
    max_pool2d_s8_scalar(p, input, output);
    return;
  }
  if (strips) {
    max_pool2d_s8_by_strips<larger_rows, largest_pixels>(p, input, output);
    return;
  }
  const uint32_t min = four_of(p.activation_min);
  const uint32_t max = four_of(p.activation_max);
  each_window(p, input, output, [=](const PoolWindow& window, int8_t* out) {
    int32_t c = 0;
    for (; c + 4 * kChannels <= window.channels; c += 4 * kChannels) {
      write_largest_sixteen(window, c, min, max, out);
    }
    for (; c < window.channels; c += kChannels) {
      // The last ones may be done once more.
      c = c + kChannels > window.channels ? window.channels - kChannels : c;
      store_four(out + c, smaller_four(largest_four(window, c, min), max));
    }
  });
}

}  // namespace mcugen
