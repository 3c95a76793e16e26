// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/recurrent_s8.h>

/// What the recurrent kernels share: a gate's sum, its function, and where a step's rows are.

namespace mcugen {

/// 1 as gates have it: 15 bits behind the point.
constexpr int32_t kGateOne = 1 << 15;

/// @returns value / 2^shift, halves up. @param[in] shift 0 to 62.
inline int64_t round_half_up(int64_t value, int32_t shift) {
  const uint64_t half = (uint64_t{1} << shift) >> 1;
  return static_cast<int64_t>(static_cast<uint64_t>(value) + half) >> shift;
}

/// @returns value limited to int16.
int16_t saturate_s16(int64_t value);

/// @returns sigmoid(sum), 0 … kGateOne; by a table of 257 values and straight lines between them,
///     within 2.1 of the exact value. @param[in] sum kGateBits bits behind the point.
int32_t sigmoid_gate(int32_t sum);

/// @returns tanh(sum), -kGateOne … kGateOne, within 3.6. @param[in] sum |sum| <= 2^30.
int32_t tanh_gate(int32_t sum);

/// @returns the sum of row `row` of both matrices, over one row of the input and the state;
///     of one matrix, if the other's vector is null.
/// @param[in] bias The row's.
int32_t gate_sum(const RecurrentS8Params& params, const RecurrentS8Weights& weights, int32_t row,
                 int32_t bias, const int8_t* input, const int16_t* hidden);

/// Walks through the steps of one element of the batch.
class RecurrentSteps {
 public:
  RecurrentSteps(const RecurrentS8Params& params, int32_t batch, const int8_t* input,
                 int8_t* output);

  const int8_t* input() const { return input_; }
  /// Writes a state as this step's output, and goes on to the next one.
  /// @returns whether there is one.
  bool finish(const int16_t* hidden);

 private:
  const RecurrentS8Params& params_;
  const int8_t* input_;
  int8_t* output_;
  int32_t left_;
  int32_t rows_;  ///< How many rows further the next step is; negative if reverse.
};

/// Puts the first state into `to`: zeros if `from` is null.
void start_state(const int16_t* from, int32_t units, int16_t* to);

}  // namespace mcugen
