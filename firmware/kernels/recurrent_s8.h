// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// One layer of a recurrent network in one direction: `steps` steps, each of which makes a new
/// state of the state before and of one row of the input. Gates are rows of both matrices, in
/// PyTorch's order, `units` rows each:
///   LSTM i, f, g, o:  c = sigmoid(f) c + sigmoid(i) tanh(g),  h = sigmoid(o) tanh(c)
///   GRU r, z, n:      h = (1 - sigmoid(z)) tanh(n) + sigmoid(z) h, where the state's part of n is
///                     multiplied by sigmoid(r)
///   RNN:              h = tanh(n), or max(n, 0)
/// A gate's sum has kGateBits bits behind the point:
///   sum[r] = bias[r] + round((multipliers_ih[r] * (weight_ih[r] · x)
///                             + multipliers_hh[r] * (weight_hh[r] · h)) / 2^shift),
/// halves up, limited to ±kMostSum. The products with the vectors wrap at 32 bits, their sum at 64.
/// Of a GRU's n each part is rounded by itself. The input's zero point is in the bias.
struct RecurrentS8Params {
  int32_t steps, batch, in_ch, units;  ///< At least 1 each.
  int32_t shift;                       ///< [1, 62]
  int32_t hidden_bits;                 ///< Of a state h, behind the point: [0, 15]
  int32_t cell_bits;                   ///< Of a cell c, where it comes in or goes out: [0, 15]
  int32_t output_zero_point;           ///< [-128, 127]
  int32_t output_multiplier;           ///< From a state to an output; as for requantize().
  int32_t output_shift;
  bool reverse;      ///< Whether the last step comes first.
  bool batch_first;  ///< Whether input and output are [batch, steps, …] or [steps, batch, …].
  bool relu;         ///< RNN only.
};

struct RecurrentS8Weights {
  const int8_t* ih;     ///< int8[gates * units, in_ch]
  const int8_t* hh;     ///< int8[gates * units, units]
  const int32_t* bias;  ///< int32[gates * units]; of a GRU [4 * units]: r, z, n's input and state
  const int32_t* multipliers_ih;  ///< int32[gates * units]
  const int32_t* multipliers_hh;
};

/// All of a layer's outputs. None overlaps another, nor the inputs.
struct RecurrentS8Outputs {
  int8_t* sequence;  ///< The state after each step, int8[steps, batch, units].
  int16_t* hidden;   ///< The state after the last one, int16[batch, units].
  int16_t* cell;     ///< The cell after it, int16[batch, units]; LSTM only.
  int32_t* scratch;  ///< int32[units], of an LSTM [2 * units].
};

constexpr int32_t kGateBits = 16;
constexpr int32_t kMostSum = 1 << 29;

/// @param[in] input int8[steps, batch, in_ch].
/// @param[in] hidden int16[batch, units], the first state; null for zeros.
/// @param[in] cell The same, the first cell.
///
/// Costs steps * batch * gates * units * (in_ch + units) MACs.
void lstm_s8_scalar(const RecurrentS8Params& params, const RecurrentS8Weights& weights,
                    const int8_t* input, const int16_t* hidden, const int16_t* cell,
                    const RecurrentS8Outputs& outputs);
void gru_s8_scalar(const RecurrentS8Params& params, const RecurrentS8Weights& weights,
                   const int8_t* input, const int16_t* hidden, const RecurrentS8Outputs& outputs);
void rnn_s8_scalar(const RecurrentS8Params& params, const RecurrentS8Weights& weights,
                   const int8_t* input, const int16_t* hidden, const RecurrentS8Outputs& outputs);

}  // namespace mcugen
