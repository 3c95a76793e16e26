// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

/// Operators that choose elements by indices, masks or values. See ops.h.

namespace mcugen::ops {

void aten__gather_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__index_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__index_put_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__index_put_(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__index_select_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__masked_select_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__nonzero_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__repeat_interleave_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__scatter_src_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__scatter_value_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__scatter_add_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__topk_values(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
