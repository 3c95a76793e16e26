// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

struct SoftmaxS8Params {
  int32_t outer;  ///< Product of the dimensions before the softmax axis, in memory order.
  int32_t depth;  ///< Size of the axis.
  int32_t inner;  ///< Product of the dimensions after it.
  int32_t input_multiplier;  ///< Q31, and input_shift: input scale * 2^26.
  int32_t input_shift;       ///< [-31, 31]
  int32_t diff_min;          ///< (input - max) below this counts as probability 0.
};

/// Softmax along one axis. Output scale 1/256, zero point -128, so -128 is 0 and 127 is 255/256.
///
/// @param[in] input int8[outer, depth, inner].
/// @param[out] output int8[outer, depth, inner]; may be the input.
///
/// Fixed point throughout, with the arithmetic that gemmlowp's documentation defines and int8
/// networks are trained against: exp(x) for x <= 0 in Q5.26 by a cubic around -1/8 on
/// [-1/4, 0) times tabulated exp(-2^k); 1/(1+x) on [0, 1] by three Newton-Raphson steps.
/// The input's zero point cancels, since only differences from the maximum count.
void softmax_s8_scalar(const SoftmaxS8Params& params, const int8_t* input, int8_t* output);

}  // namespace mcugen
