// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/math_f32.h>
#include <ops/pointwise/operators.h>
#include <ops/pointwise/pointwise.h>

// Activation functions that the quantizer leaves in float.

namespace mcugen::ops {
namespace {

float silu(const float* x) { return x[0] * sigmoid_f32(x[0]); }

float relu6_of_plus_3(float x) {
  const float y = x + 3.0f;
  return y < 0.0f ? 0.0f : y > 6.0f ? 6.0f : y;
}

float hard_sigmoid(const float* x) { return relu6_of_plus_3(x[0]) / 6.0f; }

/// Multiplied before it is divided, as torch does: beyond a sixth of the largest float, infinity.
float hard_swish(const float* x) { return x[0] * relu6_of_plus_3(x[0]) / 6.0f; }

/// x[1]: alpha, x[2]: scale, x[3]: scale of the input.
float elu(const float* x) {
  return x[0] <= 0.0f ? expm1_f32(x[0] * x[3]) * (x[1] * x[2]) : x[0] * x[2];
}

/// x[1]: how near to 0 and 1 the operand may come; NaN for no limit.
float logit(const float* x) {
  float p = x[0];
  if (x[1] == x[1]) {
    p = p < x[1] ? x[1] : p > 1.0f - x[1] ? 1.0f - x[1] : p;
  }
  return log_f32(p / (1.0f - p));
}

float gelu_by_erf(const float* x) {
  const double value = static_cast<double>(x[0]);
  return static_cast<float>(0.5 * value * (1.0 + erf_f64(value * 0.7071067811865476)));
}

float gelu_by_tanh(const float* x) {
  const double value = static_cast<double>(x[0]);
  const double inner = 0.7978845608028654 * (value + 0.044715 * value * value * value);
  return static_cast<float>(0.5 * value * (1.0 + tanh_f64(inner)));
}

}  // namespace

void aten__leaky_relu_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::leaky_relu.out",
      "ta",
      Result::kFloat,
      [](const float* x) -> float { return x[0] > 0.0f ? x[0] : x[0] * x[1]; },
      nullptr,
      kFloatDtypes};
  pointwise(ctx, args, kOp);
}

void aten__elu_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::elu.out", "taaa",      Result::kFloat, elu,
                                    nullptr,         kFloatDtypes};
  pointwise(ctx, args, kOp);
}

void aten__logit_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::logit.out", "tA",        Result::kFloat, logit,
                                    nullptr,           kFloatDtypes};
  pointwise(ctx, args, kOp);
}

void aten__silu_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::silu.out", "t",         Result::kFloat, silu,
                                    nullptr,          kFloatDtypes};
  pointwise(ctx, args, kOp);
}

void aten__hardsigmoid_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {
      "aten::hardsigmoid.out", "t", Result::kFloat, hard_sigmoid, nullptr, kFloatDtypes};
  pointwise(ctx, args, kOp);
}

void aten__hardswish_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = {"aten::hardswish.out", "t", Result::kFloat, hard_swish, nullptr,
                                    kFloatDtypes};
  pointwise(ctx, args, kOp);
}

void aten__gelu_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  static constexpr const char* kApproximations[] = {"none", "tanh"};
  OpArgs args(ctx, arguments, "aten::gelu.out", 3);
  const FloatFunction gelu = args.choice(1, kApproximations, 2) == 0 ? gelu_by_erf : gelu_by_tanh;
  pointwise(args, {"aten::gelu.out", "t-", Result::kFloat, gelu, nullptr, kFloatDtypes});
}

void aten__glu_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::glu.out", 3);
  const Tensor* const self = args.tensor(0, ScalarType::Float);
  const Tensor* const out = args.tensor(2, ScalarType::Float);
  if (!args.ok() || !args.check(self->dim() > 0, "rank")) {
    return;
  }
  const auto rank = static_cast<int32_t>(self->dim());
  const int32_t dim = args.dim(1, rank);
  int32_t shape[kMaxDims];
  for (int32_t d = 0; d < rank; ++d) {
    shape[d] = sizes_of(*self)[d];
  }
  if (!args.check(shape[dim] % 2 == 0, "shape: halves differ")) {
    return;
  }
  shape[dim] /= 2;
  if (!args.resize(out, shape, rank) || out->numel() == 0) {
    return;
  }
  int32_t strides[kMaxDims];
  strides_of(*self, strides);
  const int32_t gate = strides[dim] * shape[dim];
  const float* const from = self->const_data_ptr<float>();
  float* const to = out->mutable_data_ptr<float>();
  int32_t index[kMaxDims] = {};
  const auto count = static_cast<size_t>(out->numel());
  for (size_t n = 0; n < count; ++n) {
    int32_t at = 0;
    for (int32_t d = 0; d < rank; ++d) {
      at += index[d] * strides[d];
    }
    store_float(to, ScalarType::Float, n, from[at] * sigmoid_f32(from[at + gate]));
    for (int32_t i = rank - 1; i >= 0; --i) {
      const uint8_t d = order_of(*out)[i];
      if (++index[d] < shape[d]) {
        break;
      }
      index[d] = 0;
    }
  }
}

}  // namespace mcugen::ops
