// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/op_args.h>

/// Views, copies, indexing and creation of tensors. See ops.h.

namespace mcugen::ops {

void aten__clone_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__permute_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__view_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void dim_order_ops___clone_dim_order_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void dim_order_ops___to_dim_order_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
