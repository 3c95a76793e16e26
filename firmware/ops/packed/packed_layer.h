// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/lent_scratch.h>
#include <ops/common/op_args.h>

/// What the packed linear operators share.

namespace mcugen::ops {

/// A fully connected layer whose numbers and weights are one row of words.
struct PackedLayer {
  const int8_t* input;   ///< int8[batch, in_ch]
  const int32_t* words;  ///< The layer's numbers, then its weights.
  int8_t* out;           ///< int8[batch, out_ch]
  int32_t batch, in_ch, out_ch;
  size_t count;  ///< Of the words.

  /// @returns whether there are `numbers` words, first how many rows the output has, then others in
  ///     int8, and as many groups of words as these rows take, `rows` to a group.
  bool has(int32_t numbers, int32_t rows, int32_t group_words) const {
    const uint64_t groups = static_cast<uint32_t>((out_ch - 1) / rows + 1);
    if (groups * static_cast<uint32_t>(group_words) + static_cast<uint32_t>(numbers) != count ||
        words[0] != out_ch) {
      return false;
    }
    for (int32_t i = 1; i < numbers; ++i) {
      if (words[i] != static_cast<int8_t>(words[i])) {
        return false;
      }
    }
    return true;
  }
};

/// Reads input (argument 0), words (1) and output. @returns whether all is well.
bool packed_layer(OpArgs& args, size_t out_index, PackedLayer& layer);

/// @returns argument 2, which a row of inputs is widened into: a single one may lie in it, as
///     kernels/packed_linear_s8.h says (the same as widened_distance() in planning/overlap.py).
inline Scratch scratch_of(KernelRuntimeContext& ctx, OpArgs& args, const PackedLayer& layer) {
  const size_t row = (static_cast<size_t>(layer.in_ch) + 3) & ~size_t{3};
  const Scratch own = args.scratch(2, layer.batch == 1 ? 0 : SIZE_MAX, row);
  return args.ok() ? lent_scratch(ctx, own, static_cast<uint32_t>(2 * row)) : own;
}

}  // namespace mcugen::ops
