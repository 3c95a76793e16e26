// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/conv2d_s8.h>
#include <kernels/forms.h>
#include <kernels/requantize.h>
#include <kernels/window.h>

namespace mcugen {

void conv2d_s8_scalar(const Conv2dS8Params& p, const int8_t* input, const int8_t* weights,
                      const int32_t* bias, int8_t* output) {
  if (!forms::kConvScalar) {
    forms::left_out("conv2d_s8_scalar");
  }
  const int32_t in_ch = p.in_ch;
  const int32_t zero_point = p.input_zero_point;
  const int32_t group_in_ch = in_ch / p.groups;
  const int32_t group_out_ch = p.out_ch / p.groups;
  const int32_t filter_row = p.kernel_w * group_in_ch;
  // Without groups and dilation a row of taps is contiguous in the image and in the filter.
  const bool rows_are_runs = p.groups == 1 && p.dilation_w == 1;

  for (int32_t b = 0; b < p.batch; ++b) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, p.dilation_h);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x) {
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const TapRange xs = valid_taps(x, p.in_w, p.kernel_w, p.dilation_w);
        const int32_t taps_per_run = rows_are_runs ? xs.end - xs.begin : 1;
        const int32_t run = taps_per_run * group_in_ch;

        const int8_t* filter = weights;
        int32_t group_begin = 0;  // first input channel of the group
        int32_t left_in_group = group_out_ch;
        for (int32_t o = 0; o < p.out_ch; ++o) {
          uint32_t acc = bias != nullptr ? static_cast<uint32_t>(bias[o]) : 0;
          for (int32_t ky = ys.begin; ky < ys.end; ++ky) {
            const int8_t* in_row = input + (y + ky * p.dilation_h) * p.in_w * in_ch + group_begin;
            const int8_t* filter_taps = filter + ky * filter_row;
            for (int32_t kx = xs.begin; kx < xs.end; kx += taps_per_run) {
              const int8_t* in = in_row + (x + kx * p.dilation_w) * in_ch;
              const int8_t* w = filter_taps + kx * group_in_ch;
              for (const int8_t* const end = w + run; w != end; ++in, ++w) {
                acc += static_cast<uint32_t>((*in - zero_point) * *w);
              }
            }
          }
          const int32_t scaled =
              requantize(static_cast<int32_t>(acc), p.multipliers[o], p.shifts[o]);
          *output++ = static_cast<int8_t>(
              clamp(wrapping_add(scaled, p.output_zero_point), p.activation_min, p.activation_max));
          filter += p.kernel_h * filter_row;
          if (--left_in_group == 0) {
            group_begin += group_in_ch;
            left_in_group = group_out_ch;
          }
        }
      }
    }
    input += p.in_h * p.in_w * in_ch;
  }
}

}  // namespace mcugen
