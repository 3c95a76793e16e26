// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/scratch.h>

#include <cstdint>

/// Fully connected layers with weights laid out ahead of time in blocks that a loop reads straight
/// through, the input zero point folded into what sums start from.

namespace mcugen {

struct PackedLinearBlocksS8Params {
  int32_t batch;
  int32_t in_ch;
  int32_t out_ch;
  int32_t output_zero_point;               ///< [-128, 127]
  int32_t activation_min, activation_max;  ///< [-128, 127]
  Scratch scratch;                         ///< Not used by the scalar kernels.
};

/// Words of a group of eight rows: its starts, its weights, its multipliers, its shifts. Numbers
/// are those of rows 0, 2, 4, 6, 1, 3, 5, 7.
constexpr int32_t packed_linear_8x16_words(int32_t in_ch) { return 24 + 32 * ((in_ch + 15) >> 4); }

/// output[b, o] = clamp(requantize(start + sum over i of input[b, i] * weights[o, i]) +
///     output zero point)
///
/// @param[in] input int8[batch, in_ch]; any address.
/// @param[in] groups int32[ceil(out_ch / 8), packed_linear_8x16_words(in_ch)]. Weights: per 16
///     inputs int8[8, 16]; the first ones are for what in_ch has over a multiple of 16, and only so
///     many of each row count. Rows from out_ch on do not. Shifts: -31 to -1, multipliers not
///     INT32_MIN; others give any result.
/// @param[out] output int8[batch, out_ch]; must not overlap the inputs.
///
/// Sums wrap at 32 bits.
void packed_linear_8x16_s8_scalar(const PackedLinearBlocksS8Params& params, const int8_t* input,
                                  const int32_t* groups, int8_t* output);

/// The same by Helium: 17 instructions per 128 products.
void packed_linear_8x16_s8_mve(const PackedLinearBlocksS8Params& params, const int8_t* input,
                               const int32_t* groups, int8_t* output);

/// Words of a group of four rows: its starts, its weights, its multipliers, its shifts.
constexpr int32_t packed_linear_4x4_words(int32_t in_ch) { return 12 + ((in_ch + 3) & ~3); }

/// The same with sums of two products, of inputs k and k + 2 or k + 1 and k + 3 of each four,
/// wrapped at 16 bits; all weights and inputs being -128 is what they have no room for.
///
/// @param[in] groups int32[ceil(out_ch / 4), packed_linear_4x4_words(in_ch)]. Weights: per four
///     inputs k a word per row, its bytes the weights of k + 2, k + 3, k, k + 1 plus 128.
void packed_linear_4x4_s8_scalar(const PackedLinearBlocksS8Params& params, const int8_t* input,
                                 const int32_t* groups, int8_t* output);

/// The same for cores without the DSP extension: a 32-bit product makes two of int8. Takes the
/// scalar form where the scratch has less than 2 * in_ch bytes, in_ch rounded up to a multiple of
/// four.
void packed_linear_4x4_s8_mla(const PackedLinearBlocksS8Params& params, const int8_t* input,
                              const int32_t* groups, int8_t* output);

}  // namespace mcugen
