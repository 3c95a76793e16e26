// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/forms.h>
#include <kernels/requantize.h>
#include <kernels/transpose_conv2d_s8.h>

namespace mcugen {
namespace {

/// @returns the input position that tap `k` brings to output position `out`, or -1 for none.
int32_t source(int32_t out, int32_t k, int32_t pad, int32_t dilation, int32_t stride,
               int32_t in_size) {
  const int32_t at = out + pad - k * dilation;
  if (at < 0 || at % stride != 0 || at / stride >= in_size) {
    return -1;
  }
  return at / stride;
}

}  // namespace

void transpose_conv2d_s8_scalar(const Conv2dS8Params& p, const int8_t* input, const int8_t* weights,
                                const int32_t* bias, int8_t* output) {
  if (!forms::kTransposeScalar) {
    forms::left_out("transpose_conv2d_s8_scalar");
  }
  const int32_t zero_point = p.input_zero_point;
  for (int32_t b = 0; b < p.batch; ++b) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x) {
        const int8_t* w = weights;
        for (int32_t o = 0; o < p.out_ch; ++o) {
          uint32_t acc = bias != nullptr ? static_cast<uint32_t>(bias[o]) : 0;
          for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
            const int32_t y = source(out_y, ky, p.pad_top, p.dilation_h, p.stride_h, p.in_h);
            for (int32_t kx = 0; kx < p.kernel_w; ++kx, w += p.in_ch) {
              const int32_t x = source(out_x, kx, p.pad_left, p.dilation_w, p.stride_w, p.in_w);
              if (y < 0 || x < 0) {
                continue;
              }
              const int8_t* in = input + (y * p.in_w + x) * p.in_ch;
              for (int32_t i = 0; i < p.in_ch; ++i) {
                acc += static_cast<uint32_t>((in[i] - zero_point) * w[i]);
              }
            }
          }
          const int32_t scaled =
              requantize(static_cast<int32_t>(acc), p.multipliers[o], p.shifts[o]);
          *output++ = static_cast<int8_t>(
              clamp(wrapping_add(scaled, p.output_zero_point), p.activation_min, p.activation_max));
        }
      }
    }
    input += p.in_h * p.in_w * p.in_ch;
  }
}

}  // namespace mcugen
