// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/op_args.h>

/// Layers in float: convolution, pooling, normalisation, matrix products; and
/// quantized_decomposed. See ops.h.

namespace mcugen::ops {

void aten___adaptive_avg_pool2d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten___log_softmax_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten___native_batch_norm_legit_no_stats_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten___native_batch_norm_legit_no_training_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten___native_batch_norm_legit_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten___softmax_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__addmm_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__avg_pool2d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bmm_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__convolution_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__embedding_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__linear_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__max_pool2d_with_indices_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__mm_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__native_dropout_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__native_group_norm_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__native_layer_norm_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__upsample_bilinear2d_vec_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__upsample_nearest2d_vec_out(KernelRuntimeContext& ctx, Span<EValue*> args);
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

}  // namespace mcugen::ops
