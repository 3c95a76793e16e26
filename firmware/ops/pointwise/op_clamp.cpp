// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/pointwise/operators.h>
#include <ops/pointwise/pointwise.h>

namespace mcugen::ops {
namespace {

/// What the three operators differ in.
struct Clamp {
  size_t min_index, max_index;  ///< 0: the limit below, for ever
  float min, max;
  size_t out_index;
  bool truncates;       ///< limits of integers are cut to integers; else they make the result float
  Pointwise otherwise;  ///< for other types and layouts than the kernels'; in_int is chosen later
};

/// Whether two tensors hold the same kind of elements in the same places.
bool same_places(const Tensor& a, const Tensor& b) {
  if (a.scalar_type() != b.scalar_type() || a.dim() != b.dim()) {
    return false;
  }
  for (int32_t d = 0; d < a.dim(); ++d) {
    if (sizes_of(a)[d] != sizes_of(b)[d]) {
      return false;
    }
  }
  return lies_as(a, order_of(b));
}

/// @returns whether an integer limit limits anything in `dtype`. Fails if nothing can meet it.
bool limits(OpArgs& args, size_t index, ScalarType dtype, bool truncates, bool is_min) {
  const Number limit = args.scalar(index);
  if ((limit.dtype == ScalarType::Float && !truncates) ||
      wrap_int(limit.integer, dtype) == limit.integer) {
    return true;
  }
  args.check((limit.integer < 0) == is_min, "limit");
  return false;
}

/// The same by the loop over any elements.
void clamp_elements(OpArgs& args, const Clamp& clamp, const Tensor& input, bool has_min,
                    bool has_max) {
  Pointwise op = clamp.otherwise;
  if (clamp.min_index != 0 && is_integral(input.scalar_type())) {
    has_min = has_min && limits(args, clamp.min_index, input.scalar_type(), clamp.truncates, true);
    has_max = has_max && limits(args, clamp.max_index, input.scalar_type(), clamp.truncates, false);
    op.in_int = has_min && has_max
                    ? [](const int64_t* x) {
                        const int64_t low = x[0] < x[1] ? x[1] : x[0];
                        return low > x[2] ? x[2] : low;
                      }
                : has_min ? [](const int64_t* x) { return x[0] < x[1] ? x[1] : x[0]; }
                : has_max ? [](const int64_t* x) { return x[0] > x[2] ? x[2] : x[0]; }
                          : [](const int64_t* x) { return x[0]; };
  }
  pointwise(args, op);
}

/// @returns a limit of int8, or the nearest int32.
int32_t limit_s8(OpArgs& args, size_t index, bool truncates) {
  const Number limit = args.scalar(index);
  args.check(truncates || limit.dtype != ScalarType::Float, "limit: a fraction, for integers");
  return static_cast<int32_t>(limit.integer < INT32_MIN   ? INT32_MIN
                              : limit.integer > INT32_MAX ? INT32_MAX
                                                          : limit.integer);
}

void clamp_out(OpArgs& args, const Clamp& clamp) {
  const Tensor* const input = args.tensor_of(0, kComputeDtypes);
  const Tensor* const out = args.tensor_of(clamp.out_index, kComputeDtypes);
  if (!args.ok()) {
    return;
  }
  const bool has_min = clamp.min_index != 0 && !args.is_none(clamp.min_index);
  const bool has_max = clamp.max_index != 0 && !args.is_none(clamp.max_index);
  const ScalarType dtype = out->scalar_type();
  if (!same_places(*input, *out) || (dtype != ScalarType::Float && dtype != ScalarType::Char)) {
    return clamp_elements(args, clamp, *input, has_min, has_max);
  }
  const int32_t count = static_cast<int32_t>(out->numel());
  if (dtype == ScalarType::Float) {
    const float min = has_min ? static_cast<float>(args.number(clamp.min_index)) : clamp.min;
    const float max = has_max ? static_cast<float>(args.number(clamp.max_index)) : clamp.max;
    if (args.ok() && args.check(min == min && max == max, "limit")) {
      clamp_f32(count, input->const_data_ptr<float>(), min, max, out->mutable_data_ptr<float>());
    }
    return;
  }
  const int32_t low = has_min ? limit_s8(args, clamp.min_index, clamp.truncates)
                              : (clamp.min > -128.0f ? static_cast<int32_t>(clamp.min) : INT8_MIN);
  const int32_t high = has_max ? limit_s8(args, clamp.max_index, clamp.truncates)
                               : (clamp.max < 127.0f ? static_cast<int32_t>(clamp.max) : INT8_MAX);
  // A limit on the far side of int8 cannot be reached; one on the near side limits nothing.
  if (args.ok() && args.check(low <= INT8_MAX && high >= INT8_MIN, "limit")) {
    clamp_s8(count, input->const_data_ptr<int8_t>(),
             static_cast<int8_t>(low < INT8_MIN ? INT8_MIN : low),
             static_cast<int8_t>(high > INT8_MAX ? INT8_MAX : high),
             out->mutable_data_ptr<int8_t>());
  }
}

/// A limit that is None is NaN, and compares false.
float clamp_element(const float* x) {
  const float low = x[0] < x[1] ? x[1] : x[0];
  return low > x[2] ? x[2] : low;
}

}  // namespace

void aten__clamp_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  static constexpr Clamp kClamp = {
      1,
      2,
      -__builtin_inff(),
      __builtin_inff(),
      3,
      false,
      {"aten::clamp.out", "tSS", Result::kPromoted, clamp_element, nullptr}};
  OpArgs args(ctx, arguments, "aten::clamp.out", 4);
  if (args.check(!args.is_none(1) || !args.is_none(2), "limit")) {
    clamp_out(args, kClamp);
  }
}

void aten__hardtanh_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  static constexpr Clamp kClamp = {
      1,
      2,
      0.0f,
      0.0f,
      3,
      true,
      {"aten::hardtanh.out", "tii", Result::kPromoted, clamp_element, nullptr}};
  OpArgs args(ctx, arguments, "aten::hardtanh.out", 4);
  if (args.check(!args.is_none(1) && !args.is_none(2), "limit")) {
    clamp_out(args, kClamp);
  }
}

void aten__relu_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  static constexpr Clamp kClamp = {0,
                                   0,
                                   0.0f,
                                   __builtin_inff(),
                                   1,
                                   false,
                                   {"aten::relu.out", "t", Result::kPromoted,
                                    [](const float* x) { return x[0] < 0.0f ? 0.0f : x[0]; },
                                    [](const int64_t* x) { return x[0] < 0 ? 0 : x[0]; }}};
  OpArgs args(ctx, arguments, "aten::relu.out", 2);
  clamp_out(args, kClamp);
}

}  // namespace mcugen::ops
