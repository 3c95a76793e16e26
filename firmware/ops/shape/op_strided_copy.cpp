// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/shape/operators.h>

#include <utility>

/// Operators whose output is a strided view of their first argument.

namespace mcugen::ops {
namespace {

using ChangeView = void (*)(OpArgs& args, View& view, const Tensor& self);

/// (Tensor self, …, Tensor(a!) out): out is self seen through what `change` makes of its view.
void copy_changed(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op, size_t count,
                  ChangeView change) {
  OpArgs args(ctx, arguments, op, count);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(count - 1);
  if (!args.ok()) {
    return;
  }
  View view(*self);
  change(args, view, *self);
  copy_whole(args, out, self, view);
}

void swap_dims(View& view, int32_t a, int32_t b) {
  std::swap(view.sizes[a], view.sizes[b]);
  std::swap(view.strides[a], view.strides[b]);
}

void view_keep(OpArgs&, View&, const Tensor&) {}

void view_permute(OpArgs& args, View& view, const Tensor& self) {
  const auto list = args.ints(1, view.rank);
  const View whole(self);
  uint32_t seen = 0;
  for (int32_t d = 0; args.ok() && d < view.rank; ++d) {
    const int64_t dim = list.data()[d] < 0 ? list.data()[d] + view.rank : list.data()[d];
    if (args.check(dim >= 0 && dim < view.rank && (seen & 1u << dim) == 0, "permutation")) {
      seen |= 1u << dim;
      view.sizes[d] = whole.sizes[dim];
      view.strides[d] = whole.strides[dim];
    }
  }
}

void view_transpose(OpArgs& args, View& view, const Tensor&) {
  const int32_t a = args.dim(1, view.rank);
  const int32_t b = args.dim(2, view.rank);
  if (args.ok()) {
    swap_dims(view, a, b);
  }
}

void view_t(OpArgs& args, View& view, const Tensor&) {
  if (args.check(view.rank <= 2, "rank") && view.rank == 2) {
    swap_dims(view, 0, 1);
  }
}

void view_slice(OpArgs& args, View& view, const Tensor&) { slice_arguments(args, 1, view); }

void view_select(OpArgs& args, View& view, const Tensor&) { select_argument(args, 1, view); }

void view_narrow(OpArgs& args, View& view, const Tensor&) {
  const int32_t d = args.dim(1, view.rank);
  if (!args.ok() || !args.check(view.rank != 0, "rank")) {
    return;
  }
  const int32_t size = view.sizes[d];
  int64_t start = args.int64(2);
  start = start < 0 ? start + size : start;
  const int64_t length = args.int64(3);
  if (args.check(start >= 0 && start <= size && length >= 0 && length <= size - start, "range")) {
    view.narrow(d, static_cast<int32_t>(start), static_cast<int32_t>(length));
  }
}

void view_expand(OpArgs& args, View& view, const Tensor&) {
  const auto list = args.ints(1, -1);
  args.boolean(2);  // implicit: says where the call came from
  if (!args.ok()) {
    return;
  }
  while (args.ok() && static_cast<size_t>(view.rank) < list.size()) {
    args.check(list.data()[list.size() - 1 - static_cast<size_t>(view.rank)] >= 0, "size");
    view.insert(args, 0, 1, 0);
  }
  if (!args.ok() || !args.check(static_cast<size_t>(view.rank) == list.size(), "size")) {
    return;
  }
  for (int32_t d = 0; d < view.rank; ++d) {
    const int64_t size = list.data()[d];
    if (size == -1 || size == view.sizes[d]) {
      continue;
    }
    if (args.check(view.sizes[d] == 1, "size")) {
      view.sizes[d] = as_size(args, size);
      view.strides[d] = 0;
    }
  }
}

void view_squeeze(View& view, uint32_t dims) {
  for (int32_t d = view.rank - 1; d >= 0; --d) {
    if ((dims & 1u << d) != 0 && view.sizes[d] == 1) {
      view.remove(d);
    }
  }
}

void view_squeeze_dim(OpArgs& args, View& view, const Tensor&) {
  const int32_t d = args.dim(1, view.rank);
  if (args.ok()) {
    view_squeeze(view, 1u << d);
  }
}

void view_squeeze_dims(OpArgs& args, View& view, const Tensor&) {
  const auto list = args.ints(1, -1);
  if (args.ok() && list.size() != 0) {  // dims() would take none as all
    view_squeeze(view, args.dims(1, view.rank));
  }
}

void view_unsqueeze(OpArgs& args, View& view, const Tensor&) {
  const int32_t d = args.dim(1, view.rank + 1);
  if (args.ok()) {
    view.insert(args, d, 1, 0);
  }
}

/// (…, int[] size, int[] stride, int? storage_offset): on memory, whatever the tensor's shape.
void view_as_strided(OpArgs& args, View& view, const Tensor& self) {
  view.rank = size_arguments(args, 1, view.sizes);
  const auto strides = args.ints(2, view.rank);
  int64_t last = args.optional_int64(3, 0);
  if (!args.ok() || !args.check(last >= 0 && last <= INT32_MAX, "offset")) {
    return;
  }
  view.offset = static_cast<int32_t>(last);
  bool empty = false;
  for (int32_t d = 0; d < view.rank; ++d) {
    empty = empty || view.sizes[d] == 0;
  }
  for (int32_t d = 0; d < view.rank; ++d) {
    const int64_t stride = strides.data()[d];
    if (!args.check(stride >= 0 && stride <= INT32_MAX, "stride")) {
      return;
    }
    view.strides[d] = static_cast<int32_t>(stride);
    // Each product is below 2^62, and what is out of range goes no further: no overflow.
    last = empty ? -1 : last + (view.sizes[d] - 1) * stride;
    if (!args.check(last < self.numel(), "range")) {
      return;
    }
  }
  args.check(empty || last < self.numel(), "range");
}

void view_diagonal(OpArgs& args, View& view, const Tensor&) {
  const int64_t offset = args.int64(1);
  const int32_t rows = args.dim(2, view.rank);
  const int32_t columns = args.dim(3, view.rank);
  if (!args.ok() || !args.check(view.rank >= 2 && rows != columns, "dims")) {
    return;
  }
  const int32_t height = view.sizes[rows];
  const int32_t width = view.sizes[columns];
  int32_t length = 0;
  if (offset >= 0 && offset < width) {
    length = width - static_cast<int32_t>(offset);
    length = length < height ? length : height;
    view.offset = length == 0 ? 0 : static_cast<int32_t>(offset) * view.strides[columns];
  } else if (offset < 0 && offset > -static_cast<int64_t>(height)) {
    length = height + static_cast<int32_t>(offset);
    length = length < width ? length : width;
    view.offset = length == 0 ? 0 : -static_cast<int32_t>(offset) * view.strides[rows];
  }
  const int32_t stride = length > 1 ? view.strides[rows] + view.strides[columns] : 0;
  view.remove(rows > columns ? rows : columns);
  view.remove(rows > columns ? columns : rows);
  view.insert(args, view.rank, length, stride);
}

void view_flip(OpArgs& args, View& view, const Tensor&) {
  const auto list = args.ints(1, -1);
  if (!args.ok() || list.size() == 0) {
    return;
  }
  const uint32_t dims = args.dims(1, view.rank);
  for (int32_t d = 0; args.ok() && d < view.rank; ++d) {
    if ((dims & 1u << d) != 0 && view.sizes[d] != 0) {
      view.offset += (view.sizes[d] - 1) * view.strides[d];
      view.strides[d] = -view.strides[d];
    }
  }
}

void view_unfold(OpArgs& args, View& view, const Tensor&) {
  const int32_t d = args.dim(1, view.rank);
  const int64_t size = args.int64(2);
  const int64_t step = args.int64(3);
  if (!args.ok() || !args.check(view.rank != 0, "rank") ||
      !args.check(size >= 0 && size <= view.sizes[d] && step > 0, "window")) {
    return;
  }
  const int32_t stride = view.strides[d];
  const int64_t windows = (view.sizes[d] - size) / step + 1;
  view.narrow(d, 0, as_size(args, windows), static_cast<int32_t>(windows > 1 ? step : 1));
  view.insert(args, view.rank, static_cast<int32_t>(size), stride);
}

}  // namespace

void aten__alias_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::alias_copy.out", 2, view_keep);
}

