// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/forms.h>
#include <kernels/packed_conv2d_s8.h>
#include <kernels/requantize.h>
#include <kernels/winograd4_s8.h>

namespace mcugen {
namespace {

int32_t upper_word(uint64_t value) { return static_cast<int32_t>(value >> 32); }

uint64_t product(int32_t a, int32_t b) {
  return static_cast<uint64_t>(static_cast<int64_t>(a) * b);
}

/// The second of two roundings, see packed_conv2d_s8.h.
int32_t round_again(int32_t value, int32_t factor, int32_t zero_point) {
  const int32_t lowered = wrapping_add(value, value >> 31);
  return upper_word((static_cast<uint64_t>(static_cast<uint32_t>(zero_point)) << 32) -
                    product(lowered, factor) + (1u << 31));
}

int8_t limited(const Conv2dS8Params& p, int32_t result) {
  return static_cast<int8_t>(
      clamp(clamp(result, INT8_MIN, INT8_MAX), p.activation_min, p.activation_max));
}

int32_t half(int32_t word, int32_t upper) {
  return static_cast<int16_t>(upper != 0 ? word >> 16 : word);
}

/// A pixel of the image, or what lies outside of it.
struct Pixels {
  const Conv2dS8Params& p;
  const int8_t* data;

  int32_t at(int32_t y, int32_t x, int32_t c) const {
    const bool inside = y >= 0 && y < p.in_h && x >= 0 && x < p.in_w;
    return inside ? data[(y * p.in_w + x) * p.in_ch + c] : p.input_zero_point;
  }
};

/// Where a tap in the order of conv_runs() lies. @returns whether it counts.
bool tap_of(const Conv2dS8Params& p, const ConvRuns& runs, int32_t k, int32_t& ky, int32_t& at) {
  if (runs.nine) {
    ky = k < 24 ? k / 8 : k - 24;
    at = k < 24 ? k % 8 : 8;
    return k < 27;
  }
  const int32_t padded = padded_run(runs.run);
  const int32_t in_run = k % padded;
  const int32_t tap = k / padded * runs.run + in_run;
  const int32_t row = p.kernel_w * p.in_ch;
  ky = tap / row;
  at = tap % row;
  return in_run < runs.run;
}

int8_t rescaled(const Conv2dS8Params& p, int32_t sum, int32_t rounding, const int32_t* scaling,
                int32_t zero_point) {
  if (rounding != kPackedConvRoundTwice) {
    const int32_t high = wrapping_add(upper_word(product(sum, scaling[0])), scaling[1]);
    return limited(p, high >> (7 + kPackedConvShift + rounding));
  }
  const uint64_t twice = product(sum, scaling[0]) +
                         (static_cast<uint64_t>(static_cast<uint32_t>(sum)) << 32) + (1u << 31);
  return limited(p, round_again(upper_word(twice), scaling[1], zero_point));
}

void by_pairs(const Conv2dS8Params& p, const Pixels& image, const int32_t* words, int32_t y,
              int32_t x, int8_t* out) {
  const ConvRuns runs = conv_runs(p);
  for (int32_t pair = 0; pair < (p.out_ch + 1) / 2; ++pair) {
    int32_t sums[2] = {words[2], words[3]};
    const int32_t* const weights = words + 4;
    for (int32_t k = 0; k < runs.padded; ++k) {
      int32_t ky;
      int32_t at;
      if (!tap_of(p, runs, k, ky, at)) {
        continue;
      }
      const int32_t tap =
          image.at(y * p.stride_h - p.pad_top + ky * p.dilation_h,
                   x * p.stride_w - p.pad_left + at / p.in_ch * p.dilation_w, at % p.in_ch) -
          p.input_zero_point;
      const int32_t* const four = weights + (k & ~3) + 2 * (k & 1);
      for (int32_t i = 0; i < 2; ++i) {
        sums[i] = wrapping_add(sums[i], tap * half(four[i], k & 2));
      }
    }
    const int32_t* const scaling = weights + runs.padded;
    out[words[0] & 0xffff] = rescaled(p, sums[0], words[1], scaling, scaling[4]);
    out[(words[0] >> 16) & 0xffff] = rescaled(p, sums[1], words[1], scaling + 2, scaling[4]);
    words += packed_conv_pairs_words(runs.padded);
  }
}

/// Of four numbers `step` apart B' of F(2x2, 3x3), in their place.
void transform(int32_t* d, int32_t step) {
  const int32_t d0 = d[0];
  const int32_t d1 = d[step];
  const int32_t d2 = d[2 * step];
  const int32_t d3 = d[3 * step];
  d[0] = d0 - d2;
  d[step] = d1 + d2;
  d[2 * step] = d2 - d1;
  d[3 * step] = d1 - d3;
}

/// Adds, for a channel of the input, the products of a tile and the weights of two channels.
/// @param[in,out] m Four times the sums over taps, [column][row][channel].
void add_products(const Conv2dS8Params& p, const Pixels& image, const int32_t* words, int32_t y,
                  int32_t x, int32_t c, int32_t (&m)[4][4][2]) {
  constexpr int32_t kPlace[4] = {1, 0, 2, 3};  // of a row among positions
  int32_t tile[16];
  for (int32_t i = 0; i < 16; ++i) {
    tile[i] = image.at(y + i / 4, x + i % 4, c);
  }
  for (int32_t i = 0; i < 4; ++i) {
    transform(tile + i, 4);
  }
  for (int32_t row = 0; row < 4; ++row) {
    transform(tile + 4 * row, 1);
    for (int32_t column = 0; column < 4; ++column) {
      const int32_t v = tile[4 * row + column] * (row == 0 || row == 3 ? 2 : 1);
      const int32_t* const four =
          words + column * (4 * p.in_ch + 4) + 4 + kPlace[row] * p.in_ch + (c & ~3) + (c & 1);
      for (int32_t i = 0; i < 2; ++i) {
        m[column][row][i] = wrapping_add(m[column][row][i], v * half(four[2 * i], c & 2));
      }
    }
  }
}

/// One pixel. Of its tile only what its own window reads counts, so the output may lie over the
/// rest.
void by_winograd2(const Conv2dS8Params& p, const Pixels& image, const int32_t* words, int32_t y,
                  int32_t x, int8_t* out) {
  for (int32_t o = 0; o < p.out_ch; o += 2) {
    int32_t m[4][4][2] = {};
    for (int32_t c = 0; c < p.in_ch; ++c) {
      add_products(p, image, words, (y & ~1) - p.pad_top, (x & ~1) - p.pad_left, c, m);
    }
    for (int32_t i = 0; i < 2; ++i) {
      int32_t sums[4];
      for (int32_t column = 0; column < 4; ++column) {
        const auto& rows = m[column];
        const int32_t start = words[column * (4 * p.in_ch + 4) + (x & 2) + i];
        sums[column] = y % 2 == 0 ? wrapping_add(wrapping_add(start, rows[0][i]),
                                                 wrapping_add(rows[1][i], rows[2][i]))
                                  : wrapping_sub(wrapping_add(start, rows[1][i]),
                                                 wrapping_add(rows[2][i], rows[3][i]));
      }
      const int32_t twice = x % 2 == 0 ? wrapping_add(sums[0], wrapping_add(sums[1], sums[2]) >> 1)
                                       : wrapping_sub(wrapping_sub(sums[1], sums[2]) >> 1, sums[3]);
      const int32_t* const scaling = words + packed_conv_winograd2_words(p.in_ch) - 6 + 3 * i;
      const int32_t value = upper_word(product(twice, scaling[0]) + (1u << 31));
      out[o + i] = limited(p, round_again(value, scaling[1], scaling[2]));
    }
    words += packed_conv_winograd2_words(p.in_ch);
  }
}

}  // namespace

void packed_conv2d_s8_scalar(PackedConvForm form, const Conv2dS8Params& p, const int8_t* input,
                             const int32_t* words, int8_t* output) {
  if (!forms::kPackedConvScalar) {
    forms::left_out("packed_conv2d_s8_scalar");
  }
  if (form == PackedConvForm::kWinograd4) {
    winograd4_s8_scalar(p, input, words, output);
    return;
  }
  for (int32_t b = 0; b < p.batch; ++b) {
    const Pixels image{p, input + b * p.in_h * p.in_w * p.in_ch};
    for (int32_t y = 0; y < p.out_h; ++y) {
      for (int32_t x = 0; x < p.out_w; ++x, output += p.out_ch) {
        if (form == PackedConvForm::kWinograd2) {
          by_winograd2(p, image, words, y, x, output);
        } else {
          by_pairs(p, image, words, y, x, output);
        }
      }
    }
  }
}

}  // namespace mcugen
