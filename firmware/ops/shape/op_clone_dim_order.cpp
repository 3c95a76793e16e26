// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <ops/common/strided_loop.h>
#include <ops/shape/operators.h>

namespace mcugen::ops {
namespace {

/// (Tensor self, *, bool non_blocking, int[]? dim_order, Tensor(a!) out): the output's memory order
/// is the tensor's own; the list only repeats it.
void copy_to_dim_order(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op) {
  OpArgs args(ctx, arguments, op, 4);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(3);
  args.boolean(1);
  args.repeats_order(2, out);
  // Not OpArgs::resize_as(): many an image would need it for nothing else. Where `out` cannot have
  // the shape, copy_elements() says so.
  if (args.ok() && out->shape_dynamism() != executorch::runtime::TensorShapeDynamism::STATIC) {
    (void)executorch::runtime::resize_tensor(*out, self->sizes());
  }
  copy_elements(args, out, self, nullptr);
}

}  // namespace

void dim_order_ops___clone_dim_order_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_to_dim_order(ctx, args, "dim_order_ops::_clone_dim_order.out");
}

}  // namespace mcugen::ops
