// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>
#include <kernels/conv_runs.h>
#include <kernels/packed_conv_form.h>

#include <cstdint>

namespace mcugen {

/// A convolution as conv2d_s8.h has it, without groups, of weights packed ahead of time. Of
/// `params`, multipliers, shifts and the output's zero point are not used: they are in the words.
/// A pair's results are saturated to 8 bits, then limited to the activation.
///
/// @param[in] words int32[ceil(out_ch / 2)][...], of pairs of output channels.
///   kPairs, packed_conv_pairs_words(conv_runs(params).padded):
///   - channels a | b << 16, maybe twice the same, and the rounding, 0 to kPackedConvRoundings - 1;
///   - the sums' starts of a and b; then per four taps k in the order of conv_runs() two int16 per
///     word: a's k and k + 2, b's, then k + 1 and k + 3 of each; zeros for taps that do not count;
///   - by one rounding: multiplier and offset of a and of b, and a word that is not used;
///     result = (sum * multiplier / 2^32 + offset) >> (7 + kPackedConvShift + rounding);
///   - by two: multiplier and factor of a and of b, then the output's zero point;
///     v = (sum * (2^32 + multiplier) + 2^31) / 2^32, less one if it is negative,
///     result = zero point + (2^31 - v * factor) / 2^32.
///   kWinograd2, packed_conv_winograd2_words(in_ch); shapes as winograd_has_form() says, an even
///   number of output channels; inputs are not less their zero point:
///   - per column of positions four words that sums start from, of a and b in even tiles of a row
///     and in odd ones; then per row of positions, in the order 1, 0, 2, 3, and four input channels
///     k: a's k and k + 2, a's k + 1 and k + 3, b's;
///   - multiplier, factor and zero point of a and of b;
///     v = (sum * multiplier + 2^31) / 2^32, with twice the sum over taps, then as by two
///     roundings.
///   kWinograd4: as winograd4_s8.h says.
/// @param[out] output May lie over the input as far as in_place.h says.
///
/// Sums wrap at 32 bits; all divisions are floors.
void packed_conv2d_s8_scalar(PackedConvForm form, const Conv2dS8Params& params, const int8_t* input,
                             const int32_t* words, int8_t* output);

/// The same with the DSP extension. Takes the scalar form where the scratch is smaller than
/// convolve_packed_s8_scratch(params, 2), winograd_s8_scratch(params, 1, 0) or
/// winograd4_s8_scratch(params).
void packed_conv2d_s8_dsp(PackedConvForm form, const Conv2dS8Params& params, const int8_t* input,
                          const int32_t* words, int8_t* output);

}  // namespace mcugen
