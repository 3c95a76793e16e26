// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// The inner loops in loops_dsp.S, for cores with the DSP extension. All follow the AAPCS.

extern "C" {

/// What the products of one pair of output channels with any number of pairs of pixels need.
struct McugenDspTiles {
  /// Per pair of pixels and four taps k, 16 bytes: pixel 0's k and k+2, pixel 1's, then k+1 and k+3
  /// of each, as two int16 in a word. Word-aligned.
  const int16_t* pixels;
  /// Per pair of channels: two biases (int32), then the weights (int16) as the pixels, channel for
  /// pixel, then multiplier, offset and shift of channel 0 and of channel 1 (int32). Word-aligned.
  const int32_t* stream;
  int8_t* out;         ///< Of pixel 0 and channel 0; channel 1 follows it.
  int32_t pixel_step;  ///< Bytes from a pixel to the next.
  const int16_t* pixels_end;
  uint32_t fours;      ///< Taps / 4 - 1; taps are a multiple of 4.
  int32_t step;        ///< Exact form only: 2^(bits - 1), the weights being scaled by 2^bits.
  int32_t zero_point;  ///< Exact form only: of the output.
};

/// out = saturate((acc * multiplier / 2^32 + offset) >> shift), acc a sum over taps and the bias.
/// Wraps at 32 bits. Per pair of pixels: 10 instructions per four taps and 27 besides.
void mcugen_dsp_tiles(const McugenDspTiles* tiles);

/// The same for results of either sign, with halves away from zero; 39 instructions besides.
void mcugen_dsp_tiles_exact(const McugenDspTiles* tiles);

/// Writes two rows of bytes as the pixels of McugenDspTiles, less a zero point; zeros follow the
/// last byte up to a multiple of four. One instruction per byte.
/// @param[in] row0, row1 int8[bytes], at any address.
/// @param[out] out 4 * bytes bytes, bytes rounded up to a multiple of 4; word-aligned.
/// @param[in] minus_zero_point In both halves: 0x10001 * (-zero_point & 0xffff).
/// @returns the end of what was written.
int16_t* mcugen_dsp_widen(const int8_t* row0, const int8_t* row1, int16_t* out, uint32_t bytes,
                          uint32_t minus_zero_point);

/// The same without a zero point, times 2^8 or 2^2: weights.
/// @param[in] mask kMcugenDspScale8 or kMcugenDspScale2.
int16_t* mcugen_dsp_scale_8(const int8_t* row0, const int8_t* row1, int16_t* out, uint32_t bytes,
                            uint32_t mask);
int16_t* mcugen_dsp_scale_2(const int8_t* row0, const int8_t* row1, int16_t* out, uint32_t bytes,
                            uint32_t mask);

}  // extern "C"

constexpr uint32_t kMcugenDspScale8 = 0xff00ff00;
constexpr uint32_t kMcugenDspScale2 = 0xfffcffff;
