// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/math_f32.h>
#include <kernels/trig_f32.h>
#include <ops/pointwise/operators.h>
#include <ops/pointwise/pointwise.h>

// Arithmetic of two operands.

namespace mcugen::ops {
namespace {

/// Rounds towards zero; INT64_MIN / -1 wraps. Divisors of 0 have been refused, but a file may have
/// laid the output over them.
int64_t quotient(const int64_t* x) {
  return x[1] == -1 ? wrapping_sub(0, x[0]) : x[1] == 0 ? 0 : x[0] / x[1];
}

int64_t rest(const int64_t* x) { return x[1] == -1 || x[1] == 0 ? 0 : x[0] % x[1]; }

/// The rest with the divisor's sign.
int64_t floor_rest(const int64_t* x) {
  const int64_t r = rest(x);
  return r != 0 && (r < 0) != (x[1] < 0) ? r + x[1] : r;
}

float floor_rest(const float* x) {
  const float r = fmod_f32(x[0], x[1]);
  return r != 0.0f && (r < 0.0f) != (x[1] < 0.0f) ? r + x[1] : r;
}

int64_t floor_quotient(const int64_t* x) {
  const int64_t r = rest(x);
  return r != 0 && (r < 0) != (x[1] < 0) ? quotient(x) - 1 : quotient(x);
}

/// As Python defines it: the floor of the exact quotient, where floor(x[0] / x[1]) would round up
/// first. The quotient of what is left is an integer but for rounding.
float floor_quotient(const float* x) {
  if (x[1] == 0.0f) {
    return x[0] / x[1];
  }
  const float r = fmod_f32(x[0], x[1]);
  float q = (x[0] - r) / x[1];
  if (r != 0.0f && (r < 0.0f) != (x[1] < 0.0f)) {
    q -= 1.0f;
  }
  if (q == 0.0f) {
    return x[0] / x[1] < 0.0f ? -0.0f : 0.0f;
  }
  const float floor = floor_f32(q);
  return q - floor > 0.5f ? floor + 1.0f : floor;
}

/// x[0] to the power of x[1], wrapping. A negative exponent gives the integer part of the fraction.
int64_t power(const int64_t* x) {
  int64_t base = x[0];
  if (x[1] < 0) {
    return base == 1 ? 1 : base == -1 ? ((x[1] & 1) != 0 ? -1 : 1) : 0;
  }
  int64_t result = 1;
  for (int64_t exponent = x[1]; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) {
      result = wrapping_mul(result, base);
    }
    base = wrapping_mul(base, base);
  }
  return result;
}

/// Shifts by more than there are bits leave none, or the sign.
int64_t shift_left(const int64_t* x) {
  return x[1] < 0 || x[1] > 63 ? 0 : static_cast<int64_t>(static_cast<uint64_t>(x[0]) << x[1]);
}

int64_t shift_right(const int64_t* x) { return x[0] >> (x[1] < 0 || x[1] > 63 ? 63 : x[1]); }

// x[2] is alpha.
float plus(const float* x) { return x[0] + x[1] * x[2]; }
int64_t plus(const int64_t* x) { return wrapping_add(x[0], wrapping_mul(x[1], x[2])); }
float minus(const float* x) { return x[0] - x[1] * x[2]; }
int64_t minus(const int64_t* x) { return wrapping_sub(x[0], wrapping_mul(x[1], x[2])); }
float minus_reversed(const float* x) { return x[1] - x[0] * x[2]; }
int64_t minus_reversed(const int64_t* x) { return wrapping_sub(x[1], wrapping_mul(x[0], x[2])); }

float product(const float* x) { return x[0] * x[1]; }
int64_t product(const int64_t* x) { return wrapping_mul(x[0], x[1]); }
float quotient(const float* x) { return x[0] / x[1]; }
float rest(const float* x) { return fmod_f32(x[0], x[1]); }
float power(const float* x) { return pow_f32(x[0], x[1]); }
float angle(const float* x) { return atan2_f32(x[0], x[1]); }

int64_t bits_and(const int64_t* x) { return x[0] & x[1]; }
int64_t bits_or(const int64_t* x) { return x[0] | x[1]; }
int64_t bits_xor(const int64_t* x) { return x[0] ^ x[1]; }

/// promoted(), for x[1] that must not be 0 among integers.
constexpr Pointwise division(const char* op, const char* operands, FloatFunction in_float,
                             IntFunction in_int) {
  return {op, operands, Result::kPromoted, in_float, in_int, kComputeDtypes, true};
}

constexpr Pointwise bitwise(const char* op, const char* operands, IntFunction function,
                            uint32_t dtypes = kIntDtypes | kBoolDtypes) {
  return {op, operands, Result::kPromoted, nullptr, function, dtypes};
}

}  // namespace

void aten__add_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::add.out", "tta", plus, plus);
  pointwise(ctx, args, kOp);
}

void aten__add_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::add.Scalar_out", "tsa", plus, plus);
  pointwise(ctx, args, kOp);
}

void aten__sub_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::sub.out", "tta", minus, minus);
  pointwise(ctx, args, kOp);
}

