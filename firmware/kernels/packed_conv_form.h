// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// The sizes and numbers of packed_conv2d_s8.h, for kernels that read its words.

namespace mcugen {

/// How the weights of a packed convolution lie: an argument of its operator, so the numbers stay.
enum class PackedConvForm : int32_t {
  kPairs = 0,      ///< Pairs of output channels in 16 bits, for products of two pixels by two.
  kWinograd2 = 1,  ///< Pairs of output channels, transformed by Winograd's F(2x2, 3x3).
  kWinograd4 = 2,  ///< The same by F(4x4, 3x3).
};
constexpr int32_t kPackedConvForms = 3;

/// How sums of kPairs become results: by two roundings, or by one and a shift, 4 to 11.
constexpr int32_t kPackedConvRoundings = 9;
constexpr int32_t kPackedConvRoundTwice = 0;
constexpr int32_t kPackedConvShift = 3;

/// @returns the words of a pair of output channels.
inline int32_t packed_conv_pairs_words(int32_t padded) { return padded + 9; }
inline int32_t packed_conv_winograd2_words(int32_t in_ch) { return 16 * in_ch + 22; }

}  // namespace mcugen
