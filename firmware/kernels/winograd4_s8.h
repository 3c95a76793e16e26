// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/winograd_form.h>

#include <cstdint>

namespace mcugen {

/// A 3x3 convolution by Winograd's F(4x4, 3x3), in integers and exact, of weights transformed ahead
/// of time. Of `params`, multipliers, shifts and the output's zero point are not used: they are in
/// the words.
///
/// Tiles of four by four outputs, from the first pixel on, come of six by six pixels x = q + 128,
/// with the zero point's outside of the image: V = B' x B, of every channel k with k % 4 < 2 plus
/// 0x3300; sums m of V * U over the channels; with B' and A' as loops_winograd4_dsp.S has them
///   v = (A' m A) * factor + start, which is 2^j times the sum over taps and the bias,
///   result = (v * multiplier / 2^32 + offset - (v < 0 ? correction : 0)) >> 16,
/// saturated to 8 bits, then limited to the activation. Sums wrap at 32 bits; divisions are floors.
///
/// @param[in] words int32[out_ch / 2][winograd4_words(in_ch)], per pair a, b of channels:
///   - positions by column 0 to 5, within it by row 3, 4, 0, 1, 2, 5; per position and four input
///     channels k, U: a's k and k + 2, a's k + 1 and k + 3, b's, as two int16 in a word;
///   - factor and start of a, then of b, that of output (2, 2) and of (2, 3) of a tile excepted, of
///     a, of b, which follow, then (3, 2) and (3, 3);
///   - multiplier and offset of a, of b; correction of a, a word that is not used, the same of b.
/// @param[out] output May lie over the input as far as in_place.h says, if U is of weights.
void winograd4_s8_scalar(const Conv2dS8Params& params, const int8_t* input, const int32_t* words,
                         int8_t* output);

/// The same with the DSP extension.
/// @returns false, and has done nothing, where the scratch is smaller than winograd4_s8_scratch().
bool winograd4_s8(const Conv2dS8Params& params, const int8_t* input, const int32_t* words,
                  int8_t* output);

uint32_t winograd4_s8_scratch(const Conv2dS8Params& params);

}  // namespace mcugen
