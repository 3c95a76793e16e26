// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/view.h>
#include <ops/shape/operators.h>

/// Operators that make a tensor of one value, of counted values, or of nothing in particular.

namespace mcugen::ops {
namespace {

void fill_elements(const Tensor* out, const void* element) {
  gather(static_cast<int32_t>(element_bytes(out->scalar_type())),
         static_cast<int32_t>(out->numel()), element, 0, out->mutable_data_ptr());
}

/// (int[] size, …, Tensor(a!) out), filled with the Scalar argument `value`, or `number`.
void make(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op, size_t count,
          size_t value, int64_t number) {
  OpArgs args(ctx, arguments, op, count);
  const Tensor* const out = args.tensor_of(count - 1, kComputeDtypes);
  int32_t sizes[kMaxDims] = {};
  const int32_t rank = size_arguments(args, 0, sizes);
  uint64_t element = 0;
  if (!args.ok()) {
    return;
  }
  if (value != 0) {
    element_argument(args, value, out->scalar_type(), &element);
  } else {
    store_int(&element, out->scalar_type(), 0, number);
  }
  if (args.resize(out, sizes, rank)) {
    fill_elements(out, &element);
  }
}

/// (Tensor self, Scalar value, …, Tensor(a!) out), of the shape of self.
void make_like(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op, size_t count,
               bool same_type) {
  OpArgs args(ctx, arguments, op, count);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor_of(count - 1, kComputeDtypes);
  if (same_type) {
    check_types(args, out, self, false);
  }
  uint64_t element = 0;
  if (args.ok()) {
    element_argument(args, 1, out->scalar_type(), &element);
  }
  if (args.resize_as(out, self)) {
    fill_elements(out, &element);
  }
}

/// Only gives `out` the shape.
void make_empty(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op,
                bool dim_order) {
  OpArgs args(ctx, arguments, op, 3);
  const Tensor* const out = args.tensor(2);
  int32_t sizes[kMaxDims] = {};
  const int32_t rank = size_arguments(args, 0, sizes);
  if (dim_order) {
    args.repeats_order(1, out);
  }
  args.resize(out, sizes, rank);
}

/// start, start + step, … before end, computed in double as torch does.
void count_up(OpArgs& args, const Tensor* out, double start, double end, double step) {
  if (!args.ok()) {
    return;
  }
  const double steps = (end - start) / step;
  // No step, a step away from the end, and NaN fail here.
  if (!args.check(steps >= 0 && steps <= INT32_MAX && (end == start || step != 0), "range")) {
    return;
  }
  int32_t count = static_cast<int32_t>(steps);
  if (static_cast<double>(count) < steps) {
    if (!args.check(count < INT32_MAX, "range")) {
      return;
    }
    ++count;
  }
  if (!args.resize(out, &count, 1)) {
    return;
  }
  const ScalarType type = out->scalar_type();
  for (int32_t i = 0; i < count; ++i) {
    const double value = start + static_cast<double>(i) * step;
    if (type == ScalarType::Float) {
      store_float(out->mutable_data_ptr(), type, static_cast<size_t>(i), static_cast<float>(value));
    } else {
      store_int(out->mutable_data_ptr(), type, static_cast<size_t>(i), float_to_int(value));
    }
  }
}

}  // namespace

void aten__arange_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::arange.out", 2);
  const double end = args.number(0);
  count_up(args, args.tensor_of(1, kComputeDtypes), 0, end, 1);
}

void aten__arange_start_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::arange.start_out", 4);
  const double start = args.number(0);
  const double end = args.number(1);
  const double step = args.number(2);
  count_up(args, args.tensor_of(3, kComputeDtypes), start, end, step);
}

void aten__empty_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  make_empty(ctx, args, "aten::empty.out", false);
}

void aten__fill_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  make_like(ctx, args, "aten::fill.Scalar_out", 3, true);
}

void aten__fill_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::fill.Tensor_out", 3);
  const Tensor* const self = args.tensor(0);
  const Tensor* const value = args.tensor(1);
  const Tensor* const out = args.tensor(2);
  check_types(args, out, self, false);
  check_types(args, out, value, true);
  if (!args.ok() || !args.check(value->numel() == 1, "value")) {
    return;
  }
  uint64_t element = 0;
  convert_run(1, &element, out->scalar_type(), 1, value->const_data_ptr(), value->scalar_type(), 1);
  if (args.resize_as(out, self)) {
    fill_elements(out, &element);
  }
}

void aten__full_like_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  make_like(ctx, args, "aten::full_like.out", 4, false);
}

void aten__full_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  make(ctx, args, "aten::full.out", 3, 1, 0);
}

void aten__ones_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  make(ctx, args, "aten::ones.out", 2, 0, 1);
}

void aten__scalar_tensor_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::scalar_tensor.out", 2);
  const Tensor* const out = args.tensor_of(1, kComputeDtypes);
  uint64_t element = 0;
  if (args.ok()) {
    element_argument(args, 0, out->scalar_type(), &element);
  }
  if (args.resize(out, nullptr, 0)) {
    fill_elements(out, &element);
  }
}

void aten__zeros_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  make(ctx, args, "aten::zeros.out", 2, 0, 0);
}

void dim_order_ops___empty_dim_order_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  make_empty(ctx, args, "dim_order_ops::_empty_dim_order.out", true);
}

}  // namespace mcugen::ops
