// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/conv2d_s8.h>
#include <kernels/conv_choice_mla.h>
#include <kernels/forms.h>
#include <kernels/gemm_s8_mla.h>
#include <kernels/im2col_s8_mla.h>
#include <kernels/winograd_s8_mla.h>

namespace mcugen {
namespace {

/// By a matrix product, or as the scalar form. A function of its own, so that its stack is not held
/// while winograd_s8_mla() runs.
__attribute__((noinline)) void multiply(const Conv2dS8Params& p, const int8_t* input,
                                        const int8_t* weights, const int32_t* bias,
                                        int8_t* output) {
  GemmS8MlaLayer layer;
  layer.taps = p.kernel_h * p.kernel_w * (p.in_ch / p.groups);
  layer.weights = weights;
  layer.channel_step = layer.taps;
  layer.tap_step = 1;
  layer.bias = bias;
  layer.multipliers = p.multipliers;
  layer.shifts = p.shifts;
  layer.input_zero_point = p.input_zero_point;
  layer.output_zero_point = p.output_zero_point;
  layer.activation_min = p.activation_min;
  layer.out_step = p.out_ch;
  if (!convolve_s8_mla(p, layer, input, output)) {
    conv2d_s8_scalar(p, input, weights, bias, output);
  }
}

}  // namespace

void conv2d_s8_mla(const Conv2dS8Params& p, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output) {
  if (scalar_conv_is_quicker_mla(p, false)) {
    conv2d_s8_scalar(p, input, weights, bias, output);
    return;
  }
#if MCUGEN_MLA_CHANNELS == 2
  if (winograd_s8_mla(p, input, weights, bias, output)) {
    return;
  }
#endif
  multiply(p, input, weights, bias, output);
}

}  // namespace mcugen
