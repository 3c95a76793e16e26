// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// The inner loops in loops_mla_armv7m.S and loops_mla_armv6m.S, for cores without the DSP
/// extension. All follow the AAPCS.
///
/// One 32-bit multiplication makes two products of int8 and their sum: of pixels a and weights w,
///   (a0 + a1 * 2^16) * (w1 + w0 * 2^16) = a0 * w1 + (a0 * w0 + a1 * w1) * 2^16  modulo 2^32.
/// Taps k and k + 2 of four share a word. Their sum fits into the upper half unless all four are
/// -128; the lower half is less than 2^15 and takes one from the upper half where it is negative.
/// Pixels keep their zero point, which the start of the sum makes up for.

extern "C" {

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB < 2
/// Armv6-M, and Armv8-M Baseline: one channel at a time, since there are eight registers.
#define MCUGEN_MLA_CHANNELS 1
#else
#define MCUGEN_MLA_CHANNELS 2
#endif

/// What the products of MCUGEN_MLA_CHANNELS output channels with any number of pairs of pixels
/// need.
struct McugenMlaTiles {
  /// Per pair of pixels and four taps k: pixel 0's k + (k + 2) * 2^16 and (k + 1) + (k + 3) * 2^16,
  /// then pixel 1's.
  const int32_t* pixels;
  /// Per channel a start of the sum, then the weights as pixels, but (k + 2) + k * 2^16 and so on,
  /// then per channel what rescales it: multiplier, offset and shift, or with one channel at a time
  /// the multiplier's upper 16 bits, its lower 16, offset and shift.
  const int32_t* stream;
  int8_t* out;         ///< Of pixel 0 and channel 0; channel 1 follows it.
  int32_t pixel_step;  ///< Bytes from a pixel to the next.
  const int32_t* pixels_end;
  uint32_t fours;      ///< Taps / 4 - 1; taps are a multiple of 4.
  int32_t zero_point;  ///< Of the output. Not used unless exact.
};

/// out = saturate((acc * multiplier / 2^30 + offset) >> shift), acc a sum over taps and the start.
/// acc wraps at 32 bits and must be less than 2^29. Armv7-M: 19 instructions per four taps of two
/// pixels by two channels (35 cycles of a Cortex-M3) and 40 besides. Armv6-M: 15 per four taps of
/// two pixels and up to 60 besides; what is below 0 counts as 0.
void mcugen_mla_tiles(const McugenMlaTiles* tiles);

/// The same for results of either sign, with halves away from zero.
void mcugen_mla_tiles_exact(const McugenMlaTiles* tiles);

/// Writes pairs of runs of bytes as the pixels of McugenMlaTiles; zeros follow the last byte of a
/// run up to a multiple of four.
/// @param[in] run0, run1 int8[bytes], at any address.
/// @param[out] out 4 * bytes bytes per pair, bytes rounded up to a multiple of 4; word-aligned.
/// @param[in] pairs How many, at least 1. @param[in] skip From behind a run to that of the next.
/// @returns the end of what was written.
int32_t* mcugen_mla_widen(const int8_t* run0, const int8_t* run1, int32_t* out, uint32_t bytes,
                          int32_t pairs, int32_t skip);

/// Writes rows of weights as McugenMlaTiles wants them.
/// @param[in] rows MCUGEN_MLA_CHANNELS rows int8[taps], at any address.
/// @param[in] taps At most kMcugenMlaMostTaps.
/// @param[out] out Word-aligned.
/// @param[out] sums Per channel the sum of its words, modulo 2^32. Of one channel at a time, the
///     second says by not being 0 that two weights are -128 that share a word: mcugen_mla_tiles()
///     has no room for them.
/// @returns the end of what was written.
int32_t* mcugen_mla_weights(const int8_t* const* rows, uint32_t taps, int32_t* out,
                            int32_t sums[2]);

/// One channel of an image as a plane of words. Armv7-M: 2 instructions per pixel. Armv6-M: 3.
struct McugenMlaPlane {
  const int8_t* in;
  int32_t* plane;
  uint32_t pixels;  ///< In a row; at least 1.
  int32_t in_ch;    ///< Bytes from a pixel of the image to the next.
  uint32_t rows;
  int32_t in_skip;     ///< From behind a row's last pixel to the next row's first, in bytes.
  int32_t plane_skip;  ///< The same, of the plane.
};

void mcugen_mla_plane(const McugenMlaPlane* plane);

/// 3x3 windows over a plane of one channel.
struct McugenMlaDepthwise {
  const int32_t* plane;  ///< Tap 0 of the first window; word-aligned.
  /// int32: start of the sum, nine weights, what McugenMlaTiles has to rescale it, zero point of
  /// the output (not used unless exact). Word-aligned.
  const int32_t* stream;
  int8_t* out;
  int32_t out_step;      ///< Bytes from a pixel of the output to the next.
  int32_t row_bytes;     ///< Of the plane; a multiple of 4.
  int32_t plane_step;    ///< Bytes from a row of windows to the next.
  int32_t out_row_step;  ///< Bytes from a row of the output to the next.
  int32_t columns;       ///< Outputs in a row; at least 1.
  int32_t rows;
};

/// With stride 1 and 2 along a row. acc is rescaled as mcugen_mla_tiles() does. Reads words behind
/// a row's last window, as many as two more windows have; they do not matter. Armv7-M: 21
/// instructions per output, three at a time. Armv6-M: 60.
void mcugen_mla_depthwise_1(const McugenMlaDepthwise* rows);
void mcugen_mla_depthwise_2(const McugenMlaDepthwise* rows);
void mcugen_mla_depthwise_1_exact(const McugenMlaDepthwise* rows);
void mcugen_mla_depthwise_2_exact(const McugenMlaDepthwise* rows);

#if MCUGEN_MLA_CHANNELS == 2
/// Winograd's F(2x2, 3x3): two rows of outputs come of four rows of the image, in tiles of two by
/// two; see loops_mla_armv7m.S. Positions are ordered by column of a tile, then as rows 1, 0, 2, 3.

/// Transforms one channel of four rows. 82 instructions per tile.
/// @param[in] pixels int8[4, columns, in_ch], from the channel on; any address. Columns are
///     two more than a multiple of 4.
/// @param[in] in_ch Even. @param[in] row_bytes columns * in_ch.
/// @param[out] tiles Per pair of tiles, position and channel tile 0's and tile 1's. A row of pairs;
///     of the channel.
void mcugen_mla_winograd_input(const int8_t* pixels, uint32_t in_ch, uint32_t row_bytes,
                               int16_t* tiles);

/// Transforms the weights of one output channel for McugenMlaWinogradProducts.
/// @param[in] weights int8[3, 3, in_ch]; any address.
/// @param[out] out Of position 0, two words per two channels, four words apart; per column of
///     positions 32 * in_ch + 16 bytes. 8-byte aligned. @param[in] in_ch Even. 80 instructions per
///     input channel.
void mcugen_mla_winograd_weights(const int8_t* weights, int32_t* out, uint32_t in_ch);

/// Two output channels of any number of pairs of tiles.
struct McugenMlaWinogradProducts {
  const int16_t* tiles;  ///< As mcugen_mla_winograd_input() writes them.
  const int16_t* tiles_end;
  /// Per column of positions four words that sums start from (the bias of channels 0, 1, 0, 1 in
  /// column 1, zeros elsewhere), then per position and two input channels k four words: channel 0's
  /// k and k + 1, channel 1's. Word-aligned.
  const int32_t* weights;
  int8_t* out;         ///< Of the first tile and channel 0; channel 1 follows it.
  int32_t pixel_step;  ///< Bytes from a pixel to the next.
  int32_t row_bytes;   ///< Bytes from a row to the next; pairs * 4 * pixel_step.
  int32_t pairs;       ///< Pairs of tiles in a row.
  uint32_t twos;       ///< in_ch / 2; 1 to 32.
  /// Of channels 0 and 1: multiplier, offset (with the zero point), shift.
  int32_t scaling[6];
};

/// out = saturate((v * multiplier / 2^32 + offset - (v < 0 ? 2 : 0)) >> shift), v four times the
/// sum over taps, and the bias. Wraps at 32 bits. Per pair of tiles: 208 instructions per two
/// channels and 260 besides. Takes 548 bytes of stack.
void mcugen_mla_winograd_products(const McugenMlaWinogradProducts* products);
#endif

/// Adds to four sums the products of a row of inputs, less their zero point, with four rows of
/// weights, four taps at a time. Armv7-M: 2.8 instructions per MAC. Armv6-M: 3.8.
/// @param[in] input int8[4 * fours]. @param[in] rows int8[4][row_step], at any address.
/// @param[in] fours At least 1.
/// @param[in] zero_point Of the inputs.
/// @param[in,out] sums int32[4].
void mcugen_mla_four_rows(const int8_t* input, const int8_t* rows, int32_t row_step, uint32_t fours,
                          int32_t zero_point, int32_t* sums);

/// Sums of four rows of weights as packed_linear_blocks_s8.h has them, four inputs by four rows.
/// Armv7-M: 1.9 instructions per MAC, 2.9 cycles of a Cortex-M3. Armv6-M: 3.5.
/// @param[in] inputs Per four inputs k: k + (k + 2) * 2^16 and (k + 1) + (k + 3) * 2^16.
/// @param[in] group The starts of four rows and their weights.
/// @param[in] fours At least 1.
/// @param[out] sums int32[4].
/// @returns what follows the weights.
const int32_t* mcugen_mla_packed_rows(const int32_t* inputs, const int32_t* group, uint32_t fours,
                                      int32_t* sums);

}  // extern "C"

/// Of how many taps the sums do not run from one half of a word into the other.
constexpr int32_t kMcugenMlaMostTaps = 504;
