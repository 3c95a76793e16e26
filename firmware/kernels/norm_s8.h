// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// Most elements that are normalised together: sums of them fit 32 bits, of their squares 64.
constexpr int32_t kMaxNormElements = 1 << 22;
/// Range of NormS8Params::spread_bits. The most is for one element, see most_spread_bits().
constexpr int32_t kMinSpreadBits = -16;
constexpr int32_t kMaxSpreadBits = 23;
/// Most of NormS8Params::epsilon.
constexpr int64_t kMaxNormEpsilon = int64_t{1} << 62;

/// @returns the smallest n with 2^n >= count; count 1 to 2^30.
inline int32_t ceil_log2(int32_t count) {
  int32_t bits = 0;
  while ((int32_t{1} << bits) < count) {
    ++bits;
  }
  return bits;
}

/// @returns how many spread_bits `count` elements may have: their spread, below 2^16 * count^2,
/// then
///     stays below 2^62.
inline int32_t most_spread_bits(int32_t count) { return kMaxSpreadBits - ceil_log2(count); }

struct NormS8Params {
  int32_t batch;   ///< Memory is [batch, pixels, groups, group_ch]; each at least 1 but for this.
  int32_t pixels;  ///< pixels * group_ch <= kMaxNormElements
  int32_t groups;
  int32_t group_ch;
  bool subtract_mean;         ///< If not, the root of the mean square is what is divided by.
  int32_t input_zero_point;   ///< [-128, 127]; of no meaning if the mean is subtracted.
  int64_t epsilon;            ///< 0 to kMaxNormEpsilon, see below.
  int32_t spread_bits;        ///< kMinSpreadBits to most_spread_bits(pixels * group_ch)
  bool per_channel;           ///< Whether weight and bias have groups * group_ch entries, or one.
  int32_t shift;              ///< 0 to 30: the bits behind the point of weight and bias.
  int32_t output_zero_point;  ///< [-128, 127]
  int32_t activation_min, activation_max;
};

/// Normalises each group of n = pixels * group_ch elements by its own mean and deviation: layer
/// norm (one pixel, one group), group norm, instance norm (groups of one channel); without
/// subtraction of the mean RMS norm. In integers, the same on every CPU:
///
/// - difference = n * q - sum over the group of q; without mean, n * (q - input_zero_point)
/// - spread = n * sum of squares - square of the sum; the sum of differences^2, over n
/// - z = difference * 2^spread_bits / sqrt(spread * 4^spread_bits + epsilon)
/// - output = clamp(output_zero_point + (z * weight[c] + bias[c]) * 2^-shift)
///
/// `epsilon` is n^2 * eps / input_scale^2, with as many bits behind the point as the spread has. z
/// has 27 - ceil_log2(n) / 2 of them, and is below 2^28; the root is rounded down to 31 bits. Both
/// roundings are halves up. A group of equal elements gives the bias alone, whatever epsilon is.
///
/// @param[in] input int8[batch, pixels, groups, group_ch].
/// @param[in] weight int32[groups * group_ch] or [1]: the factor over the output's scale.
/// @param[in] bias int32, as many: the term over the output's scale.
/// @param[out] output int8, as the input; may be the input.
///
/// Cost: 2 passes; per element a product of 32 x 32 bits for z and one for the weight, per group a
/// root and a reciprocal of some hundred instructions each.
void norm_s8_scalar(const NormS8Params& params, const int8_t* input, const int32_t* weight,
                    const int32_t* bias, int8_t* output);

}  // namespace mcugen