void aten__as_strided_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::as_strided_copy.out", 5, view_as_strided);
}

void aten__detach_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::detach_copy.out", 2, view_keep);
}

void aten__diagonal_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::diagonal_copy.out", 5, view_diagonal);
}

void aten__expand_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::expand_copy.out", 4, view_expand);
}

void aten__flip_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::flip.out", 3, view_flip);
}

void aten__lift_fresh_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::lift_fresh_copy.out", 2, view_keep);
}

void aten__narrow_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::narrow_copy.out", 5, view_narrow);
}

void aten__permute_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::permute_copy.out", 3, view_permute);
}

void aten__select_copy_int_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::select_copy.int_out", 4, view_select);
}

void aten__slice_copy_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::slice_copy.Tensor_out", 6, view_slice);
}

void aten__squeeze_copy_dim_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::squeeze_copy.dim_out", 3, view_squeeze_dim);
}

void aten__squeeze_copy_dims_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::squeeze_copy.dims_out", 3, view_squeeze_dims);
}

void aten__t_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::t_copy.out", 2, view_t);
}

void aten__transpose_copy_int_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::transpose_copy.int_out", 4, view_transpose);
}

void aten__unfold_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::unfold_copy.out", 5, view_unfold);
}

void aten__unsqueeze_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "aten::unsqueeze_copy.out", 3, view_unsqueeze);
}

void cortex_m__transpose_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  copy_changed(ctx, args, "cortex_m::transpose.out", 3, view_permute);
}

}  // namespace mcugen::ops
