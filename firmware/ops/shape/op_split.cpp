// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/shape/operators.h>

/// Operators that cut a tensor along a dimension into a list of tensors.

namespace mcugen::ops {
namespace {

enum class Cut : uint8_t { kSlices, kSizes, kElements };

/// (Tensor self, …, int dim, Tensor(a!)[] out).
void cut(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op, size_t count,
         Cut kind) {
  OpArgs args(ctx, arguments, op, count);
  const Tensor* const self = args.tensor(0);
  const auto outs = args.tensors(count - 1, kCopyDtypes);
  if (!args.ok() || !args.check(self->dim() != 0, "rank")) {
    return;
  }
  const View whole(*self);
  const int32_t d = args.dim(count - 2, whole.rank);
  ArrayRef<int64_t> sizes;
  int64_t slice = 1;
  if (kind == Cut::kSizes) {
    sizes = args.ints(1, static_cast<int32_t>(outs.size()));
  } else if (kind == Cut::kSlices) {
    slice = args.int64(1);
  }
  if (!args.ok() || !args.check(slice >= 0, "split size")) {
    return;
  }
  // First all checks, then all copies.
  for (int32_t pass = 0; pass < 2; ++pass) {
    int32_t start = 0;
    for (size_t i = 0; i < outs.size(); ++i) {
      const Tensor* const out = &outs.data()[i];
      const int32_t rest = whole.sizes[d] - start;
      int64_t size = kind == Cut::kSizes ? sizes.data()[i] : slice;
      if (kind == Cut::kSlices && size > rest) {
        size = rest;
        // One part too many would be empty, but for a tensor that is.
        args.check(rest != 0 || i == 0, "number of outputs");
      }
      if (!args.check(size >= 0 && size <= rest, "split size")) {
        return;
      }
      View part = whole;
      part.narrow(d, start, static_cast<int32_t>(size));
      start += static_cast<int32_t>(size);
      if (kind == Cut::kElements) {
        part.remove(d);
      }
      check_types(args, out, self, false);
      if (!args.resize(out, part.sizes, part.rank)) {
        return;
      }
      if (pass == 1) {
        copy_view(out, View(*out), self, part);
      }
    }
    if (!args.check(start == whole.sizes[d], "number of outputs")) {
      return;
    }
  }
}

}  // namespace

void aten__split_copy_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  cut(ctx, args, "aten::split_copy.Tensor_out", 4, Cut::kSlices);
}

void aten__split_with_sizes_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  cut(ctx, args, "aten::split_with_sizes_copy.out", 4, Cut::kSizes);
}

void aten__unbind_copy_int_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  cut(ctx, args, "aten::unbind_copy.int_out", 3, Cut::kElements);
}

}  // namespace mcugen::ops
