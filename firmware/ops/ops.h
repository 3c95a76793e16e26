// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/op_args.h>

/// Every operator of the firmware, as ExecuTorch calls it: the arguments of the operator's schema
/// in order, `out`, and `out` once more for the return value. The name is the schema's with `::`
/// and `.` replaced by `__` and `_`. Each checks all its arguments before it writes anything; a
/// bad one is logged and set as the context's failure (InvalidArgument).
/// The generated operator table names the ones a model uses; the linker drops the rest.

namespace mcugen::ops {

void aten__clamp_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__clone_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__hardtanh_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__maximum_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__minimum_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__permute_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__relu_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__view_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
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
void dim_order_ops___clone_dim_order_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void dim_order_ops___to_dim_order_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
