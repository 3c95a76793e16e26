// SPDX-License-Identifier: BSD-3-Clause
#include <ops/pointwise/operators.h>
#include <ops/pointwise/pointwise.h>

// Operators whose result is true or false.

namespace mcugen::ops {

void aten__eq_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::eq.Tensor_out", "tt", Result::kPredicate,
      [](const float* x) -> float { return x[0] == x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] == x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__eq_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::eq.Scalar_out", "ts", Result::kPredicate,
      [](const float* x) -> float { return x[0] == x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] == x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__ne_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::ne.Tensor_out", "tt", Result::kPredicate,
      [](const float* x) -> float { return x[0] != x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] != x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__ne_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::ne.Scalar_out", "ts", Result::kPredicate,
      [](const float* x) -> float { return x[0] != x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] != x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__lt_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::lt.Tensor_out", "tt", Result::kPredicate,
      [](const float* x) -> float { return x[0] < x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] < x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__lt_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::lt.Scalar_out", "ts", Result::kPredicate,
      [](const float* x) -> float { return x[0] < x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] < x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__le_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::le.Tensor_out", "tt", Result::kPredicate,
      [](const float* x) -> float { return x[0] <= x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] <= x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__le_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::le.Scalar_out", "ts", Result::kPredicate,
      [](const float* x) -> float { return x[0] <= x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] <= x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__gt_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::gt.Tensor_out", "tt", Result::kPredicate,
      [](const float* x) -> float { return x[0] > x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] > x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__gt_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::gt.Scalar_out", "ts", Result::kPredicate,
      [](const float* x) -> float { return x[0] > x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] > x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__ge_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::ge.Tensor_out", "tt", Result::kPredicate,
      [](const float* x) -> float { return x[0] >= x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] >= x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__ge_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::ge.Scalar_out", "ts", Result::kPredicate,
      [](const float* x) -> float { return x[0] >= x[1] ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return x[0] >= x[1] ? 1 : 0; }};
  pointwise(ctx, args, kOp);
}

void aten__logical_and_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::logical_and.out", "tt", Result::kPredicate,
      [](const float* x) -> float { return x[0] != 0.0f && x[1] != 0.0f ? 1.0f : 0.0f; }, nullptr};
  pointwise(ctx, args, kOp);
}

void aten__logical_or_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::logical_or.out", "tt", Result::kPredicate,
      [](const float* x) -> float { return x[0] != 0.0f || x[1] != 0.0f ? 1.0f : 0.0f; }, nullptr};
  pointwise(ctx, args, kOp);
}

void aten__logical_xor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::logical_xor.out", "tt", Result::kPredicate,
      [](const float* x) -> float { return (x[0] != 0.0f) != (x[1] != 0.0f) ? 1.0f : 0.0f; },
      nullptr};
  pointwise(ctx, args, kOp);
}

void aten__logical_not_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::logical_not.out", "t", Result::kPredicate,
      [](const float* x) -> float { return x[0] == 0.0f ? 1.0f : 0.0f; }, nullptr};
  pointwise(ctx, args, kOp);
}

void aten__isnan_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::isnan.out", "t", Result::kPredicate,
      [](const float* x) -> float { return x[0] != x[0] ? 1.0f : 0.0f; }, nullptr};
  pointwise(ctx, args, kOp);
}

void aten__isinf_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::isinf.out", "t", Result::kPredicate,
      [](const float* x) -> float { return x[0] - x[0] != 0.0f && x[0] == x[0] ? 1.0f : 0.0f; },
      nullptr};
  pointwise(ctx, args, kOp);
}

}  // namespace mcugen::ops
