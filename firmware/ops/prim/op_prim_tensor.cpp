// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/prim/operators.h>

/// The exporter's own operators on tensors: views without a copy, and results of loops.

namespace mcugen::ops {
namespace {

// TensorImpl has no accessor for its capacity. The language lets an explicit instantiation name a
// private member, and only that: this breaks loudly if the member is renamed.
size_t capacity(const executorch::aten::TensorImpl& impl);
template <size_t executorch::aten::TensorImpl::* member>
struct CapacityAccess {
  friend size_t capacity(const executorch::aten::TensorImpl& impl) { return impl.*member; }
};
template struct CapacityAccess<&executorch::aten::TensorImpl::numel_bound_>;

}  // namespace

/// (Tensor self, int[] size, Tensor out): makes out's memory that of self.
void executorch_prim__et_view_default(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  // Called without a return value: `out` is the last argument, and takes its place.
  OpArgs args(ctx, arguments, "executorch_prim::et_view.default", 2);
  const Tensor* const self = args.tensor(0);
  if (!args.ok() || !args.check(arguments[2]->isTensor(), "output: no tensor")) {
    return;
  }
  const Tensor* const out = &arguments[2]->payload.as_tensor;  // has no data yet
  args.check(out->scalar_type() == self->scalar_type(), "dtype");
  args.check(out->dim() <= kMaxDims, "rank");
  int32_t sizes[kMaxDims];
  const int32_t rank = view_arguments(args, 1, self, sizes);
  args.contiguous(self);
  // The view must not be resizable to more than there is memory for.
  if (args.check(capacity(*out->unsafeGetTensorImpl()) <= capacity(*self->unsafeGetTensorImpl()),
                 "output: larger than its source") &&
      args.resize(out, sizes, rank)) {
    args.contiguous(out);
    if (args.ok()) {
      out->unsafeGetTensorImpl()->set_data(self->mutable_data_ptr());
    }
  }
}

/// (Tensor copy_to, Tensor copy_from, int index): copy_to[index] = copy_from, and copy_to has
/// index + 1 rows afterwards.
void executorch_prim__et_copy_index_tensor(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  // Called without a return value: `index` is the last argument, and takes its place.
  OpArgs args(ctx, arguments, "executorch_prim::et_copy_index.tensor", 2);
  const Tensor* const to = args.tensor(0);
  const Tensor* const from = args.tensor(1);
  check_types(args, to, from, false);
  if (!args.ok() || !args.check(arguments[2]->isInt(), "index: no int")) {
    return;
  }
  const int64_t index = arguments[2]->payload.copyable_union.as_int;
  args.check(to->dim() == from->dim() + 1, "rank");
  args.check(to->unsafeGetTensorImpl() != from->unsafeGetTensorImpl(), "copy_from: copy_to");
  args.check(index >= 0 && index < INT32_MAX, "index");
  if (!args.ok()) {
    return;
  }
  int32_t sizes[kMaxDims];
  sizes[0] = static_cast<int32_t>(index) + 1;
  View row(*from);
  for (int32_t d = 0; d < row.rank; ++d) {
    sizes[d + 1] = row.sizes[d];
  }
  row.insert(args, 0, 1, 0);
  // Rows before this one stay where they are only if they come first in memory.
  args.check(order_of(*to)[0] == 0, "dim order");
  if (args.resize(to, sizes, row.rank)) {
    View place(*to);
    place.narrow(0, static_cast<int32_t>(index), 1);
    copy_view(to, place, from, row);
  }
}

}  // namespace mcugen::ops
