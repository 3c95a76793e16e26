// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/view.h>
#include <ops/shape/operators.h>

/// Operators that repeat a tensor past its borders: padding, rolling, repeating.

namespace mcugen::ops {
namespace {

enum class Border : uint8_t { kConstant, kReflect, kReplicate, kWrap };

/// @returns which of `size` elements index `i` stands for; -1: none.
int32_t inside(int64_t i, int32_t size, Border border) {
  if (i >= 0 && i < size) {
    return static_cast<int32_t>(i);
  }
  switch (border) {
    case Border::kReflect:  // by less than `size`
      return static_cast<int32_t>(i < 0 ? -i : 2 * (static_cast<int64_t>(size) - 1) - i);
    case Border::kReplicate:
      return i < 0 ? 0 : size - 1;
    case Border::kWrap:
      return static_cast<int32_t>(i % size + (i % size < 0 ? size : 0));
    default:
      return -1;
  }
}

/// Element i of `out` is that of `in` that i - before[d] stands for along each dimension d, or
/// `fill`. `in` has as many dimensions as `out`; unless the border is constant, elements too.
void copy_bordered(const Tensor* out, const Tensor* in, const View& from, const int32_t* before,
                   Border border, const void* fill) {
  if (out->numel() == 0) {
    return;
  }
  const View to(*out);
  const int32_t bytes = static_cast<int32_t>(element_bytes(out->scalar_type()));
  BlockLoop loop;
  for (int32_t d = 0; d < to.rank; ++d) {
    loop.add(to.sizes[d], to.strides[d]);
  }
  do {
    int32_t offset = 0;
    for (int32_t d = 0; d < to.rank && offset >= 0; ++d) {
      const int32_t i =
          inside(static_cast<int64_t>(loop.index(d)) - before[d], from.sizes[d], border);
      offset = i < 0 ? -1 : offset + i * from.strides[d];
    }
    gather(bytes, 1, offset < 0 ? fill : element(in, offset), 1, element(out, loop.offset(0)));
  } while (loop.next());
}

/// (Tensor self, int[] padding, …, Tensor(a!) out): `padding` holds before and after of the last
/// dimension, of the one before it, and so on.
void pad(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op, size_t count,
         Border border, int32_t spatial) {
  OpArgs args(ctx, arguments, op, count);
  const Tensor* const self =
      border == Border::kConstant ? args.tensor_of(0, kComputeDtypes) : args.tensor(0);
  const Tensor* const out = args.tensor(count - 1);
  const auto padding = args.ints(1, spatial == 0 ? -1 : 2 * spatial);
  check_types(args, out, self, false);
  if (!args.ok()) {
    return;
  }
  uint64_t fill = 0;
  if (border == Border::kConstant) {
    element_argument(args, 2, out->scalar_type(), &fill);
  }
  const View from(*self);
  const int32_t padded = static_cast<int32_t>(padding.size() / 2);
  if (!args.check(padding.size() % 2 == 0 && padding.size() / 2 <= kMaxDims && padded <= from.rank,
                  "padding") ||
      (spatial != 0 && !args.check(from.rank == spatial + 1 || from.rank == spatial + 2, "rank"))) {
    return;
  }
  int32_t before[kMaxDims] = {};
  int32_t sizes[kMaxDims];
  for (int32_t d = 0; d < from.rank; ++d) {
    const int32_t i = 2 * (from.rank - 1 - d);
    const int64_t size = from.sizes[d];
    sizes[d] = from.sizes[d];
    if (i >= 2 * padded) {
      continue;
    }
    for (int32_t side = 0; side < 2; ++side) {
      const int64_t by = padding.data()[i + side];
      const int64_t limit = border == Border::kReflect ? size - 1 : INT32_MAX;
      args.check(by >= -size && by <= limit, "padding");
    }
    if (!args.ok()) {
      return;
    }
    before[d] = static_cast<int32_t>(padding.data()[i]);
    const int64_t padded_size = size + padding.data()[i] + padding.data()[i + 1];
    sizes[d] = as_size(args, padded_size);
    args.check(size > 0 || border == Border::kConstant, "shape");
  }
  if (args.resize(out, sizes, from.rank)) {
    copy_bordered(out, self, from, before, border, &fill);
  }
}

}  // namespace

void aten__constant_pad_nd_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  pad(ctx, args, "aten::constant_pad_nd.out", 4, Border::kConstant, 0);
}

void aten__reflection_pad1d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  pad(ctx, args, "aten::reflection_pad1d.out", 3, Border::kReflect, 1);
}

void aten__reflection_pad2d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  pad(ctx, args, "aten::reflection_pad2d.out", 3, Border::kReflect, 2);
}

void aten__reflection_pad3d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  pad(ctx, args, "aten::reflection_pad3d.out", 3, Border::kReflect, 3);
}

void aten__replication_pad1d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  pad(ctx, args, "aten::replication_pad1d.out", 3, Border::kReplicate, 1);
}

void aten__replication_pad2d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  pad(ctx, args, "aten::replication_pad2d.out", 3, Border::kReplicate, 2);
}

void aten__replication_pad3d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  pad(ctx, args, "aten::replication_pad3d.out", 3, Border::kReplicate, 3);
}

void aten__repeat_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::repeat.out", 3);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(2);
  int32_t sizes[kMaxDims] = {};
  const int32_t rank = size_arguments(args, 1, sizes);
  check_types(args, out, self, false);
  if (!args.ok() || !args.check(rank >= self->dim(), "number of repeats")) {
    return;
  }
  View from(*self);
  while (from.rank < rank) {
    from.insert(args, 0, 1, 0);
  }
  for (int32_t d = 0; d < rank; ++d) {
    sizes[d] = as_size(args, static_cast<int64_t>(sizes[d]) * from.sizes[d]);
  }
  if (args.resize(out, sizes, rank)) {
    static constexpr int32_t kBefore[kMaxDims] = {};
    copy_bordered(out, self, from, kBefore, Border::kWrap, nullptr);
  }
}

void aten__roll_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::roll.out", 4);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(3);
  const auto shifts = args.ints(1, -1);
  const auto dims = args.ints(2, -1);
  check_types(args, out, self, false);
  if (!args.ok() || !args.check(shifts.size() == dims.size(), "number of shifts")) {
    return;
  }
  const View from(*self);
  int32_t before[kMaxDims] = {};
  for (size_t i = 0; i < dims.size(); ++i) {
    const int64_t dim = dims.data()[i] < 0 ? dims.data()[i] + from.rank : dims.data()[i];
    if (!args.check(dim >= 0 && dim < from.rank, "dims")) {
      return;
    }
    const int32_t size = from.sizes[dim];
    if (size != 0) {  // shifts of one dimension add up
      before[dim] = static_cast<int32_t>((before[dim] + shifts.data()[i] % size) % size);
    }
  }
  if (args.resize_as(out, self)) {
    copy_bordered(out, self, from, before, Border::kWrap, nullptr);
  }
}

}  // namespace mcugen::ops
