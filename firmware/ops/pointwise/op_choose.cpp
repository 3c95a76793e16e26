// SPDX-License-Identifier: BSD-3-Clause
#include <ops/pointwise/operators.h>
#include <ops/pointwise/pointwise.h>

// Operators that choose one of their operands.

namespace mcugen::ops {

void aten__where_self_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::where.self_out", "btt", Result::kPromoted,
                                    [](const float* x) { return x[0] != 0.0f ? x[1] : x[2]; },
                                    [](const int64_t* x) { return x[0] != 0 ? x[1] : x[2]; }};
  pointwise(ctx, args, kOp);
}

void aten__masked_fill_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::masked_fill.Scalar_out", "tbi", Result::kPromoted,
                                    [](const float* x) { return x[1] != 0.0f ? x[2] : x[0]; },
                                    [](const int64_t* x) { return x[1] != 0 ? x[2] : x[0]; }};
  pointwise(ctx, args, kOp);
}

void aten__clamp_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::clamp.Tensor_out", 4);
  const bool has_min = !args.is_none(1);
  const bool has_max = !args.is_none(2);
  // Limits of tensors are operands like others: a NaN among them makes the result NaN. One that is
  // None is NaN too, so it must not be asked for.
  FloatFunction in_float = [](const float* x) {
    const float low = x[0] < x[1] || x[1] != x[1] ? x[1] : x[0];
    return low > x[2] || x[2] != x[2] ? x[2] : low;
  };
  IntFunction in_int = [](const int64_t* x) {
    const int64_t low = x[0] < x[1] ? x[1] : x[0];
    return low > x[2] ? x[2] : low;
  };
  if (!has_max) {
    in_float = [](const float* x) { return x[0] < x[1] || x[1] != x[1] ? x[1] : x[0]; };
    in_int = [](const int64_t* x) { return x[0] < x[1] ? x[1] : x[0]; };
  } else if (!has_min) {
    in_float = [](const float* x) { return x[0] > x[2] || x[2] != x[2] ? x[2] : x[0]; };
    in_int = [](const int64_t* x) { return x[0] > x[2] ? x[2] : x[0]; };
  }
  if (args.check(has_min || has_max, "limit")) {
    pointwise(args, {"aten::clamp.Tensor_out", "tTT", Result::kPromoted, in_float, in_int});
  }
}

}  // namespace mcugen::ops
