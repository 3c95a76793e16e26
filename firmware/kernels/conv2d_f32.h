// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/image.h>

namespace mcugen {

struct Conv2dF32Params {
  Image input;
  Image weights;  ///< n, c: out and in channels (transposed: in and out), those of one group.
  Image output;
  int32_t groups;  ///< Divides input.c and output.c.
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left;
  int32_t dilation_h, dilation_w;
};

/// 2-D convolution in float, with groups and dilation, any layout:
///   output[b, o, y, x] = bias[o] + sum over rows, columns, channels of the taps inside the image
///                        of input * weights,
/// added up in float in that order, so the same bits on every CPU (-ffp-contract=off).
///
/// @param[in] weights [output.c, input.c / groups, kernel_h, kernel_w].
/// @param[in] bias float[output.c], or null for zeros.
/// @param[out] output Must not overlap the inputs.
/// Cost: output elements * kernel_h * kernel_w * input.c / groups MACs.
void conv2d_f32_scalar(const Conv2dF32Params& params, const float* input, const float* weights,
                       const float* bias, float* output);

/// 2-D transposed convolution, the same way, each output element gathered from the input pixels
/// that reach it: those with y + pad_top = in_y * stride_h + tap_y * dilation_h.
///
/// @param[in] weights [input.c, output.c / groups, kernel_h, kernel_w].
void transpose_conv2d_f32_scalar(const Conv2dF32Params& params, const float* input,
                                 const float* weights, const float* bias, float* output);

}  // namespace mcugen
