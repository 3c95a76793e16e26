// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/forms.h>

#include <cstdint>

/// Matrix products of int8 for cores with the DSP extension, as convolutions use them: pixels by
/// output channels, over taps.

namespace mcugen {

struct GemmS8Layer {
  /// What one output sums over: taps in runs, each filled up to a multiple of four.
  int32_t runs, run;
  bool nine;         ///< Three rows of nine taps in one run, as mcugen_dsp_widen_nine() has them.
  int32_t channels;  ///< Output channels.
  /// Prepared ahead of time, as PackedConvForm::kPairs has them, or null; then of what follows only
  /// out_step counts.
  const int32_t* packed;
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

  // By gemm_s8_prepare():
  bool by_shift;  ///< One rounding is enough, and sums have room for it.
  bool by_words;  ///< Rows of weights are as mcugen_dsp_scale_words() takes them.
};

/// @returns the bytes of a pair of pixels, widened. @param[in] padded Taps of all runs, filled up.
inline int32_t gemm_s8_pair_bytes(int32_t padded) { return 4 * padded; }

/// @returns the bytes of the stream of a pair of channels.
inline int32_t gemm_s8_stream_bytes(int32_t padded) { return 4 * padded + 32; }

/// @returns the fours that pixels lie in, for mcugen_dsp_tiles_of_four().
inline int32_t gemm_s8_fours(int32_t count) { return forms::kFourPixels ? count / 4 : 0; }

/// @returns the pixels that lie in pairs behind fours: those that are left over, and of one the one
///     before it once more.
inline int32_t gemm_s8_pairs_behind(int32_t count) { return count % 4 == 1 ? 2 : count % 4; }

/// Chooses how a layer is rescaled.
/// @returns false where no form is exact: a shift above -1, a multiplier below 2^30 but not 0, or
///     sums that might not fit.
bool gemm_s8_prepare(GemmS8Layer& layer);

/// Computes channels [first, end) of `count` pixels. The activation's limits are
/// not applied, but for activation_min where it is the output's zero point or above.
/// @param[in] pixels gemm_s8_fours(count) of them, the others in pairs as McugenDspTiles says; of
///     an odd number the last pair is the last two pixels, or twice the only one.
/// @param[in] first, end All channels, if the weights are packed.
/// @param[in] stream gemm_s8_stream_bytes(), to be written over; word-aligned. Not used if packed.
/// @param[out] out Of pixel 0 and channel 0.
void gemm_s8_run(const GemmS8Layer& layer, int32_t first, int32_t end, const int16_t* pixels,
                 int32_t count, int32_t* stream, int8_t* out);

}  // namespace mcugen
