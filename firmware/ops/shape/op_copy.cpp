// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/shape/operators.h>

/// Copies that convert the element type, or broadcast.

namespace mcugen::ops {
namespace {

/// Copies `src` to all of `out`, which is as large or larger: broadcast, converted.
void copy_broadcast(OpArgs& args, const Tensor* out, const Tensor* src, const View& src_view) {
  check_types(args, out, src, true);
  if (!args.ok() || !args.check(src_view.rank <= out->dim(), "rank")) {
    return;
  }
  View from = src_view;
  while (from.rank < out->dim()) {
    from.insert(args, 0, 1, 0);
  }
  const View to(*out);
  for (int32_t d = 0; d < to.rank; ++d) {
    if (from.sizes[d] == 1) {
      from.strides[d] = 0;
    } else {
      args.check(from.sizes[d] == to.sizes[d], "shape");
    }
  }
  if (args.ok()) {
    copy_view(out, to, src, from, convert_run);
  }
}

}  // namespace

void aten___to_copy_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::_to_copy.out", 4);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(3);
  args.boolean(1);  // Argument 2, memory_format, is what the output's dim order already says.
  check_types(args, out, self, true);
  if (args.ok()) {
    const View view(*self);
    if (args.resize_as(out, self)) {
      copy_view(out, View(*out), self, view, convert_run);
    }
  }
}

void aten__copy_(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::copy_", 3);
  const Tensor* const self = args.tensor(0);
  const Tensor* const src = args.tensor(1);
  args.boolean(2);
  if (args.ok()) {
    copy_broadcast(args, self, src, View(*src));
  }
}

void aten__copy_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::copy.out", 4);
  const Tensor* const self = args.tensor(0);
  const Tensor* const src = args.tensor(1);
  const Tensor* const out = args.tensor(3);
  args.boolean(2);
  check_types(args, out, self, false);
  check_types(args, out, src, true);
  if (!args.ok()) {
    return;
  }
  const View view(*src);
  // The shape that comes out is that of `self`: check the broadcast against it first.
  const int32_t missing = static_cast<int32_t>(self->dim()) - view.rank;
  if (!args.check(missing >= 0, "rank")) {
    return;
  }
  for (int32_t d = 0; d < view.rank; ++d) {
    args.check(view.sizes[d] == 1 || view.sizes[d] == sizes_of(*self)[missing + d], "shape");
  }
  if (args.resize_as(out, self)) {
    copy_broadcast(args, out, src, view);
  }
}

void dim_order_ops___to_dim_order_copy_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "dim_order_ops::_to_dim_order_copy.out", 4);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(3);
  args.boolean(1);
  check_types(args, out, self, true);
  if (!args.ok()) {
    return;
  }
  args.repeats_order(2, out);
  if (args.ok()) {
    const View view(*self);
    if (args.resize_as(out, self)) {
      copy_view(out, View(*out), self, view, convert_run);
    }
  }
}

}  // namespace mcugen::ops
