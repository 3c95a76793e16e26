// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/math_f32.h>
#include <ops/pointwise/operators.h>
#include <ops/pointwise/pointwise.h>

// Functions of one operand.

namespace mcugen::ops {

void aten__exp_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::exp.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return exp_f32(x[0]); }, nullptr};
  pointwise(ctx, args, kOp);
}

void aten__expm1_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::expm1.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return expm1_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__log_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::log.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return log_f32(x[0]); }, nullptr};
  pointwise(ctx, args, kOp);
}

void aten__log2_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::log2.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return log2_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__log10_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::log10.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return log10_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__log1p_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::log1p.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return log1p_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__sqrt_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::sqrt.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return sqrt_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__rsqrt_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::rsqrt.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return rsqrt_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__sin_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::sin.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return sin_f32(x[0]); }, nullptr};
  pointwise(ctx, args, kOp);
}

void aten__cos_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::cos.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return cos_f32(x[0]); }, nullptr};
  pointwise(ctx, args, kOp);
}

void aten__tan_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::tan.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return tan_f32(x[0]); }, nullptr};
  pointwise(ctx, args, kOp);
}

void aten__sinh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::sinh.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return sinh_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__cosh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::cosh.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return cosh_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__asin_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::asin.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return asin_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__acos_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::acos.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return acos_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__atan_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::atan.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return atan_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__asinh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::asinh.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return asinh_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__acosh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::acosh.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return acosh_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__atanh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::atanh.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return atanh_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__erf_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::erf.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return erf_f32(x[0]); }, nullptr};
  pointwise(ctx, args, kOp);
}

void aten__sigmoid_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::sigmoid.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return sigmoid_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__tanh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::tanh.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return tanh_f32(x[0]); },
                                    nullptr};
  pointwise(ctx, args, kOp);
}

void aten__reciprocal_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::reciprocal.out", "t", Result::kFloat,
                                    [](const float* x) -> float { return 1.0f / x[0]; }, nullptr};
  pointwise(ctx, args, kOp);
}

void aten__neg_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::neg.out",
      "t",
      Result::kPromoted,
      [](const float* x) -> float { return -x[0]; },
      [](const int64_t* x) -> int64_t { return wrapping_sub(0, x[0]); },
      kFloatDtypes | kIntDtypes};
  pointwise(ctx, args, kOp);
}

void aten__abs_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::abs.out", "t", Result::kPromoted,
      [](const float* x) -> float { return __builtin_fabsf(x[0]); },
      [](const int64_t* x) -> int64_t { return x[0] < 0 ? wrapping_sub(0, x[0]) : x[0]; }};
  pointwise(ctx, args, kOp);
}

void aten__sign_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::sign.out", "t", Result::kPromoted,
                                    [](const float* x) -> float {
                                      return x[0] > 0.0f ? 1.0f : x[0] < 0.0f ? -1.0f : x[0] * 0.0f;
                                    },
                                    [](const int64_t* x) -> int64_t {
                                      return x[0] > 0 ? 1 : x[0] < 0 ? -1 : 0;
                                    }};
  pointwise(ctx, args, kOp);
}

void aten__ceil_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::ceil.out", "t", Result::kPromoted,
                                    [](const float* x) -> float { return ceil_f32(x[0]); },
                                    [](const int64_t* x) -> int64_t { return x[0]; }};
  pointwise(ctx, args, kOp);
}

void aten__floor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::floor.out", "t", Result::kPromoted,
                                    [](const float* x) -> float { return floor_f32(x[0]); },
                                    [](const int64_t* x) -> int64_t { return x[0]; }};
  pointwise(ctx, args, kOp);
}

void aten__round_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::round.out", "t", Result::kPromoted,
                                    [](const float* x) -> float { return round_f32(x[0]); },
                                    [](const int64_t* x) -> int64_t { return x[0]; }};
  pointwise(ctx, args, kOp);
}

void aten__trunc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::trunc.out", "t", Result::kPromoted,
                                    [](const float* x) -> float { return trunc_f32(x[0]); },
                                    [](const int64_t* x) -> int64_t { return x[0]; }};
  pointwise(ctx, args, kOp);
}

void aten__bitwise_not_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::bitwise_not.out", 2);
  const Tensor* const self = args.tensor_of(0, kIntDtypes | kBoolDtypes);
  const bool is_bool = self != nullptr && self->scalar_type() == ScalarType::Bool;
  const IntFunction invert =
      is_bool ? [](const int64_t* x) { return x[0] ^ 1; } : [](const int64_t* x) { return ~x[0]; };
  pointwise(args, {"aten::bitwise_not.out", "t", Result::kPromoted, nullptr, invert});
}

}  // namespace mcugen::ops
