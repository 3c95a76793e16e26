// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

/// Reductions and running sums. See ops.h.

namespace mcugen::ops {

void aten__amax_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__amin_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__any_all_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__any_dims_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__any_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__argmax_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__argmin_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__cumsum_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__max_dim_max(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__max_unary_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__mean_dtype_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__mean_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__min_dim_min(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__min_unary_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__prod_int_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__prod_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__sum_IntList_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__var_correction_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__var_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__var_mean_correction_out(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
