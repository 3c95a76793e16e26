// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

/// What all reductions share: reading the arguments, splitting the dimensions, and one loop that
/// calls a function per element. An operator is a constant description, as in pointwise.h. Floats
/// are accumulated in double, in the logical order of the elements, so that the result is the exact
/// sum's nearest float but for sums that cancel; integers wrap.

namespace mcugen::ops {

/// What one element of the output is computed from.
struct Tally {
  double real;      ///< sum, product or extreme of floats
  int64_t integer;  ///< the same of integers
  int64_t count;    ///< elements before this one
  int64_t place;    ///< of the extreme
};

/// What an output is of the tally.
enum class Gives : uint8_t { kNothing, kValue, kPlace, kMean, kVariance };

/// Which type an output must have.
enum class Stores : uint8_t { kSum, kSame, kLong, kBool, kFloat };

struct Output {
  Gives gives;
  Stores stores;
};

/// How a tally is kept.
struct Steps {
  void (*in_float)(Tally& tally, float x);
  void (*in_int)(Tally& tally, int64_t x);  ///< null: integers are taken as floats
  uint8_t start = 0;                        ///< value of the tally before the first element
  bool needs_one = false;                   ///< there is no result of no elements
};

struct Reduction {
  const char* op;  ///< full name
  /// A letter for each argument after the input and before the outputs: D int[]? dims, d int dim,
  /// e int? dim, k keepdim, y dtype, u unbiased, c correction.
  const char* arguments;
  Steps steps;
  Output out[2];  ///< the second may be left out

  size_t outs() const { return out[1].gives == Gives::kNothing ? 1 : 2; }
};

/// Runs a reduction.
void reduce(KernelRuntimeContext& ctx, Span<EValue*> arguments, const Reduction& op);

}  // namespace mcugen::ops
