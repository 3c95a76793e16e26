// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

namespace mcugen {

/// Transposed 2-D convolution, NHWC: input pixel (y, x) adds to output pixels
/// (y * stride - pad + k * dilation). The parameters are those of conv2d_s8, with in_* and out_*
/// as the operator sees them; groups is 1.
///
/// @param[in] input int8[batch, in_h, in_w, in_ch].
/// @param[in] weights int8[out_ch, kernel_h, kernel_w, in_ch], zero point 0.
/// @param[in] bias int32[out_ch], or null for none.
/// @param[out] output int8[batch, out_h, out_w, out_ch]; must not overlap the inputs.
///
/// Computed output by output, so no accumulator image is needed. Rounding as conv2d_s8.
void transpose_conv2d_s8_scalar(const Conv2dS8Params& params, const int8_t* input,
                                const int8_t* weights, const int32_t* bias, int8_t* output);

/// The same, four output channels at a time, or one of fewer than four. With and without the DSP
/// extension it takes the scalar form for fewer than four input channels.
void transpose_conv2d_s8_dsp(const Conv2dS8Params& params, const int8_t* input,
                             const int8_t* weights, const int32_t* bias, int8_t* output);
void transpose_conv2d_s8_mla(const Conv2dS8Params& params, const int8_t* input,
                             const int8_t* weights, const int32_t* bias, int8_t* output);
void transpose_conv2d_s8_mve(const Conv2dS8Params& params, const int8_t* input,
                             const int8_t* weights, const int32_t* bias, int8_t* output);

}  // namespace mcugen
