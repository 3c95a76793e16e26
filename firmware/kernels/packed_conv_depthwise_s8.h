// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>
#include <kernels/conv_runs.h>

#include <cstdint>

namespace mcugen {

/// A convolution and the depthwise one of 3x3 that alone reads its result.
struct PackedConvDepthwiseS8Params {
  /// The first; out_h and out_w are of its result, which lies nowhere. An even number of output
  /// channels, no groups. The activation is the second one's. Of the output's zero point,
  /// multipliers and shifts none is used: they are in the words.
  Conv2dS8Params conv;
  int32_t out_h, out_w;       ///< Of the second.
  int32_t stride;             ///< 1 or 2.
  int32_t pad_top, pad_left;  ///< 0 or 1.
  bool turned;                ///< Rows of planes go along columns of the image.
};

/// @returns the words of a pair of output channels.
inline int32_t packed_conv_depthwise_words(int32_t padded) { return padded + 24; }

/// Both, of weights packed ahead of time: what is between is the first one's result less its zero
/// point, 0 to 255, and 0 outside of the image. Results are saturated to 8 bits, then limited to
/// the activation.
///
/// @param[in] input int8[batch, in_h, in_w, in_ch].
/// @param[in] words int32[out_ch / 2][packed_conv_depthwise_words(conv_runs(conv).padded)], of
///   channels 2 i and 2 i + 1:
///   - two sums' starts, and taps as PackedConvForm::kPairs has them;
///   - multiplier and offset of either;
///     between = saturate_u8((sum * multiplier / 2^32 + offset) >> 12);
///   - for either channel nine words: per row of the 3x3 window, if turned per column, the weights
///     0 and 1, then 1 and 2, as two int16; what the sum starts from; multiplier and offset;
///     result = saturate((sum * multiplier / 2^32 + offset) >> 12).
/// @param[out] output int8[batch, out_h, out_w, out_ch]; must not overlap the inputs.
///
/// Sums wrap at 32 bits; all divisions are floors. The scalar kernel computes what is between
/// again for each window that reads it.
void packed_conv_depthwise_s8_scalar(const PackedConvDepthwiseS8Params& params, const int8_t* input,
                                     const int32_t* words, int8_t* output);

/// The same with the DSP extension, over planes of two channels, some rows of the output at a time.
/// Takes the scalar form where the scratch is smaller than packed_conv_depthwise_s8_scratch(params,
/// 1), or where that is 0.
void packed_conv_depthwise_s8_dsp(const PackedConvDepthwiseS8Params& params, const int8_t* input,
                                  const int32_t* words, int8_t* output);

/// @returns the bytes of scratch with which packed_conv_depthwise_s8_dsp() works on `rows` rows of
///     the output, if turned columns, at a time; all of them are best. 0: it has no
///     form for this shape.
uint32_t packed_conv_depthwise_s8_scratch(const PackedConvDepthwiseS8Params& params, int32_t rows);

}  // namespace mcugen
