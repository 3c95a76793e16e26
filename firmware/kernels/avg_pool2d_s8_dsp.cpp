// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/forms.h>
#include <kernels/loops_dsp.h>
#include <kernels/pool2d_s8.h>
#include <kernels/window.h>

namespace mcugen {
namespace {

constexpr int32_t kChannels = 4;
/// Sums of 16 bits hold for so many pixels.
constexpr int32_t kMostPixels = 256;

}  // namespace

void avg_pool2d_s8_dsp(const Pool2dS8Params& p, const int8_t* input, int8_t* output) {
  if (!forms::kAvgPoolRows || p.channels < kChannels || p.kernel_w > kMostPixels) {
    avg_pool2d_s8_scalar(p, input, output);
    return;
  }
  const int32_t row = p.in_w * p.channels;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * row) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, 1);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x, output += p.channels) {
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const TapRange xs = valid_taps(x, p.in_w, p.kernel_w, 1);
        const int32_t pixels = xs.end - xs.begin;
        const int32_t count = (ys.end - ys.begin) * pixels;
        const int32_t most_rows = kMostPixels / pixels;
        for (int32_t c = 0; c < p.channels; c += kChannels) {
          if (c + kChannels > p.channels) {
            c = p.channels - kChannels;  // some of them once more
          }
          int32_t sums[kChannels] = {0, 0, 0, 0};
          const int8_t* in = input + (y + ys.begin) * row + (x + xs.begin) * p.channels + c;
          for (int32_t ky = ys.begin; ky < ys.end; ky += most_rows, in += most_rows * row) {
            const int32_t rows = ys.end - ky < most_rows ? ys.end - ky : most_rows;
            mcugen_dsp_sum_four(in, pixels, rows, p.channels, row - pixels * p.channels, sums);
          }
          for (int32_t i = 0; i < kChannels; ++i) {
            // Division truncates, so half of the count away from zero rounds as wanted.
            const int32_t sum = sums[i] + (sums[i] > 0 ? count / 2 : -(count / 2));
            output[c + i] = static_cast<int8_t>(sum / count);
          }
        }
      }
    }
  }
}

}  // namespace mcugen
