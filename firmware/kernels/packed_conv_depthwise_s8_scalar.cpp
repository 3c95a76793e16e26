// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/forms.h>
#include <kernels/packed_conv_depthwise_s8.h>
#include <kernels/requantize.h>
#include <kernels/window.h>

namespace mcugen {
namespace {

constexpr int32_t kRight = 12;

int32_t half_of(int32_t word, int32_t upper) {
  return static_cast<int16_t>(upper != 0 ? word >> 16 : word);
}

/// @returns (sum * scaling[0] / 2^32 + scaling[1]) >> kRight.
int32_t rescaled(int32_t sum, const int32_t* scaling) {
  const int32_t high = static_cast<int32_t>((static_cast<int64_t>(sum) * scaling[0]) >> 32);
  return wrapping_add(high, scaling[1]) >> kRight;
}

/// The first convolution, at one pixel and channel.
struct Between {
  const Conv2dS8Params& p;
  const ConvRuns runs;
  const int8_t* image;

  /// Where a tap in the order of conv_runs() lies, row by row; -1 for one that does not count.
  int32_t tap_of(int32_t k) const {
    if (runs.nine) {
      return k < 24 ? k / 8 * 9 + k % 8 : k < 27 ? (k - 24) * 9 + 8 : -1;
    }
    const int32_t padded = padded_run(runs.run);
    return k % padded < runs.run ? k / padded * runs.run + k % padded : -1;
  }

  /// @param[in] words Of the pair. @param[in] second Which of its channels.
  int32_t at(const int32_t* words, int32_t second, int32_t y, int32_t x) const {
    if (y < 0 || y >= p.out_h || x < 0 || x >= p.out_w) {
      return 0;
    }
    int32_t sum = words[second];
    const int32_t* const weights = words + 2 + second;
    const int32_t row = p.kernel_w * p.in_ch;
    for (int32_t k = 0; k < runs.padded; ++k) {
      const int32_t tap = tap_of(k);
      const int32_t in_y = y * p.stride_h - p.pad_top + tap / row * p.dilation_h;
      const int32_t in_x = x * p.stride_w - p.pad_left + tap % row / p.in_ch * p.dilation_w;
      if (tap >= 0 && in_y >= 0 && in_y < p.in_h && in_x >= 0 && in_x < p.in_w) {
        const int32_t value =
            image[(in_y * p.in_w + in_x) * p.in_ch + tap % p.in_ch] - p.input_zero_point;
        sum = wrapping_add(sum, value * half_of(weights[(k & ~3) + 2 * (k & 1)], k & 2));
      }
    }
    return clamp(rescaled(sum, words + 2 + runs.padded + 2 * second), 0, UINT8_MAX);
  }
};

}  // namespace

void packed_conv_depthwise_s8_scalar(const PackedConvDepthwiseS8Params& params, const int8_t* input,
                                     const int32_t* words, int8_t* output) {
  if (!forms::kConvDepthwiseScalar) {
    forms::left_out("packed_conv_depthwise_s8_scalar");
  }
  const Conv2dS8Params& p = params.conv;
  const ConvRuns runs = conv_runs(p);
  for (int32_t b = 0; b < p.batch; ++b) {
    const Between between{p, runs, input + b * p.in_h * p.in_w * p.in_ch};
    for (int32_t y = 0; y < params.out_h; ++y) {
      for (int32_t x = 0; x < params.out_w; ++x) {
        for (int32_t c = 0; c < p.out_ch; ++c) {
          const int32_t* const pair = words + c / 2 * packed_conv_depthwise_words(runs.padded);
          const int32_t* const own = pair + 6 + runs.padded + 9 * (c & 1);
          int32_t sum = own[6];
          for (int32_t k = 0; k < 9; ++k) {
            const int32_t row = params.turned ? k % 3 : k / 3;
            const int32_t column = params.turned ? k / 3 : k % 3;
            const int32_t weight = half_of(own[2 * row + (column == 2)], column);
            sum = wrapping_add(
                sum, weight * between.at(pair, c & 1, y * params.stride - params.pad_top + k / 3,
                                         x * params.stride - params.pad_left + k % 3));
          }
          *output++ = static_cast<int8_t>(clamp(clamp(rescaled(sum, own + 7), INT8_MIN, INT8_MAX),
                                                p.activation_min, p.activation_max));
        }
      }
    }
  }
}

}  // namespace mcugen
