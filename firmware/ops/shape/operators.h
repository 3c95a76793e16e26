// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

/// Views, copies and creation of tensors. See ops.h.

namespace mcugen::ops {

void cortex_m__transpose_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten___to_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__alias_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__arange_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__arange_start_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__as_strided_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__cat_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__clone_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__constant_pad_nd_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__copy_(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__detach_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__diagonal_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__empty_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__expand_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__fill_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__fill_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__flip_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__full_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__full_like_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__lift_fresh_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__narrow_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__ones_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__permute_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__pixel_shuffle_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__pixel_unshuffle_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__reflection_pad1d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__reflection_pad2d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__reflection_pad3d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__repeat_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__replication_pad1d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__replication_pad2d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__replication_pad3d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__roll_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__scalar_tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__select_copy_int_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__select_scatter_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__slice_copy_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__slice_scatter_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__split_copy_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__split_with_sizes_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__squeeze_copy_dim_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__squeeze_copy_dims_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__stack_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__t_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__transpose_copy_int_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__tril_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__unbind_copy_int_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__unfold_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__unsqueeze_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__view_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__zeros_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void dim_order_ops___clone_dim_order_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void dim_order_ops___empty_dim_order_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void dim_order_ops___to_dim_order_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
