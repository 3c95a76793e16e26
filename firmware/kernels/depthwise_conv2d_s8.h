// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

namespace mcugen {

/// groups is in_ch, and out_ch = in_ch * depth_multiplier.
struct DepthwiseConv2dS8Params : Conv2dS8Params {
  int32_t depth_multiplier;
};

/// @returns the same with a single input channel as a convolution, whose weights lie one output
///     channel beside the other.
inline Conv2dS8Params as_conv2d(const DepthwiseConv2dS8Params& p) {
  Conv2dS8Params conv = p;
  conv.in_ch = conv.groups = 1;
  conv.out_ch = p.depth_multiplier;
  return conv;
}

/// The same convolution with rows for columns.
inline DepthwiseConv2dS8Params transposed(const DepthwiseConv2dS8Params& p) {
  DepthwiseConv2dS8Params t = p;
  t.in_h = p.in_w;
  t.in_w = p.in_h;
  t.out_h = p.out_w;
  t.out_w = p.out_h;
  t.kernel_h = p.kernel_w;
  t.kernel_w = p.kernel_h;
  t.stride_h = p.stride_w;
  t.stride_w = p.stride_h;
  t.pad_top = p.pad_left;
  t.pad_left = p.pad_top;
  t.dilation_h = p.dilation_w;
  t.dilation_w = p.dilation_h;
  return t;
}

/// Depthwise 2-D convolution, NHWC: output channel i * depth_multiplier + m sees input channel i.
///
/// @param[in] input int8[batch, in_h, in_w, in_ch].
/// @param[in] weights int8[1, kernel_h, kernel_w, out_ch], zero point 0.
/// @param[in] bias int32[out_ch], or null for none.
/// @param[out] output int8[batch, out_h, out_w, out_ch]; must not overlap the inputs.
///
/// Padding, accumulator and rounding as conv2d_s8. Cost: batch * out_h * out_w * out_ch * kernel_h
/// * kernel_w MACs.
[[gnu::noinline]] void depthwise_conv2d_s8_scalar(const DepthwiseConv2dS8Params& params,
                                                  const int8_t* input, const int8_t* weights,
                                                  const int32_t* bias, int8_t* output);

/// The same by SMLAD. 3x3 windows run over channel planes of 16 bits with a border in
/// `params.scratch`, others over four channels at a time.
void depthwise_conv2d_s8_dsp(const DepthwiseConv2dS8Params& params, const int8_t* input,
                             const int8_t* weights, const int32_t* bias, int8_t* output);

/// The same for cores without the DSP extension, over planes of one channel in words, with a
/// border, in `params.scratch`; with one input channel and several outputs as conv2d_s8_mla. Takes
/// the scalar form where the scratch is smaller than depthwise_conv2d_s8_mla_scratch(params, 1).
void depthwise_conv2d_s8_mla(const DepthwiseConv2dS8Params& params, const int8_t* input,
                             const int8_t* weights, const int32_t* bias, int8_t* output);

/// @returns the bytes of scratch with which depthwise_conv2d_s8_mla() works on `rows` rows of the
///     output at a time; out_h is best. With one input channel and several outputs see
///     convolve_s8_mla_scratch().
uint32_t depthwise_conv2d_s8_mla_scratch(const DepthwiseConv2dS8Params& params, int32_t rows);

/// The same by Helium. 3x3 windows of stride 1 or 2 run over planes of one channel with a border in
/// `params.scratch`; a single input channel is a convolution, whose weights are laid out there;
/// else four channels at a time. Takes the scalar form for a shift above -1.
void depthwise_conv2d_s8_mve(const DepthwiseConv2dS8Params& params, const int8_t* input,
                             const int8_t* weights, const int32_t* bias, int8_t* output);

}  // namespace mcugen
