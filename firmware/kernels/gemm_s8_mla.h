// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/loops_mla.h>

#include <cstdint>

/// Matrix products of int8 for cores without the DSP extension, as convolutions use them: pixels by
/// output channels, over taps.

namespace mcugen {

struct GemmS8MlaLayer {
  int32_t taps;  ///< What one output sums over.
  const int8_t* weights;
  int32_t channel_step;  ///< Elements of `weights` from a channel to the next.
  int32_t tap_step;      ///< Elements from a tap to the next.
  const int32_t* bias;   ///< int32[channels], or null for none.
  const int32_t* multipliers;
  const int32_t* shifts;
  int32_t input_zero_point;
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t out_step;  ///< Bytes from a pixel of the output to the next.
};

/// Fewest channels that gemm_s8_mla_run() takes.
constexpr int32_t kGemmS8MlaChannels = MCUGEN_MLA_CHANNELS;

/// @returns taps rounded up to whole groups of four.
inline int32_t gemm_s8_mla_padded(int32_t taps) { return (taps + 3) & ~3; }

/// @returns the bytes of a pair of pixels, widened.
inline int32_t gemm_s8_mla_pair_bytes(int32_t taps) { return 4 * gemm_s8_mla_padded(taps); }

/// @returns the bytes of the stream of kGemmS8MlaChannels channels.
inline int32_t gemm_s8_mla_stream_bytes(int32_t taps) {
  return kGemmS8MlaChannels * (2 * gemm_s8_mla_padded(taps) + 16) + 8;
}

/// Computes channels [first, end) of `count` pixels, at least kGemmS8MlaChannels channels. The
/// activation's limits are not applied, but for activation_min where it is the output's zero point
/// or above. Channels whose scaling or sums the loops have no room for take a general form.
/// @param[in] pixels (count + 1) / 2 pairs as McugenMlaTiles says. Of an odd count the last pair is
///     the last two pixels, or twice the only one.
/// @param[in] stream gemm_s8_mla_stream_bytes(), to be written over; word-aligned.
/// @param[out] out Of pixel 0 and channel `first`.
void gemm_s8_mla_run(const GemmS8MlaLayer& layer, int32_t first, int32_t end, const int32_t* pixels,
                     int32_t count, int32_t* stream, int8_t* out);

/// Whether the loops of loops_mla.h compute a channel: its results are exact, and its sums have
/// room.
/// @param[in] taps How many products of int8 are added to the bias.
inline bool mla_rescales(int32_t multiplier, int32_t shift, int32_t bias, int32_t taps) {
  constexpr int32_t kMost = (1 << 29) - 2;  // of the sum times 4
  constexpr int32_t kProduct = 255 * 128;
  const int32_t room = taps <= kMost / kProduct ? kMost - taps * kProduct : -1;
  return shift <= -1 && multiplier >= 0 && (bias < 0 ? ~bias : bias) <= room;
}

/// The loops multiply sums by 2^kMlaScaleBits before they take the upper 32 bits of a product.
constexpr int32_t kMlaScaleBits = 2;

/// Above it, every result is 0.
constexpr int32_t kMlaAllZeroShift = 31;

/// Largest shift whose zero point fits into the offset: 127 * 2^(24 - 1) < 2^31 - 2^30 - 2^22.
constexpr int32_t kMlaMostShift = 24;

/// Whether it takes the exact forms of them.
inline bool mla_rescales_exactly(int32_t shift, int32_t output_zero_point, int32_t activation_min) {
  const int32_t right = kMlaScaleBits - shift;
  return output_zero_point > activation_min || (right > kMlaMostShift && right <= kMlaAllZeroShift);
}

constexpr int32_t kMlaScalingWords = MCUGEN_MLA_CHANNELS == 1 ? 4 : 3;

/// Writes what rescales a channel as McugenMlaTiles has it, kMlaScalingWords words.
/// @returns the end of what was written.
int32_t* mla_write_scaling(int32_t multiplier, int32_t shift, int32_t output_zero_point, bool exact,
                           int32_t* out);

}  // namespace mcugen
