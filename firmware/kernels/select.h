// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/clamp_s8.h>
#include <kernels/conv2d_f32.h>
#include <kernels/conv2d_s8.h>
#include <kernels/depthwise_conv2d_s8.h>
#include <kernels/elementwise_s8.h>
#include <kernels/gather.h>
#include <kernels/limit.h>
#include <kernels/linear_s8.h>
#include <kernels/matmul_f32.h>
#include <kernels/norm_s8.h>
#include <kernels/packed_linear_s8.h>
#include <kernels/pad_s8.h>
#include <kernels/pool2d_f32.h>
#include <kernels/pool2d_s8.h>
#include <kernels/quantize.h>
#include <kernels/quantize_f32.h>
#include <kernels/recurrent_s8.h>
#include <kernels/scaled_add_s8.h>
#include <kernels/softmax_f32.h>
#include <kernels/softmax_s8.h>
#include <kernels/transpose_conv2d_s8.h>
#include <kernels/upsample2d_f32.h>

/// The variant of each kernel that operators call. Tests call variants by their own names.

namespace mcugen {

// What has forms for instruction sets of its own, each equal to the scalar one bit for bit.
#if defined(__ARM_FEATURE_MVE)
inline constexpr auto& scaled_add_s8 = scaled_add_s8_mve;
inline constexpr auto& packed_linear_s8 = packed_linear_s8_scalar;
inline constexpr auto& avg_pool2d_s8 = avg_pool2d_s8_mve;
inline constexpr auto& linear_s8 = linear_s8_mve;
inline constexpr auto& add_s8 = add_s8_mve;
inline constexpr auto& conv2d_s8 = conv2d_s8_mve;
inline constexpr auto& depthwise_conv2d_s8 = depthwise_conv2d_s8_mve;
#elif defined(__ARM_FEATURE_DSP)
inline constexpr auto& scaled_add_s8 = scaled_add_s8_dsp;
inline constexpr auto& packed_linear_s8 = packed_linear_s8_dsp;
inline constexpr auto& avg_pool2d_s8 = avg_pool2d_s8_dsp;
inline constexpr auto& linear_s8 = linear_s8_dsp;
inline constexpr auto& add_s8 = add_s8_dsp;
inline constexpr auto& conv2d_s8 = conv2d_s8_dsp;
inline constexpr auto& depthwise_conv2d_s8 = depthwise_conv2d_s8_dsp;
#elif defined(__arm__)
inline constexpr auto& scaled_add_s8 = scaled_add_s8_scalar;
inline constexpr auto& packed_linear_s8 = packed_linear_s8_scalar;
inline constexpr auto& avg_pool2d_s8 = avg_pool2d_s8_mla;
inline constexpr auto& linear_s8 = linear_s8_mla;
inline constexpr auto& add_s8 = add_s8_mla;
inline constexpr auto& conv2d_s8 = conv2d_s8_mla;
inline constexpr auto& depthwise_conv2d_s8 = depthwise_conv2d_s8_mla;
#else
inline constexpr auto& scaled_add_s8 = scaled_add_s8_scalar;
inline constexpr auto& packed_linear_s8 = packed_linear_s8_scalar;
inline constexpr auto& avg_pool2d_s8 = avg_pool2d_s8_scalar;
inline constexpr auto& linear_s8 = linear_s8_scalar;
inline constexpr auto& add_s8 = add_s8_scalar;
inline constexpr auto& conv2d_s8 = conv2d_s8_scalar;
inline constexpr auto& depthwise_conv2d_s8 = depthwise_conv2d_s8_scalar;
#endif

#if defined(__ARM_FEATURE_MVE)
inline constexpr auto& gather = gather_mve;
inline constexpr auto& pad_s8 = pad_s8_mve;
inline constexpr auto& max_pool2d_s8 = max_pool2d_s8_mve;
inline constexpr auto& mul_s8 = mul_s8_mve;
#else
inline constexpr auto& gather = gather_scalar;
inline constexpr auto& pad_s8 = pad_s8_scalar;
inline constexpr auto& max_pool2d_s8 = max_pool2d_s8_scalar;
inline constexpr auto& mul_s8 = mul_s8_scalar;
#endif

inline constexpr auto& clamp_f32 = clamp_f32_scalar;
inline constexpr auto& clamp_s8 = clamp_s8_scalar;
inline constexpr auto& conv2d_f32 = conv2d_f32_scalar;
inline constexpr auto& dequantize_s16_f32 = dequantize_s16_f32_scalar;
inline constexpr auto& dequantize_f32 = dequantize_f32_scalar;
inline constexpr auto& dequantize_s8_f32 = dequantize_s8_f32_scalar;
inline constexpr auto& div_s16 = div_s16_scalar;
inline constexpr auto& div_s8 = div_s8_scalar;
inline constexpr auto& gru_s8 = gru_s8_scalar;
inline constexpr auto& log_softmax_f32 = log_softmax_f32_scalar;
inline constexpr auto& lookup_s8 = lookup_s8_scalar;
inline constexpr auto& lstm_s8 = lstm_s8_scalar;
inline constexpr auto& matmul_f32 = matmul_f32_scalar;
inline constexpr auto& maximum_f32 = maximum_f32_scalar;
inline constexpr auto& maximum_s32 = maximum_s32_scalar;
inline constexpr auto& maximum_s8 = maximum_s8_scalar;
inline constexpr auto& minimum_f32 = minimum_f32_scalar;
inline constexpr auto& minimum_s32 = minimum_s32_scalar;
inline constexpr auto& minimum_s8 = minimum_s8_scalar;
inline constexpr auto& norm_s8 = norm_s8_scalar;
inline constexpr auto& quantize_f32_s16 = quantize_f32_s16_scalar;
inline constexpr auto& quantize_f32 = quantize_f32_scalar;
inline constexpr auto& quantize_f32_s8 = quantize_f32_s8_scalar;
inline constexpr auto& rnn_s8 = rnn_s8_scalar;
inline constexpr auto& softmax_f32 = softmax_f32_scalar;
inline constexpr auto& softmax_s8 = softmax_s8_scalar;
inline constexpr auto& sum_window_f32 = sum_window_f32_scalar;
inline constexpr auto& transpose_conv2d_f32 = transpose_conv2d_f32_scalar;
inline constexpr auto& transpose_conv2d_s8 = transpose_conv2d_s8_scalar;
inline constexpr auto& upsample_bilinear2d_f32 = upsample_bilinear2d_f32_scalar;

}  // namespace mcugen
