// SPDX-License-Identifier: BSD-3-Clause

// The loop is short, and pools of whole images spend much time in it.
#pragma GCC optimize("O2")

#include <kernels/pool2d_s8.h>
#include <kernels/window.h>

namespace mcugen {
namespace {

constexpr int32_t kChannels = 4;

/// @returns whether channels that are no multiple of four, of which some are done twice, are so
///     many more, and windows so small, that the scalar form is quicker.
bool few_taps_twice(const Pool2dS8Params& p) {
  const int32_t taps = p.kernel_h * p.kernel_w;
  const int32_t twice = -p.channels & (kChannels - 1);
  return twice != 0 && (taps == 1 || (taps <= 5 && 3 * twice >= p.channels));
}

}  // namespace

void avg_pool2d_s8_mla(const Pool2dS8Params& p, const int8_t* input, int8_t* output) {
  if (p.channels < kChannels || few_taps_twice(p)) {
    avg_pool2d_s8_scalar(p, input, output);
    return;
  }
  const int32_t channels = p.channels;
  const int32_t row = p.in_w * channels;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * row) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, 1);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x, output += channels) {
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const TapRange xs = valid_taps(x, p.in_w, p.kernel_w, 1);
        const int32_t count = (ys.end - ys.begin) * (xs.end - xs.begin);
        for (int32_t c = 0; c < channels; c += kChannels) {
          if (c + kChannels > channels) {
            c = channels - kChannels;  // some of them once more
          }
          int32_t sums[kChannels] = {0, 0, 0, 0};
          const int8_t* in_row = input + (y + ys.begin) * row + (x + xs.begin) * channels + c;
          for (int32_t ky = ys.begin; ky < ys.end; ++ky, in_row += row) {
            const int8_t* in = in_row;
            for (int32_t kx = xs.begin; kx < xs.end; ++kx, in += channels) {
              sums[0] += in[0];
              sums[1] += in[1];
              sums[2] += in[2];
              sums[3] += in[3];
            }
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
