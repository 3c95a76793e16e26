// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#if !defined(MCUGEN_SMALL_KERNELS)
#pragma GCC optimize("O2")
#endif

#include <kernels/conv2d_s8.h>
#include <kernels/conv_choice_dsp.h>
#include <kernels/forms.h>
#include <kernels/im2col_s8_dsp.h>
#include <kernels/winograd_s8_dsp.h>

namespace mcugen {
namespace {

/// By a matrix product, or as the scalar form. A function of its own, so that its stack is not held
/// while winograd_s8() runs.
__attribute__((noinline)) void multiply(const Conv2dS8Params& p, const int8_t* input,
                                        const int8_t* weights, const int32_t* bias,
                                        int8_t* output) {
  const int32_t taps = p.kernel_h * p.kernel_w * (p.in_ch / p.groups);
  if (p.out_ch / p.groups < 2 || !convolve_s8(p, input, weights, taps, 1, bias, output)) {
    conv2d_s8_scalar(p, input, weights, bias, output);
  }
}

}  // namespace

void conv2d_s8_dsp(const Conv2dS8Params& p, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output) {
  if (forms::kConvScalar && scalar_conv_is_quicker_dsp(p, false)) {
    conv2d_s8_scalar(p, input, weights, bias, output);
    return;
  }
  if (!winograd_s8(p, input, weights, bias, output)) {
    multiply(p, input, weights, bias, output);
  }
}

}  // namespace mcugen
