// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

/// Operators on quantized tensors: ExecuTorch's Cortex-M library and quantized_decomposed. See
/// ops.h.

namespace mcugen::ops {

void cortex_m__dequantize_per_tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__pad_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantize_per_tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_activation_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_add_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_avg_pool2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_avg_pool2d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_batch_matmul_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_conv2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_conv2d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_depthwise_conv2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_depthwise_conv2d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_div_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_linear_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_max_pool2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_max_pool2d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_mul_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_transpose_conv2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__quantized_transpose_conv2d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__softmax_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void quantized_decomposed__dequantize_per_channel_out(KernelRuntimeContext& ctx,
                                                      Span<EValue*> args);
void quantized_decomposed__dequantize_per_tensor_Tensor_out(KernelRuntimeContext& ctx,
                                                            Span<EValue*> args);
void quantized_decomposed__dequantize_per_tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void quantized_decomposed__dequantize_per_token_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void quantized_decomposed__embedding_2bit_dtype_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void quantized_decomposed__embedding_2bit_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void quantized_decomposed__embedding_4bit_dtype_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void quantized_decomposed__embedding_4bit_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void quantized_decomposed__embedding_byte_dtype_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void quantized_decomposed__embedding_byte_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void quantized_decomposed__quantize_per_channel_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void quantized_decomposed__quantize_per_tensor_Tensor_out(KernelRuntimeContext& ctx,
                                                          Span<EValue*> args);
void quantized_decomposed__quantize_per_tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void quantized_decomposed__quantize_per_token_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__conv2d_in_place_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__conv2d_in_place_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__depthwise_conv2d_in_place_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__depthwise_conv2d_in_place_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__quantized_group_norm_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__quantized_layer_norm_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__quantized_linear_out(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
