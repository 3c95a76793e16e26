// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/math_f32.h>
#include <kernels/trig_f32.h>
#include <ops/pointwise/operators.h>
#include <ops/pointwise/pointwise.h>

// Functions of one operand.

namespace mcugen::ops {
namespace {

template <float (*kFunction)(float)>
constexpr Pointwise function(const char* op) {
  return computed_in_float(op, "t", [](const float* x) -> float { return kFunction(x[0]); });
}

/// Integers stay as they are.
template <float (*kFunction)(float)>
constexpr Pointwise rounding(const char* op) {
  return promoted(
      op, "t", [](const float* x) -> float { return kFunction(x[0]); },
      [](const int64_t* x) -> int64_t { return x[0]; });
}

float sign(const float* x) { return x[0] > 0.0f ? 1.0f : x[0] < 0.0f ? -1.0f : x[0] * 0.0f; }

int64_t sign(const int64_t* x) { return x[0] > 0 ? 1 : x[0] < 0 ? -1 : 0; }

}  // namespace

void aten__exp_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<exp_f32>("aten::exp.out");
  pointwise(ctx, args, kOp);
}

void aten__expm1_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<expm1_f32>("aten::expm1.out");
  pointwise(ctx, args, kOp);
}

void aten__log_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<log_f32>("aten::log.out");
  pointwise(ctx, args, kOp);
}

void aten__log2_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<log2_f32>("aten::log2.out");
  pointwise(ctx, args, kOp);
}

void aten__log10_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<log10_f32>("aten::log10.out");
  pointwise(ctx, args, kOp);
}

void aten__log1p_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<log1p_f32>("aten::log1p.out");
  pointwise(ctx, args, kOp);
}

void aten__sqrt_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<sqrt_f32>("aten::sqrt.out");
  pointwise(ctx, args, kOp);
}

void aten__rsqrt_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<rsqrt_f32>("aten::rsqrt.out");
  pointwise(ctx, args, kOp);
}

void aten__sin_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<sin_f32>("aten::sin.out");
  pointwise(ctx, args, kOp);
}

void aten__cos_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<cos_f32>("aten::cos.out");
  pointwise(ctx, args, kOp);
}

void aten__tan_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<tan_f32>("aten::tan.out");
  pointwise(ctx, args, kOp);
}

void aten__sinh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<sinh_f32>("aten::sinh.out");
  pointwise(ctx, args, kOp);
}

void aten__cosh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<cosh_f32>("aten::cosh.out");
  pointwise(ctx, args, kOp);
}

void aten__asin_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<asin_f32>("aten::asin.out");
  pointwise(ctx, args, kOp);
}

void aten__acos_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<acos_f32>("aten::acos.out");
  pointwise(ctx, args, kOp);
}

void aten__atan_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<atan_f32>("aten::atan.out");
  pointwise(ctx, args, kOp);
}

void aten__asinh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<asinh_f32>("aten::asinh.out");
  pointwise(ctx, args, kOp);
}

void aten__acosh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<acosh_f32>("aten::acosh.out");
  pointwise(ctx, args, kOp);
}

void aten__atanh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<atanh_f32>("aten::atanh.out");
  pointwise(ctx, args, kOp);
}

void aten__erf_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<erf_f32>("aten::erf.out");
  pointwise(ctx, args, kOp);
}

void aten__sigmoid_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<sigmoid_f32>("aten::sigmoid.out");
  pointwise(ctx, args, kOp);
}

void aten__tanh_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = function<tanh_f32>("aten::tanh.out");
  pointwise(ctx, args, kOp);
}

void aten__reciprocal_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = computed_in_float(
      "aten::reciprocal.out", "t", [](const float* x) -> float { return 1.0f / x[0]; });
  pointwise(ctx, args, kOp);
}

void aten__neg_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted(
      "aten::neg.out", "t", [](const float* x) -> float { return -x[0]; },
      [](const int64_t* x) -> int64_t { return wrapping_sub(0, x[0]); }, kFloatDtypes | kIntDtypes);
  pointwise(ctx, args, kOp);
}

void aten__abs_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted(
      "aten::abs.out", "t", [](const float* x) -> float { return __builtin_fabsf(x[0]); },
      [](const int64_t* x) -> int64_t { return x[0] < 0 ? wrapping_sub(0, x[0]) : x[0]; });
  pointwise(ctx, args, kOp);
}

void aten__sign_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::sign.out", "t", sign, sign);
  pointwise(ctx, args, kOp);
}

void aten__ceil_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = rounding<ceil_f32>("aten::ceil.out");
  pointwise(ctx, args, kOp);
}

void aten__floor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = rounding<floor_f32>("aten::floor.out");
  pointwise(ctx, args, kOp);
}

void aten__round_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = rounding<round_f32>("aten::round.out");
  pointwise(ctx, args, kOp);
}

void aten__trunc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = rounding<trunc_f32>("aten::trunc.out");
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
