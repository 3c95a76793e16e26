// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/index/operators.h>

/// Operators that take a tensor of indices along one dimension.

namespace mcugen::ops {
namespace {

/// A view in which a number is one element along one dimension.
View at_least_1d(OpArgs& args, const Tensor* tensor) {
  View view(*tensor);
  if (view.rank == 0) {
    view.insert(args, 0, 1, 1);
  }
  return view;
}

/// A CopyRun that adds, in the type of both.
void add_element(int32_t, void* to, ScalarType type, int32_t, const void* from, ScalarType,
                 int32_t) {
  if (type == ScalarType::Float) {
    store_float(to, type, 0, load_float(to, type, 0) + load_float(from, type, 0));
  } else {
    store_int(to, type, 0, wrapping_add(load_int(to, type, 0), load_int(from, type, 0)));
  }
}

enum class Pick : uint8_t { kGather, kScatter, kScatterValue, kScatterAdd };

/// (Tensor self, int dim, Tensor index, …, Tensor(a!) out). For each position of `index`: gathers
/// out[position] = self[position, but its index along dim], or scatters the other way, from
/// argument 3, to a copy of self.
void pick(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op, Pick kind) {
  OpArgs args(ctx, arguments, op, 5);
  const uint32_t dtypes =
      kind == Pick::kGather || kind == Pick::kScatter ? kCopyDtypes : kComputeDtypes;
  const Tensor* const self = args.tensor_of(0, dtypes);
  const Tensor* const index = args.tensor(2, ScalarType::Long);
  const Tensor* const out = args.tensor(4);
  const bool from_tensor = kind == Pick::kScatter || kind == Pick::kScatterAdd;
  const Tensor* const src = from_tensor ? args.tensor(3) : self;
  check_types(args, out, self, false);
  check_types(args, out, src, false);
  if (!args.ok()) {
    return;
  }
  uint64_t value = 0;
  if (kind == Pick::kGather) {
    args.boolean(3);
  } else if (kind == Pick::kScatterValue) {
    element_argument(args, 3, out->scalar_type(), &value);
  }
  const View self_view = at_least_1d(args, self);
  const View index_view = at_least_1d(args, index);
  const View src_view = at_least_1d(args, src);
  const int32_t d = args.dim(1, self_view.rank);
  if (!args.ok() || !args.check(index_view.rank == self_view.rank &&
                                    (!from_tensor || src_view.rank == self_view.rank),
                                "rank")) {
    return;
  }
  for (int32_t i = 0; i < self_view.rank && index->numel() != 0; ++i) {
    args.check((i == d || index_view.sizes[i] <= self_view.sizes[i]) &&
                   (!from_tensor || index_view.sizes[i] <= src_view.sizes[i]),
               "index shape");
  }
  const int32_t count = self_view.sizes[d];
  // First all checks, then, with the same checks again, all writing: out may lie where index lies.
  for (int32_t pass = 0; args.ok() && pass < 2; ++pass) {
    if (pass == 1) {
      if (!args.resize_as(out, kind == Pick::kGather ? index : self)) {
        return;
      }
      if (kind != Pick::kGather) {
        View whole(*self);  // as it was before the resizing, which can only be of this shape
        copy_view(out, View(*out), self, whole);
      }
    }
    const View out_view = at_least_1d(args, out);
    const View& there = kind == Pick::kGather ? self_view : out_view;  // where `dim` is indexed
    const View& here = kind == Pick::kGather ? out_view : src_view;
    BlockLoop loop;
    for (int32_t i = 0; i < index_view.rank; ++i) {
      const bool indexed = i == d;
      loop.add(index_view.sizes[i], index_view.strides[i], pass == 0 ? 0 : here.strides[i],
               pass == 0 || indexed ? 0 : there.strides[i]);
    }
    if (loop.empty()) {
      continue;
    }
    do {
      const int64_t i = load_int(element(index, loop.offset(0)), ScalarType::Long, 0);
      if (!args.check(i >= 0 && i < count, "index")) {
        return;
      }
      if (pass == 0) {
        continue;
      }
      const int32_t along = loop.offset(2) + static_cast<int32_t>(i) * there.strides[d];
      const ScalarType type = out->scalar_type();
      const auto run = kind == Pick::kScatterAdd ? add_element : copy_run;
      if (kind == Pick::kGather) {
        run(1, element(out, loop.offset(1)), type, 1, element(self, along), type, 1);
      } else {
        const void* from = from_tensor ? element(src, loop.offset(1)) : static_cast<void*>(&value);
        run(1, element(out, along), type, 1, from, type, 1);
      }
    } while (loop.next());
  }
}

}  // namespace

void aten__gather_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  pick(ctx, args, "aten::gather.out", Pick::kGather);
}

void aten__scatter_add_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  pick(ctx, args, "aten::scatter_add.out", Pick::kScatterAdd);
}

void aten__scatter_src_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  pick(ctx, args, "aten::scatter.src_out", Pick::kScatter);
}

void aten__scatter_value_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  pick(ctx, args, "aten::scatter.value_out", Pick::kScatterValue);
}

void aten__index_select_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::index_select.out", 4);
  const Tensor* const self = args.tensor(0);
  const Tensor* const index =
      args.tensor_of(2, dtype_bit(ScalarType::Int) | dtype_bit(ScalarType::Long));
  const Tensor* const out = args.tensor(3);
  check_types(args, out, self, false);
  if (!args.ok() || !args.check(self->dim() != 0 && index->dim() <= 1, "rank")) {
    return;
  }
  View from(*self);
  const int32_t d = args.dim(1, from.rank);
  if (!args.ok()) {
    return;
  }
  const int32_t size = from.sizes[d];
  const int32_t count = static_cast<int32_t>(index->numel());
  from.sizes[d] = count;
  for (int32_t pass = 0; pass < 2; ++pass) {
    if (pass == 1 && !args.resize(out, from.sizes, from.rank)) {
      return;
    }
    for (int32_t j = 0; j < count; ++j) {
      const int64_t i = load_int(index->const_data_ptr(), index->scalar_type(), j);
      if (!args.check(i >= 0 && i < size, "index")) {
        return;
      }
      if (pass == 1) {
        View to(*out);
        to.narrow(d, j, 1);
        from.offset = static_cast<int32_t>(i) * from.strides[d];
        copy_view(out, to, self, from);
      }
    }
  }
}

}  // namespace mcugen::ops
