// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/scratch.h>

#include <cstdint>

namespace mcugen {

/// Rows of weights that share a group, two to a halfword: 256 * second + first, as one signed
/// number.
constexpr int32_t kPackedRows = 4;

/// Words of a group: its four starts, its weights, its scalings.
constexpr int32_t packed_linear_words(int32_t in_ch) { return 16 + ((in_ch + 3) & ~3); }

/// The same where weights have 16 bits each: rows that share a group, and words of it.
constexpr int32_t kWideRows = 5;
constexpr int32_t packed_linear_5x4_words(int32_t in_ch) { return 20 + (in_ch + 3) / 4 * 10; }

struct PackedLinearS8Params {
  int32_t batch;
  int32_t in_ch;
  int32_t out_ch;            ///< At least kPackedRows, or kWideRows.
  int32_t input_zero_point;  ///< [-128, 127]
  int32_t activation_min, activation_max;
  bool exact;  ///< Results may be below the output's zero point.
  /// Not used by the scalar kernel. A single row of inputs may lie in it, in_ch bytes in, rounded
  /// up to a multiple of four, or later: four are read, then written as eight bytes.
  Scratch scratch;
};

/// Fully connected layer with weights packed ahead of time, and the rescale collapsed into one
/// floor. Of each group of four rows a, b, c, d (the last group is the last four of all):
///   first = start_a + sum of x * a,                v_a = 256 * first,
///   both  = start_b + sum of x * (256 * b + a),    v_b = both - first,    c, d alike,
///   output = clamp(saturate8((v * multiplier / 2^32 + offset) >> shift));
/// in the exact form 128 is taken before the shift where v * multiplier < 0. The output's zero
/// point is in the offsets.
///
/// @param[in] input int8[batch, in_ch].
/// @param[in] groups int32[ceil(out_ch / 4), packed_linear_words(in_ch)]: the starts of a, b, c, d;
///     per four inputs k two words of rows a, b and c, d with the halfwords of k and k + 2, then
///     two with k + 1 and k + 3, zeros behind the last input; multiplier, offset and shift of each
///     row.
/// @param[out] output int8[batch, out_ch]; must not overlap the inputs.
///
/// Sums wrap at 32 bits. A shift's lowest five bits count.
void packed_linear_s8_scalar(const PackedLinearS8Params& params, const int8_t* input,
                             const int32_t* groups, int8_t* output);

/// The same by SMLAD: three instructions for four products. Takes the scalar form where the scratch
/// has less than 2 * in_ch bytes, in_ch rounded up to a multiple of four.
void packed_linear_s8_dsp(const PackedLinearS8Params& params, const int8_t* input,
                          const int32_t* groups, int8_t* output);

/// The same with twice the weights' bytes and fewer instructions: a word per row and two inputs, of
/// five rows at a time. v = start + sum of x * (256 * weight), of each row.
///
/// @param[in] groups int32[ceil(out_ch / 5), packed_linear_5x4_words(in_ch)]: the starts of five
///     rows; per four inputs k a word of each row with the halfwords of k and k + 2, then one with
///     k + 1 and k + 3, zeros behind the last input; multiplier, offset and shift of each row. The
///     last group is the last five rows of all.
void packed_linear_5x4_s8_scalar(const PackedLinearS8Params& params, const int8_t* input,
                                 const int32_t* groups, int8_t* output);

/// The same by SMLAD: 13 instructions for 20 products. Scratch as above.
void packed_linear_5x4_s8_dsp(const PackedLinearS8Params& params, const int8_t* input,
                              const int32_t* groups, int8_t* output);

}  // namespace mcugen
