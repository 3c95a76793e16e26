// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/requantize.h>
#include <kernels/winograd4_s8.h>

namespace mcugen {
namespace {

/// A' of F(4x4, 3x3), for positions in rows 0 to 5.
constexpr int32_t kA[4][6] = {
    {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 4}};
/// Of a row among the positions of a column.
constexpr int32_t kPlace[6] = {2, 3, 4, 0, 1, 5};

/// B' of six numbers `step` apart, in their place.
void transform_six(int32_t* d, int32_t step) {
  const int32_t x[6] = {d[0], d[step], d[2 * step], d[3 * step], d[4 * step], d[5 * step]};
  d[0] = 4 * x[0] - 5 * x[2] + x[4];
  d[step] = x[3] + x[4] - 4 * (x[1] + x[2]);
  d[2 * step] = x[4] - x[3] + 4 * (x[1] - x[2]);
  d[3 * step] = 2 * (x[3] - x[1]) + x[4] - x[2];
  d[4 * step] = 2 * (x[1] - x[3]) + x[4] - x[2];
  d[5 * step] = 4 * x[1] - 5 * x[3] + x[5];
}

/// One pixel of the output and its tile.
struct PixelOfTile {
  const Conv2dS8Params& p;
  const int8_t* image;
  int32_t y, x;

  /// V of an input channel.
  void transformed(int32_t channel, int32_t (&v)[36]) const {
    for (int32_t i = 0; i < 36; ++i) {
      const int32_t row = (y & ~3) - p.pad_top + i / 6;
      const int32_t column = (x & ~3) - p.pad_left + i % 6;
      const bool inside = row >= 0 && row < p.in_h && column >= 0 && column < p.in_w;
      v[i] =
          128 + (inside ? image[(row * p.in_w + column) * p.in_ch + channel] : p.input_zero_point);
    }
    for (int32_t i = 0; i < 6; ++i) {
      transform_six(v + i, 6);
    }
    for (int32_t i = 0; i < 6; ++i) {
      transform_six(v + 6 * i, 1);
    }
  }

  /// Adds the products of an input channel to 576 times the sums over taps of two output channels.
  void add_products(const int32_t* words, int32_t channel, int32_t (&sums)[2]) const {
    int32_t v[36];
    transformed(channel, v);
    for (int32_t i = 0; i < 36; ++i) {
      const int32_t raised = v[i] + (channel % 4 < 2 ? 0x3300 : 0);
      const int32_t times = kA[y % 4][i / 6] * kA[x % 4][i % 6];
      const int32_t* const four =
          words + (6 * (i % 6) + kPlace[i / 6]) * p.in_ch + (channel & ~3) + (channel & 1);
      for (int32_t c = 0; c < 2; ++c) {
        const int32_t u =
            static_cast<int16_t>((channel & 2) != 0 ? four[2 * c] >> 16 : four[2 * c]);
        sums[c] = wrapping_add(sums[c], wrapping_mul(raised * u, times));
      }
    }
  }

  int8_t rescaled(int32_t sum, const int32_t* scaling, int32_t c) const {
    const bool special = y % 4 >= 2 && x % 4 >= 2;
    const int32_t start =
        special ? scaling[4 * (y % 4 - 1) + 2 * c + x % 4 - 2] : scaling[2 * c + 1];
    const int32_t v = wrapping_add(wrapping_mul(sum, scaling[2 * c]), start);
    const int32_t high =
        static_cast<int32_t>((static_cast<int64_t>(v) * scaling[12 + 2 * c]) >> 32);
    const int32_t result =
        wrapping_sub(wrapping_add(high, scaling[13 + 2 * c]), v < 0 ? scaling[16 + 2 * c] : 0) >>
        16;
    return static_cast<int8_t>(
        clamp(clamp(result, INT8_MIN, INT8_MAX), p.activation_min, p.activation_max));
  }
};

}  // namespace

void winograd4_s8_scalar(const Conv2dS8Params& p, const int8_t* input, const int32_t* words,
                         int8_t* output) {
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * p.in_w * p.in_ch) {
    for (int32_t y = 0; y < p.out_h; ++y) {
      for (int32_t x = 0; x < p.out_w; ++x, output += p.out_ch) {
        const PixelOfTile pixel{p, input, y, x};
        const int32_t* pair = words;
        for (int32_t o = 0; o < p.out_ch; o += 2, pair += winograd4_words(p.in_ch)) {
          int32_t sums[2] = {};
          for (int32_t channel = 0; channel < p.in_ch; ++channel) {
            pixel.add_products(pair, channel, sums);
          }
          for (int32_t c = 0; c < 2; ++c) {
            output[o + c] = pixel.rescaled(sums[c], pair + 36 * p.in_ch, c);
          }
        }
      }
    }
  }
}

}  // namespace mcugen