void aten__sub_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::sub.Scalar_out", "tsa", minus, minus);
  pointwise(ctx, args, kOp);
}

void aten__rsub_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      promoted("aten::rsub.Scalar_out", "tsa", minus_reversed, minus_reversed);
  pointwise(ctx, args, kOp);
}

void aten__mul_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::mul.out", "tt", product, product);
  pointwise(ctx, args, kOp);
}

void aten__mul_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::mul.Scalar_out", "ts", product, product);
  pointwise(ctx, args, kOp);
}

void aten__div_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = computed_in_float("aten::div.out", "tt", quotient);
  pointwise(ctx, args, kOp);
}

void aten__div_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = computed_in_float("aten::div.Scalar_out", "ts", quotient);
  pointwise(ctx, args, kOp);
}

void aten__floor_divide_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      division("aten::floor_divide.out", "tt", floor_quotient, floor_quotient);
  pointwise(ctx, args, kOp);
}

void aten__fmod_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = division("aten::fmod.Tensor_out", "tt", rest, rest);
  pointwise(ctx, args, kOp);
}

void aten__fmod_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = division("aten::fmod.Scalar_out", "ts", rest, rest);
  pointwise(ctx, args, kOp);
}

void aten__remainder_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      division("aten::remainder.Tensor_out", "tt", floor_rest, floor_rest);
  pointwise(ctx, args, kOp);
}

void aten__remainder_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      division("aten::remainder.Scalar_out", "ts", floor_rest, floor_rest);
  pointwise(ctx, args, kOp);
}

void aten__pow_Tensor_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::pow.Tensor_Tensor_out", "tt", power, power);
  pointwise(ctx, args, kOp);
}

void aten__pow_Tensor_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::pow.Tensor_Scalar_out", "ts", power, power);
  pointwise(ctx, args, kOp);
}

void aten__pow_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::pow.Scalar_out", "st", power, power);
  pointwise(ctx, args, kOp);
}

void aten__atan2_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = computed_in_float("aten::atan2.out", "tt", angle);
  pointwise(ctx, args, kOp);
}

void aten__bitwise_and_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = bitwise("aten::bitwise_and.Tensor_out", "tt", bits_and);
  pointwise(ctx, args, kOp);
}

void aten__bitwise_and_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = bitwise("aten::bitwise_and.Scalar_out", "ts", bits_and);
  pointwise(ctx, args, kOp);
}

void aten__bitwise_or_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = bitwise("aten::bitwise_or.Tensor_out", "tt", bits_or);
  pointwise(ctx, args, kOp);
}

void aten__bitwise_or_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = bitwise("aten::bitwise_or.Scalar_out", "ts", bits_or);
  pointwise(ctx, args, kOp);
}

void aten__bitwise_xor_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = bitwise("aten::bitwise_xor.Tensor_out", "tt", bits_xor);
  pointwise(ctx, args, kOp);
}

void aten__bitwise_xor_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = bitwise("aten::bitwise_xor.Scalar_out", "ts", bits_xor);
  pointwise(ctx, args, kOp);
}

void aten__bitwise_left_shift_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      bitwise("aten::bitwise_left_shift.Tensor_out", "tt", shift_left, kIntDtypes);
  pointwise(ctx, args, kOp);
}

void aten__bitwise_left_shift_Tensor_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      bitwise("aten::bitwise_left_shift.Tensor_Scalar_out", "ts", shift_left, kIntDtypes);
  pointwise(ctx, args, kOp);
}

void aten__bitwise_right_shift_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      bitwise("aten::bitwise_right_shift.Tensor_out", "tt", shift_right, kIntDtypes);
  pointwise(ctx, args, kOp);
}

void aten__bitwise_right_shift_Tensor_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      bitwise("aten::bitwise_right_shift.Tensor_Scalar_out", "ts", shift_right, kIntDtypes);
  pointwise(ctx, args, kOp);
}

namespace {

/// div with a rounding mode, None included.
void div_by_mode(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op,
                 const char* operands) {
  static constexpr const char* kModes[] = {"trunc", "floor"};
  OpArgs args(ctx, arguments, op, 4);
  Pointwise description = {op, operands, Result::kPromoted, nullptr, nullptr, kComputeDtypes, true};
  if (args.is_none(2)) {
    description.result = Result::kFloat;
    description.in_float = quotient;
  } else if (args.choice(2, kModes, 2) == 0) {
    description.in_float = [](const float* x) { return trunc_f32(x[0] / x[1]); };
    description.in_int = quotient;
  } else {
    description.in_float = floor_quotient;
    description.in_int = floor_quotient;
  }
  pointwise(args, description);
}

}  // namespace

void aten__div_out_mode(KernelRuntimeContext& ctx, Span<EValue*> args) {
  div_by_mode(ctx, args, "aten::div.out_mode", "tt-");
}

void aten__div_Scalar_mode_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  div_by_mode(ctx, args, "aten::div.Scalar_mode_out", "ts-");
}

}  // namespace mcugen::ops
