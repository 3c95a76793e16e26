// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/forms.h>
#include <kernels/pool2d_s8.h>
#include <kernels/requantize.h>
#include <kernels/window.h>

namespace mcugen {

void max_pool2d_s8_scalar(const Pool2dS8Params& p, const int8_t* input, int8_t* output) {
  if (!forms::kMaxPoolScalar) {
    forms::left_out("max_pool2d_s8_scalar");
  }
  const int32_t row = p.in_w * p.channels;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * row) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, 1);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x) {
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const TapRange xs = valid_taps(x, p.in_w, p.kernel_w, 1);
        const int32_t first = (y + ys.begin) * row + (x + xs.begin) * p.channels;
        for (int32_t c = 0; c < p.channels; ++c) {
          int32_t max = INT8_MIN;
          const int8_t* in_row = input + first + c;
          for (int32_t ky = ys.begin; ky < ys.end; ++ky, in_row += row) {
            const int8_t* in = in_row;
            for (int32_t kx = xs.begin; kx < xs.end; ++kx, in += p.channels) {
              max = *in > max ? *in : max;
            }
          }
          *output++ = static_cast<int8_t>(clamp(max, p.activation_min, p.activation_max));
        }
      }
    }
  }
}

}  // namespace mcugen
