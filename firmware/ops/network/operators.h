// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

/// Layers in float: convolution, pooling, normalisation, matrix products. See ops.h.

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

}  // namespace mcugen::ops
