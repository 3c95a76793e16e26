// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/shape/operators.h>

/// Operators that write tensors into parts of their output.

namespace mcugen::ops {
namespace {

/// Whether cat() leaves `tensor` out: of shape [0], which fits anything.
bool is_nothing(const Tensor& tensor) { return tensor.dim() == 1 && tensor.numel() == 0; }

/// (Tensor[] tensors, int dim, Tensor(a!) out). Stacking is joining along a new dimension of size
/// 1.
void join(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op, bool stack) {
  OpArgs args(ctx, arguments, op, 3);
  const auto tensors = args.tensors(0, kCopyDtypes);
  const Tensor* const out = args.tensor(2);
  if (!args.ok() || !args.check(tensors.size() != 0, "number of tensors")) {
    return;
  }
  // The first one with a shape gives the shape, but along `dim`.
  const Tensor* first = &tensors.data()[0];
  for (size_t i = 0; !stack && i + 1 < tensors.size() && is_nothing(*first); ++i) {
    first = &tensors.data()[i + 1];
  }
  const int32_t rank = static_cast<int32_t>(first->dim()) + (stack ? 1 : 0);
  const int32_t d = args.dim(1, rank);
  if (!args.ok() || !args.check(rank != 0 && rank <= kMaxDims, "rank")) {
    return;
  }
  View shape(*first);
  if (stack) {
    shape.insert(args, d, 1, 0);
  }
  // First all checks, then all copies.
  for (int32_t pass = 0; pass < 2; ++pass) {
    int32_t start = 0;
    for (const Tensor& tensor : tensors) {
      if (!stack && is_nothing(tensor)) {
        continue;
      }
      check_types(args, out, &tensor, true);
      // Else resizing the output would change an input.
      args.check(tensor.unsafeGetTensorImpl() != out->unsafeGetTensorImpl(), "output: an input");
      if (!args.check(tensor.dim() == first->dim(), "rank")) {
        return;
      }
      View part(tensor);
      if (stack) {
        part.insert(args, d, 1, 0);
      }
      for (int32_t i = 0; i < rank; ++i) {
        args.check(i == d || part.sizes[i] == shape.sizes[i], "shape");
      }
      const int32_t size = part.sizes[d];
      if (!args.check(size <= INT32_MAX - start, "shape")) {
        return;
      }
      if (pass == 1) {
        View place(*out);
        place.narrow(d, start, size);
        copy_view(out, place, &tensor, part, convert_run);
      }
      start += size;
    }
    shape.sizes[d] = start;
    if (!args.resize(out, shape.sizes, rank)) {
      return;
    }
  }
}

/// (Tensor self, Tensor src, …, Tensor(a!) out): out is self, but for the part that the arguments
/// from 2 on select, which is src.
void replace_part(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op, size_t count,
                  bool slice) {
  OpArgs args(ctx, arguments, op, count);
  const Tensor* const self = args.tensor(0);
  const Tensor* const src = args.tensor(1);
  const Tensor* const out = args.tensor(count - 1);
  if (!args.ok()) {
    return;
  }
  View self_part(*self);
  if (slice) {
    slice_arguments(args, 2, self_part);
  } else {
    select_argument(args, 2, self_part);
  }
  check_types(args, out, self, true);
  check_types(args, out, src, true);
  if (!args.ok() || !args.check(src->dim() == self_part.rank, "rank")) {
    return;
  }
  View src_view(*src);
  for (int32_t d = 0; d < self_part.rank; ++d) {
    args.check(src_view.sizes[d] == self_part.sizes[d], "shape");
  }
  const View self_view(*self);
  if (!args.resize_as(out, self)) {
    return;
  }
  View out_part(*out);
  copy_view(out, out_part, self, self_view, convert_run);
  if (slice) {
    slice_arguments(args, 2, out_part);
  } else {
    const int32_t d = args.dim(2, out_part.rank);
    const int64_t index = args.int64(3);
    out_part.narrow(d, static_cast<int32_t>(index < 0 ? index + out_part.sizes[d] : index), 1);
    src_view.insert(args, d, 1, 0);
  }
  copy_view(out, out_part, src, src_view, convert_run);
}

}  // namespace

void aten__cat_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  join(ctx, args, "aten::cat.out", false);
}

void aten__select_scatter_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  replace_part(ctx, args, "aten::select_scatter.out", 5, false);
}

void aten__slice_scatter_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  replace_part(ctx, args, "aten::slice_scatter.out", 7, true);
}

void aten__stack_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  join(ctx, args, "aten::stack.out", true);
}

}  // namespace mcugen::ops
