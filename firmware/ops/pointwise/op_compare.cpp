// SPDX-License-Identifier: BSD-3-Clause
#include <ops/pointwise/operators.h>
#include <ops/pointwise/pointwise.h>

// Operators whose result is true or false.

namespace mcugen::ops {
namespace {

struct Equal {
  template <typename T>
  static bool holds(T a, T b) {
    return a == b;
  }
};

struct NotEqual {
  template <typename T>
  static bool holds(T a, T b) {
    return a != b;
  }
};

struct Less {
  template <typename T>
  static bool holds(T a, T b) {
    return a < b;
  }
};

struct LessEqual {
  template <typename T>
  static bool holds(T a, T b) {
    return a <= b;
  }
};

struct Greater {
  template <typename T>
  static bool holds(T a, T b) {
    return a > b;
  }
};

struct GreaterEqual {
  template <typename T>
  static bool holds(T a, T b) {
    return a >= b;
  }
};

template <typename Compare>
constexpr Pointwise comparison(const char* op, const char* operands) {
  return predicate(
      op, operands,
      [](const float* x) -> float { return Compare::holds(x[0], x[1]) ? 1.0f : 0.0f; },
      [](const int64_t* x) -> int64_t { return Compare::holds(x[0], x[1]) ? 1 : 0; });
}

}  // namespace

void aten__eq_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<Equal>("aten::eq.Tensor_out", "tt");
  pointwise(ctx, args, kOp);
}

void aten__eq_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<Equal>("aten::eq.Scalar_out", "ts");
  pointwise(ctx, args, kOp);
}

void aten__ne_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<NotEqual>("aten::ne.Tensor_out", "tt");
  pointwise(ctx, args, kOp);
}

void aten__ne_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<NotEqual>("aten::ne.Scalar_out", "ts");
  pointwise(ctx, args, kOp);
}

void aten__lt_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<Less>("aten::lt.Tensor_out", "tt");
  pointwise(ctx, args, kOp);
}

void aten__lt_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<Less>("aten::lt.Scalar_out", "ts");
  pointwise(ctx, args, kOp);
}

void aten__le_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<LessEqual>("aten::le.Tensor_out", "tt");
  pointwise(ctx, args, kOp);
}

void aten__le_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<LessEqual>("aten::le.Scalar_out", "ts");
  pointwise(ctx, args, kOp);
}

void aten__gt_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<Greater>("aten::gt.Tensor_out", "tt");
  pointwise(ctx, args, kOp);
}

void aten__gt_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<Greater>("aten::gt.Scalar_out", "ts");
  pointwise(ctx, args, kOp);
}

void aten__ge_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<GreaterEqual>("aten::ge.Tensor_out", "tt");
  pointwise(ctx, args, kOp);
}

void aten__ge_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = comparison<GreaterEqual>("aten::ge.Scalar_out", "ts");
  pointwise(ctx, args, kOp);
}

void aten__logical_and_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      predicate("aten::logical_and.out", "tt",
                [](const float* x) -> float { return x[0] != 0.0f && x[1] != 0.0f ? 1.0f : 0.0f; });
  pointwise(ctx, args, kOp);
}

void aten__logical_or_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      predicate("aten::logical_or.out", "tt",
                [](const float* x) -> float { return x[0] != 0.0f || x[1] != 0.0f ? 1.0f : 0.0f; });
  pointwise(ctx, args, kOp);
}

void aten__logical_xor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = predicate(
      "aten::logical_xor.out", "tt",
      [](const float* x) -> float { return (x[0] != 0.0f) != (x[1] != 0.0f) ? 1.0f : 0.0f; });
  pointwise(ctx, args, kOp);
}

void aten__logical_not_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      predicate("aten::logical_not.out", "t",
                [](const float* x) -> float { return x[0] == 0.0f ? 1.0f : 0.0f; });
  pointwise(ctx, args, kOp);
}

void aten__isnan_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = predicate(
      "aten::isnan.out", "t", [](const float* x) -> float { return x[0] != x[0] ? 1.0f : 0.0f; });
  pointwise(ctx, args, kOp);
}

void aten__isinf_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = predicate("aten::isinf.out", "t", [](const float* x) -> float {
    return x[0] - x[0] != 0.0f && x[0] == x[0] ? 1.0f : 0.0f;
  });
  pointwise(ctx, args, kOp);
}

}  // namespace mcugen::ops
