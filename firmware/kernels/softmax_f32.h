// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// output = exp(input - max) / sum of exp(input - max), over `count` elements that lie `in_step`
/// and `out_step` apart, count >= 1. Each exponential is a float, their sum is added up in double
/// from the first to the last. A NaN or +inf among the input gives NaN everywhere.
void softmax_f32_scalar(int32_t count, const float* input, int32_t in_step, float* output,
                        int32_t out_step);

/// output = (input - max) - log(sum of exp(input - max)), likewise.
void log_softmax_f32_scalar(int32_t count, const float* input, int32_t in_step, float* output,
                            int32_t out_step);

}  // namespace mcugen
