// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/clamp_s8.h>
#include <kernels/conv2d_f32.h>
#include <kernels/conv2d_s8.h>
#include <kernels/conv2d_scratch_s8.h>
#include <kernels/depthwise_conv2d_s8.h>
#include <kernels/depthwise_scratch_s8.h>
#include <kernels/elementwise_s8.h>
#include <kernels/gather.h>
#include <kernels/limit.h>
#include <kernels/linear_s8.h>
#include <kernels/matmul_f32.h>
#include <kernels/norm_s8.h>
#include <kernels/packed_conv2d_s8.h>
#include <kernels/packed_conv_depthwise_s8.h>
#include <kernels/packed_linear_blocks_s8.h>
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

/// The variant of each kernel that operators call, equal to the scalar one bit for bit. Tests call
/// variants by their own names.

// One of three: on Arm cores without and with the DSP extension, and with Helium. Elsewhere it is
// the scalar one.
#if defined(__ARM_FEATURE_MVE)
#define MCUGEN_KERNEL(name, mla, dsp, mve) inline constexpr auto& name = name##_##mve
#elif defined(__ARM_FEATURE_DSP)
#define MCUGEN_KERNEL(name, mla, dsp, mve) inline constexpr auto& name = name##_##dsp
#elif defined(__arm__)
#define MCUGEN_KERNEL(name, mla, dsp, mve) inline constexpr auto& name = name##_##mla
#else
#define MCUGEN_KERNEL(name, mla, dsp, mve) inline constexpr auto& name = name##_scalar
#endif

namespace mcugen {

MCUGEN_KERNEL(add_s8, mla, dsp, mve);
MCUGEN_KERNEL(avg_pool2d_s8, mla, dsp, mve);
MCUGEN_KERNEL(clamp_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(clamp_s8, scalar, dsp, mve);
MCUGEN_KERNEL(conv2d_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(conv2d_s8, mla, dsp, mve);
MCUGEN_KERNEL(conv2d_s8_scratch, mla, dsp, mve);
MCUGEN_KERNEL(depthwise_conv2d_s8, mla, dsp, mve);
MCUGEN_KERNEL(depthwise_conv2d_s8_scratch, mla, dsp, mve);
MCUGEN_KERNEL(dequantize_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(dequantize_s16_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(dequantize_s8_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(div_s16, scalar, scalar, scalar);
MCUGEN_KERNEL(div_s8, scalar, scalar, scalar);
MCUGEN_KERNEL(gather, scalar, scalar, mve);
MCUGEN_KERNEL(gru_s8, scalar, scalar, scalar);
MCUGEN_KERNEL(linear_s8, mla, dsp, mve);
MCUGEN_KERNEL(log_softmax_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(lookup_s8, scalar, scalar, mve);
MCUGEN_KERNEL(lstm_s8, scalar, scalar, scalar);
MCUGEN_KERNEL(matmul_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(max_pool2d_s8, mla, dsp, mve);
MCUGEN_KERNEL(maximum_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(maximum_s32, scalar, scalar, scalar);
MCUGEN_KERNEL(maximum_s8, scalar, dsp, mve);
MCUGEN_KERNEL(minimum_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(minimum_s32, scalar, scalar, scalar);
MCUGEN_KERNEL(minimum_s8, scalar, dsp, mve);
MCUGEN_KERNEL(mul_s8, mla, dsp, mve);
MCUGEN_KERNEL(norm_s8, scalar, scalar, scalar);
MCUGEN_KERNEL(packed_conv2d_s8, scalar, dsp, scalar);
MCUGEN_KERNEL(packed_conv_depthwise_s8, scalar, dsp, scalar);
MCUGEN_KERNEL(packed_linear_4x4_s8, mla, scalar, scalar);
MCUGEN_KERNEL(packed_linear_8x16_s8, scalar, scalar, mve);
MCUGEN_KERNEL(packed_linear_5x4_s8, scalar, dsp, scalar);
MCUGEN_KERNEL(packed_linear_s8, scalar, dsp, scalar);
MCUGEN_KERNEL(pad_s8, scalar, scalar, mve);
MCUGEN_KERNEL(quantize_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(quantize_f32_s16, scalar, scalar, scalar);
MCUGEN_KERNEL(quantize_f32_s8, scalar, scalar, scalar);
MCUGEN_KERNEL(rnn_s8, scalar, scalar, scalar);
MCUGEN_KERNEL(scaled_add_s8, scalar, dsp, mve);
MCUGEN_KERNEL(softmax_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(softmax_s8, scalar, scalar, scalar);
MCUGEN_KERNEL(strided_copy, scalar, scalar, scalar);
MCUGEN_KERNEL(sum_window_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(transpose_conv2d_f32, scalar, scalar, scalar);
MCUGEN_KERNEL(transpose_conv2d_s8, mla, dsp, mve);
MCUGEN_KERNEL(upsample_bilinear2d_f32, scalar, scalar, scalar);

}  // namespace mcugen

#undef MCUGEN_KERNEL
