// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/op_args.h>

/// The operators of ExecuTorch's Cortex-M library. See ops.h.

namespace mcugen::ops {

void cortex_m__dequantize_per_tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__maximum_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__minimum_out(KernelRuntimeContext& ctx, Span<EValue*> args);
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
void cortex_m__transpose_out(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
