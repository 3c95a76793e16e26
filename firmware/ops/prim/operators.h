// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

/// Symbolic arithmetic: executorch_prim, aten::sym_size and the like. See ops.h.

namespace mcugen::ops {

void aten___local_scalar_dense(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__sym_numel(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__sym_size_int(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__add_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__ceil_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__eq_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__et_copy_index_tensor(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__et_view_default(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__floordiv_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__floordiv_int(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__ge_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__gt_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__le_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__lt_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__mod_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__mod_int(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__mul_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__neg_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__round_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__sub_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__sym_float_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__sym_int_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__sym_ite_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__sym_max_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__sym_min_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__sym_not_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__truediv_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);
void executorch_prim__trunc_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
