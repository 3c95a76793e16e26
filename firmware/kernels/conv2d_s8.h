// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

namespace mcugen {

/// 2-D convolution, NHWC, with groups and dilation:
///   output[b, y, x, o] = clamp(requantize(acc) + output_zero_point),
///   acc = bias[o] + sum over taps inside the image of (input - input_zero_point) * weights.
///
/// @param[in] input int8[batch, in_h, in_w, in_ch].
/// @param[in] weights int8[out_ch, kernel_h, kernel_w, in_ch / groups], zero point 0.
/// @param[in] bias int32[out_ch], or null for none.
/// @param[out] output int8[batch, out_h, out_w, out_ch]; must not overlap the inputs.
///
/// The accumulator wraps at 32 bits. No alignment is needed, no scratch memory.
/// Cost: batch * out_h * out_w * out_ch * kernel_h * kernel_w * in_ch / groups MACs.
[[gnu::noinline]] void conv2d_s8_scalar(const Conv2dS8Params& params, const int8_t* input,
                                        const int8_t* weights, const int32_t* bias, int8_t* output);

/// The same by SMLAD, two pixels and two output channels at a time: inputs are widened to 16 bits
/// less their zero point, weights to 16 bits, some times 2^8, both in `params.scratch`. 3x3
/// convolutions of stride 1 go by Winograd's algorithm where winograd_s8() takes them. Takes
/// the scalar form for fewer than two output channels per group, for a shift above -1, for a
/// multiplier below 2^30 other than 0, and where the scratch is smaller than
/// convolve_s8_scratch(params, 2).
void conv2d_s8_dsp(const Conv2dS8Params& params, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output);

/// The same for cores without the DSP extension, two taps by one multiplication: McugenMlaTiles. On
/// Armv7-M, 3x3 convolutions of stride 1 go by Winograd's algorithm where winograd_s8_mla() takes
/// them. Takes the scalar form where the scratch is smaller than convolve_s8_mla_scratch(params,
/// 2), and on Armv7-M for fewer than two output channels per group.
void conv2d_s8_mla(const Conv2dS8Params& params, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output);

/// The same by Helium. Needs `params.scratch`, and is the faster the more there is, up to
/// MveConvPlan::scratch_bytes(INT32_MAX). Takes the scalar form for fewer than four output channels
/// per group, for a shift above -1, and where the scratch is too small.
void conv2d_s8_mve(const Conv2dS8Params& params, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output);

}  // namespace mcugen
