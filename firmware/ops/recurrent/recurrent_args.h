// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/recurrent_s8.h>
#include <ops/common/op_args.h>

namespace mcugen::ops {

/// The arguments of a recurrent layer, in the order of its schema:
///   input, hidden, [cell], weight_ih, weight_hh, bias, multipliers_ih, multipliers_hh, shift,
///   hidden_bits, [cell_bits], output_zero_point, output_multiplier, output_shift, reverse,
///   batch_first, [relu], out, out_hidden, [out_cell], scratch
struct RecurrentArgs {
  RecurrentS8Params params;
  RecurrentS8Weights weights;
  RecurrentS8Outputs outputs;
  const int8_t* input;
  const int16_t* hidden;  ///< Null for zeros, as is the cell.
  const int16_t* cell;
};

/// Which of the bracketed ones there are.
struct RecurrentKind {
  int32_t gates;
  bool cell;
  bool relu;
};

/// Reads and checks all of them. @returns whether they are what they must be.
bool read_recurrent(OpArgs& args, const RecurrentKind& kind, RecurrentArgs& read);

}  // namespace mcugen::ops
