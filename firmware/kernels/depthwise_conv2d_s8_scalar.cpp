// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/depthwise_conv2d_s8.h>
#include <kernels/forms.h>
#include <kernels/requantize.h>
#include <kernels/window.h>

namespace mcugen {

void depthwise_conv2d_s8_scalar(const DepthwiseConv2dS8Params& p, const int8_t* input,
                                const int8_t* weights, const int32_t* bias, int8_t* output) {
  if (!forms::kDepthwiseScalar) {
    forms::left_out("depthwise_conv2d_s8_scalar");
  }
  const int32_t in_ch = p.in_ch;
  const int32_t out_ch = in_ch * p.depth_multiplier;
  const int32_t zero_point = p.input_zero_point;
  // Exact wherever two taps fit the image; a step that none takes may be anything.
  const int32_t in_tap = wrapping_mul(p.dilation_w, in_ch);
  const int32_t in_row = wrapping_mul(p.dilation_h, p.in_w * in_ch);
  const int32_t filter_row = p.kernel_w * out_ch;

  for (int32_t b = 0; b < p.batch; ++b) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, p.dilation_h);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x) {
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const TapRange xs = valid_taps(x, p.in_w, p.kernel_w, p.dilation_w);
        const bool outside = ys.begin == ys.end || xs.begin == xs.end;
        const int32_t first_y = y + ys.begin * p.dilation_h;
        const int32_t first_x = x + xs.begin * p.dilation_w;
        const int32_t first_in = outside ? 0 : (first_y * p.in_w + first_x) * in_ch;
        const int32_t first_weight = ys.begin * filter_row + xs.begin * out_ch;

        int32_t i = 0;
        int32_t m = 0;
        for (int32_t o = 0; o < out_ch; ++o) {
          uint32_t acc = bias != nullptr ? static_cast<uint32_t>(bias[o]) : 0;
          int32_t in_at = first_in + i;
          int32_t weight_at = first_weight + o;
          for (int32_t ky = ys.begin; ky < ys.end; ++ky) {
            const int8_t* in = input + in_at;
            const int8_t* w = weights + weight_at;
            for (int32_t taps = xs.end - xs.begin; taps > 0; --taps) {
              acc += static_cast<uint32_t>((*in - zero_point) * *w);
              in += in_tap;
              w += out_ch;
            }
            in_at = wrapping_add(in_at, in_row);
            weight_at += filter_row;
          }
          const int32_t scaled =
              requantize(static_cast<int32_t>(acc), p.multipliers[o], p.shifts[o]);
          *output++ = static_cast<int8_t>(
              clamp(wrapping_add(scaled, p.output_zero_point), p.activation_min, p.activation_max));
          if (++m == p.depth_multiplier) {
            m = 0;
            ++i;
          }
        }
      }
    }
    input += p.in_h * p.in_w * in_ch;
  }
}

}  // namespace mcugen
