// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/axes.h>
#include <ops/common/op_args.h>

/// What all element-by-element operators share: reading the arguments, type promotion,
/// broadcasting, and one loop that calls a function per element. An operator is a constant
/// description and costs a few words; it is not meant to be fast.

namespace mcugen::ops {

/// Computes one element of operands x[0], x[1], …, tensors and numbers alike.
using FloatFunction = float (*)(const float* x);
using IntFunction = int64_t (*)(const int64_t* x);

enum class Result : uint8_t {
  kPromoted,   ///< computed in the operands' common type; stored as any type that holds it
  kFloat,      ///< computed in float, whatever the operands' types
  kPredicate,  ///< computed in the operands' common type to 0 or 1, stored as any type
};

struct Pointwise {
  const char* op;  ///< full name
  /// A letter for each argument before `out`:
  ///   t  tensor operand; takes part in type promotion
  ///   b  tensor operand of bool or uint8; does not take part
  ///   T  the same as t, may be None
  ///   s  number operand; lifts bool to int64, or integers to float. Where it does not, it wraps
  ///      into the tensors' type, for comparisons too, as in ExecuTorch
  ///   S  the same, may be None
  ///   a  number operand that takes no part: a factor of the others
  ///   A  the same, may be None
  ///   i  the same as a, but a fraction is cut off for integers, where a refuses it
  ///   -  read by the operator itself
  /// What is None is NaN to in_float and 0 to in_int.
  const char* operands;
  Result result;
  FloatFunction in_float;            ///< null: refuse float
  IntFunction in_int;                ///< null: integers are computed in float
  uint32_t dtypes = kComputeDtypes;  ///< of tensor operands
  bool divides = false;              ///< integers: x[1] must not be 0
};

/// The usual kinds.
constexpr Pointwise promoted(const char* op, const char* operands, FloatFunction in_float,
                             IntFunction in_int, uint32_t dtypes = kComputeDtypes) {
  return {op, operands, Result::kPromoted, in_float, in_int, dtypes};
}
constexpr Pointwise computed_in_float(const char* op, const char* operands,
                                      FloatFunction function) {
  return {op, operands, Result::kFloat, function, nullptr};
}
constexpr Pointwise predicate(const char* op, const char* operands, FloatFunction in_float,
                              IntFunction in_int = nullptr) {
  return {op, operands, Result::kPredicate, in_float, in_int};
}

/// Runs an operator whose outputs are one tensor.
void pointwise(KernelRuntimeContext& ctx, Span<EValue*> arguments, const Pointwise& op);
/// The same with arguments that the caller has begun to read.
void pointwise(OpArgs& args, const Pointwise& op);

/// Walks up to three tensors, broadcast against each other, in the memory order of the output.
class BroadcastWalk {
 public:
  static constexpr int32_t kMaxInputs = 3;

  /// Finds the shape that `inputs` (null: left out) are broadcast to and gives it to `out`.
  /// Fails through `args`.
  BroadcastWalk(OpArgs& args, const Tensor* out, const Tensor* const* inputs, int32_t count);

  /// @returns where the present element of input `i` is, in elements.
  size_t offset(int32_t i) const { return static_cast<size_t>(axes_.offsets[i]); }
  /// Goes to the next element.
  void next() { axes_.next(); }

 private:
  Axes<kMaxInputs> axes_;  // in memory order of the output, outermost first
};

}  // namespace mcugen::ops
