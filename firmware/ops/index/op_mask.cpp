// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/index/operators.h>

/// Operators whose output's size depends on data.

namespace mcugen::ops {

void aten__masked_select_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::masked_select.out", 3);
  const Tensor* const self = args.tensor(0);
  const Tensor* const mask = args.tensor(1, ScalarType::Bool);
  const Tensor* const out = args.tensor(2);
  check_types(args, out, self, false);
  if (!args.ok()) {
    return;
  }
  View views[2] = {View(*self), View(*mask)};
  const int32_t rank = views[0].rank > views[1].rank ? views[0].rank : views[1].rank;
  for (View& view : views) {
    while (view.rank < rank) {
      view.insert(args, 0, 1, 0);
    }
  }
  // Once to count, once to copy.
  int32_t count = 0;
  for (int32_t pass = 0; pass < 2; ++pass) {
    BlockLoop loop;
    for (int32_t d = 0; d < rank; ++d) {
      const int32_t sizes[2] = {views[0].sizes[d], views[1].sizes[d]};
      if (!args.check(sizes[0] == sizes[1] || sizes[0] == 1 || sizes[1] == 1, "shape")) {
        return;
      }
      loop.add(sizes[0] == 1 ? sizes[1] : sizes[0], sizes[0] == 1 ? 0 : views[0].strides[d],
               sizes[1] == 1 ? 0 : views[1].strides[d]);
    }
    int32_t at = 0;
    if (!loop.empty()) {
      do {
        if (load_int(mask->const_data_ptr(), ScalarType::Bool,
                     static_cast<size_t>(loop.offset(1))) == 0) {
          continue;
        }
        // More than counted: the mask lies where the output is written.
        if (pass == 1 && args.check(at < count, "mask")) {
          copy_run(1, element(out, at), out->scalar_type(), 1, element(self, loop.offset(0)),
                   self->scalar_type(), 1);
        }
        at += at < INT32_MAX ? 1 : 0;
      } while (loop.next());
    }
    count = at;
    if (pass == 0 && !args.resize(out, &count, 1)) {
      return;
    }
  }
}

void aten__nonzero_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::nonzero.out", 2);
  const Tensor* const self = args.tensor_of(0, kComputeDtypes);
  const Tensor* const out = args.tensor(1, ScalarType::Long);
  if (!args.ok()) {
    return;
  }
  const View view(*self);
  const ScalarType type = self->scalar_type();
  // Once to count, once to write.
  int32_t count = 0;
  for (int32_t pass = 0; pass < 2; ++pass) {
    BlockLoop loop;
    for (int32_t d = 0; d < view.rank; ++d) {
      loop.add(view.sizes[d], view.strides[d]);
    }
    int32_t at = 0;
    const View to(*out);
    if (!loop.empty()) {
      do {
        const void* const value = element(self, loop.offset(0));
        const bool is_zero = type == ScalarType::Float ? load_float(value, type, 0) == 0.0f
                                                       : load_int(value, type, 0) == 0;
        if (is_zero) {
          continue;
        }
        for (int32_t d = 0; pass == 1 && d < view.rank && args.check(at < count, "self"); ++d) {
          store_int(element(out, at * to.strides[0] + d * to.strides[1]), ScalarType::Long, 0,
                    loop.index(d));
        }
        at += at < INT32_MAX ? 1 : 0;
      } while (loop.next());
    }
    count = at;
    const int32_t sizes[2] = {count, view.rank};
    if (pass == 0 && !args.resize(out, sizes, 2)) {
      return;
    }
  }
}

void aten__repeat_interleave_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::repeat_interleave.Tensor_out", 3);
  const Tensor* const repeats =
      args.tensor_of(0, dtype_bit(ScalarType::Int) | dtype_bit(ScalarType::Long));
  const Tensor* const out = args.tensor(2);
  check_types(args, out, repeats, false);
  if (!args.ok() || !args.check(repeats->dim() == 1, "rank")) {
    return;
  }
  const ScalarType type = repeats->scalar_type();
  const int32_t count = static_cast<int32_t>(repeats->numel());
  int64_t sum = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int64_t times = load_int(repeats->const_data_ptr(), type, static_cast<size_t>(i));
    if (!args.check(times >= 0 && times <= INT32_MAX - sum, "repeats")) {
      return;
    }
    sum += times;
  }
  const int64_t expected = args.optional_int64(1, sum);
  const int32_t size = static_cast<int32_t>(sum);
  if (!args.check(expected == sum, "output size") || !args.resize(out, &size, 1)) {
    return;
  }
  int32_t at = 0;
  for (int32_t i = 0; i < count; ++i) {
    int64_t times = load_int(repeats->const_data_ptr(), type, static_cast<size_t>(i));
    for (; times > 0 && at < size; --times) {
      store_int(out->mutable_data_ptr(), type, static_cast<size_t>(at++), i);
    }
  }
}

}  // namespace mcugen::ops
