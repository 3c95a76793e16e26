// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/winograd_products.h>

#include <cstdint>

/// The inner loops in loops_dsp.S, for cores with the DSP extension. All follow the AAPCS.

/// Whether the loops are those of --optimize size: less code, more instructions.
#if defined(MCUGEN_SMALL_KERNELS)
inline constexpr bool kMcugenDspSmall = true;
#else
inline constexpr bool kMcugenDspSmall = false;
#endif

extern "C" {

/// What the products of one pair of output channels with any number of pairs of pixels need.
struct McugenDspTiles {
  /// Per pair of pixels and four taps k, 16 bytes: pixel 0's k and k+2, pixel 1's, then k+1 and k+3
  /// of each, as two int16 in a word. Word-aligned.
  const int16_t* pixels;
  /// Per pair of channels: two biases (int32), then the weights (int16) as the pixels, channel for
  /// pixel, then int32[5], see `form`. Word-aligned.
  const int32_t* stream;
  int8_t* out;           ///< Of pixel 0 and channel 0.
  int32_t pixel_step;    ///< Bytes from a pixel to the next.
  int32_t channel_step;  ///< Bytes from channel 0 to channel 1.
  const int16_t* pixels_end;
  uint32_t fours;  ///< Taps / 4 - 1; taps are a multiple of 4.
  uint32_t form;   ///< kMcugenDspRoundTwice, or a shift less kMcugenDspShift, 1 to 8.
  uint32_t odd;    ///< 1: one pair more, whose first pixel is the last one before it; else 0. Where
                   ///< taps are a multiple of 8, it takes two thirds of a pair's instructions.
};

/// How accumulators (sums over taps and the bias, that wrap at 32 bits) become results:
/// - By a shift s: saturate((acc * multiplier / 2^32 + offset) >> (7 + s)); the stream ends with
///   multiplier and offset of channel 0 and of channel 1. 21 instructions per pair of pixels.
/// - By two roundings: acc * (2^32 + multiplier) / 2^32, halves up, then times -factor / 2^32,
///   halves away from zero, and the zero point, saturated; the stream ends with multiplier and
///   factor of channel 0 and of channel 1 and the zero point. 29 instructions.
/// 10 instructions per four taps besides, and 4 more per 32 fours where there are more.
void mcugen_dsp_tiles(const McugenDspTiles* tiles);

constexpr uint32_t kMcugenDspRoundTwice = 0;
constexpr int32_t kMcugenDspShift = 3;
constexpr int32_t kMcugenDspForms = 9;

/// Writes pairs of runs of bytes as the pixels of McugenDspTiles, less a zero point; zeros follow
/// the last byte of a run up to a multiple of four. One instruction per byte.
/// @param[in] run0, run1 int8[bytes], at any address.
/// @param[in] out 4 * bytes bytes per pair, bytes rounded up to a multiple of 4; word-aligned.
/// @param[in] minus_zero_point In both halves: 0x10001 * (-zero_point & 0xffff).
/// @param[in] pairs How many, at least 1; skip: from behind a run to the one of the next pair.
/// @returns the end of what was written.
int16_t* mcugen_dsp_widen(const int8_t* run0, const int8_t* run1, int16_t* out, uint32_t bytes,
                          uint32_t minus_zero_point, int32_t pairs, int32_t skip);

/// Writes pairs of windows of three rows of nine bytes as 28 taps: the first eight of each row,
/// then the ninth of all three and what a zero gives. 65 instructions per pair.
/// @param[in] row_step, pair_step Bytes from a row to the next, and from a pair to the next.
int16_t* mcugen_dsp_widen_nine(const int8_t* window0, const int8_t* window1, int16_t* out,
                               int32_t row_step, uint32_t minus_zero_point, int32_t pairs,
                               int32_t pair_step);

/// Writes two rows of weights times 2^8 as McugenDspTiles wants them. Three quarters of an
/// instruction per weight.
/// @param[in] row0, row1 int8[bytes], word-aligned; bytes a multiple of eight.
/// @returns the end of what was written.
int16_t* mcugen_dsp_scale_words(const int8_t* row0, const int8_t* row1, int16_t* out,
                                int32_t bytes);

/// Copies `rows` runs of bytes, `step` apart, one behind the other, in whole words: up to three
/// bytes behind the last run are read, and written.
void mcugen_dsp_copy_runs(const int8_t* in, int8_t* out, int32_t rows, int32_t bytes, int32_t step);

/// Adds to four sums the pixels of four channels side by side, at most 256 of them.
/// @param[in] in int8, any address. @param[in] skip From behind a row to the next.
void mcugen_dsp_sum_four(const int8_t* in, int32_t pixels, int32_t rows, int32_t in_ch,
                         int32_t skip, int32_t* sums);

/// A depthwise 3x3 window over planes of one channel each. With acc the sum over taps and the bias,
/// and bits = 13 + the channel's shift, the result is
/// saturate((acc * 2^bits * multiplier / 2^32 + offset + 2^bits / 4) >> 12).
struct McugenDspDepthwise {
  // Of the first channel. Afterwards of the one behind the last, and no channels are left.
  /// Tap 0 of the first window; word-aligned. Stride 1: before it, by two elements for each pair
  /// that is left out.
  const int16_t* plane;
  int8_t* out;
  const uint32_t* weights;  ///< uint32[6] of mcugen_dsp_depthwise_weights().
  const int32_t* shifts;    ///< -13 to -5.
  const int32_t* multipliers;
  const int32_t* bias;
  int32_t channels;     ///< At least 1.
  int32_t plane_bytes;  ///< From a channel's plane to the next one's.

  int32_t pair_bytes;        ///< 4 * stride per pair of pixels in a row, at least one; more by what
                             ///< `plane` is before tap 0.
  int32_t odd;               ///< kMcugenDspSmall: 4 * stride if a row has one pixel more, else 0.
  int32_t plane_skip;        ///< The bytes of a row, of windows stride rows apart, less pair_bytes.
  int32_t out_skip;          ///< From behind a row's last pixel to the next row's first.
  const int16_t* plane_end;  ///< `plane` of the row behind the last.
  uint32_t form;  ///< mcugen_dsp_depthwise_form(). kMcugenDspSmall: a row's bytes, at stride 2 plus
                  ///< 1; no pairs are left out, and one pixel more moves `plane` by `odd` and `out`
                  ///< not at all.
  int32_t out_step;  ///< Bytes from a pixel of the output to the next.
  int32_t offset;
};

/// Stride, and bytes of a row of the plane. Exact ones are for results of either
/// sign, with rows of 128 bytes: of negative sums 2^bits / 2 is taken away before the shift.
enum McugenDspDepthwiseForm : uint32_t {
  kMcugenDspDepthwise1Of64,
  kMcugenDspDepthwise1Of128,
  kMcugenDspDepthwise1Exact,
  kMcugenDspDepthwise2Of64,
  kMcugenDspDepthwise2Of128,
  kMcugenDspDepthwise2Exact,
};

/// @param[in] left_out Pairs of pixels: a loop takes three, of stride 2 two, in a row's first turn
///     less so many.
/// @param[in] odd 1 if a row has one pixel more, else 0.
constexpr uint32_t mcugen_dsp_depthwise_form(uint32_t form, int32_t left_out, int32_t odd) {
  return 5 * form + static_cast<uint32_t>(left_out) +
         ((5 * form + 3 + static_cast<uint32_t>(odd)) << 16);
}

/// The weights of four channels side by side, not scaled.
/// @param[in] weights Of tap 0; tap_step and row_step bytes to the next. Any address.
/// @param[out] words uint32[4][6]: per channel weights 0, 1 and 1, 2 of each row as two int16.
void mcugen_dsp_depthwise_weights(const int8_t* weights, int32_t tap_step, int32_t row_step,
                                  uint32_t* words);

/// 13 to 15 instructions per output; three more in an exact form, 20 if kMcugenDspSmall. A window's
/// row is read up to the fourth tap (stride 2: the sixth), whose value does not matter. About 60
/// instructions per channel besides.
void mcugen_dsp_depthwise(McugenDspDepthwise* rows);

/// A convolution and the depthwise one of 3x3 that reads it, of some rows: results of the first are
/// int16, 0 to 255, in two planes of a channel each.
struct McugenDspConvDepthwise {
  /// As McugenDspTiles has them: the pairs of each row one behind the other, without a pixel that
  /// is left over; then those pixels, of two rows a pair; one that is left over is the second of
  /// its pair, and taps are a multiple of 8.
  const int16_t* pixels;
  /// Per pair of channels: two biases and weights as McugenDspTiles has them; multiplier and offset
  /// of channel 0 and of channel 1: saturate_u8((acc * multiplier / 2^32 + offset) >> 12); then
  /// nine words of either channel for the depthwise window: those of
  /// mcugen_dsp_depthwise_weights() times 2^bits, bias times 2^bits, multiplier and offset,
  /// 2^bits / 4 included. Afterwards stream_end.
  const int32_t* stream;
  int16_t* plane;             ///< One element before pixel 0, of channel 0.
  const int16_t* pixels_end;  ///< Of the first row's pairs, at least one.
  int32_t first_of_second;    ///< Bytes from `plane` to channel 1's first pixel,
  int32_t second_of_second;   ///< and to its second.
  int32_t plane_skip;         ///< Bytes of a row of the plane, less those of a row's pairs.
  int32_t stream_bytes;       ///< Of a pair of channels.
  const int32_t* stream_end;

  // As McugenDspDepthwise has them.
  const int16_t* windows;  ///< `plane` of channel 0.
  int8_t* out;             ///< Afterwards of the channel behind the last.
  int32_t windows_skip;    ///< Its plane_skip.
  int32_t out_skip;
  const int16_t* windows_last;  ///< What of the last row windows_end is of the first.
  int32_t out_step;
  const int16_t* windows_end;  ///< pair_bytes behind `windows`.
  const void* own0;            ///< Not for the caller.
  int32_t plane_bytes;
  const void* own1;

  int32_t row_pixels;          ///< Bytes of the pixels of a row's pairs.
  const int16_t* pixels_last;  ///< pixels_end of the last row.
  uint32_t fours;              ///< Taps / 4 - 1; taps are a multiple of 4.
  uint32_t form;               ///< As McugenDspDepthwise has it; no exact one.
  int32_t odd_rows;            ///< Rows, if each has one pixel more than its pairs; else 0.
  int16_t* last_column;        ///< One element before the first such pixel, of channel 0.
  int32_t row_bytes;           ///< Of the plane; behind that pixel is an element that is 0.
  int32_t pair_bytes;          ///< Of the pixels of one pair.
};

/// Per pair of channels 19 instructions per pair of pixels, 20 with more than 128 taps, and 10 per
/// four taps; 6 per row, and 27 per two pixels that are left over of rows; of the depthwise rows as
/// many as mcugen_dsp_depthwise() takes; 50 besides.
void mcugen_dsp_conv_depthwise(McugenDspConvDepthwise* both);

/// Four channels side by side of an image, each less the zero point, as four planes of int16.
struct McugenDspPlanes {
  const int8_t* in;
  int16_t* plane;   ///< Of channel 0, at its first pixel.
  uint32_t pixels;  ///< In a row; at least 1.
  int32_t in_ch;
  int32_t plane_bytes;
  uint32_t minus_zero_point;  ///< In both halves.
  int32_t rows;
  int32_t in_skip;     ///< From behind a row's last pixel to the next row's first.
  int32_t plane_skip;  ///< The same, of a plane.
};

/// One and a half instructions per element.
void mcugen_dsp_planes(const McugenDspPlanes* planes);

/// Adds to each of four sums the products of a row of inputs, less a zero point, with one of four
/// rows of weights. 94 instructions per 64 products.
/// @param[in] input int8[4 * words]; any address.
/// @param[in] weights Of the first row; the others follow, row_bytes apart; any address.
/// @param[in] words At least 1.
/// @param[in] minus_zero_point In both halves.
void mcugen_dsp_four_rows(const int8_t* input, const int8_t* weights, int32_t row_bytes,
                          uint32_t words, uint32_t minus_zero_point, int32_t* sums);

/// Writes a row of bytes less a zero point, per four k, k + 2, k + 1, k + 3 as int16; zeros follow
/// the last byte.
/// @param[in] in int8[bytes], any address. @param[out] out Word-aligned.
void mcugen_dsp_widen_row(const int8_t* in, int16_t* out, uint32_t bytes,
                          uint32_t minus_zero_point);

/// Rows of weights as packed_linear_s8.h has them.
struct McugenDspRows {
  const int16_t* inputs;  ///< As mcugen_dsp_widen_row() writes them.
  const int32_t* groups;  ///< Word-aligned.
  int8_t* out;
  int32_t fours;  ///< Inputs / 4, at least 1.
  int32_t count;  ///< Groups, at least 1.
};

/// 14 instructions per 16 products, 33 besides per four rows. @returns the next group.
const int32_t* mcugen_dsp_packed_rows(const McugenDspRows* rows);
const int32_t* mcugen_dsp_packed_rows_exact(const McugenDspRows* rows);
/// The same of five rows, a halfword to a weight: 13 instructions per 20 products, 42 besides per
/// five rows.
const int32_t* mcugen_dsp_wide_rows(const McugenDspRows* rows);
const int32_t* mcugen_dsp_wide_rows_exact(const McugenDspRows* rows);

struct McugenDspScaledAdd {
  int32_t a_multiplier, b_multiplier, offset, shift;
};

/// out = saturate((a * a_multiplier + b * b_multiplier + offset) >> shift), four at a time; 8
/// instructions per element. @param[in] end Of out, a multiple of four elements on, at least one.
void mcugen_dsp_scaled_add(const int8_t* a, const int8_t* b, int8_t* out, const int8_t* end,
                           const McugenDspScaledAdd* numbers);
/// Winograd's F(2x2, 3x3): two rows of outputs come of four rows of the image, in tiles of two by
/// two; see loops_dsp.S. Positions are ordered by column of a tile, then as rows 1, 0, 2, 3.

/// Four rows of an image, four channels of each pixel.
struct McugenDspWinogradInput {
  /// int8[pixels, in_ch], from the first channel on; any address.
  const int8_t* rows[4];
  uint32_t row_bytes;  ///< pixels * in_ch; not 0.
  uint32_t in_ch;      ///< A multiple of 4, at most 64.
  /// int16[16] per pixel, where those of the rows go; word-aligned.
  int16_t* inside;
  /// int16[16] per column of the tiles, the first: kept are those that are not inside.
  const int16_t* columns;
  const int16_t* columns_end;  ///< Of tiles; four columns per pair of them.
  /// Per pair of tiles, position and four channels k, 16 bytes: tile 0's k and k+2, tile 1's, then
  /// k+1 and k+3 of each, as two int16 in a word. In a row of pairs; of the first of the four
  /// channels. Word-aligned.
  int16_t* tiles;
};

/// For each channel 7.3 instructions per column and 20 per tile.
void mcugen_dsp_winograd_input(const McugenDspWinogradInput* input);

/// Transforms the weights of one output channel for McugenWinogradProducts.
/// @param[in] weights int8[3, 3, in_ch]; any address.
/// @param[out] out Of position 0, 8 bytes per four channels, 16 bytes apart; per column of four
///     positions 16 * in_ch + 16 bytes. Word-aligned.
/// @param[in] in_ch A multiple of 4.
/// @returns the sum of the weights. 33 instructions per input channel.
int32_t mcugen_dsp_winograd_weights(const int8_t* weights, int16_t* out, uint32_t in_ch);

/// Tiles as McugenDspWinogradInput writes them, in steps of four input channels: channel 0's k and
/// k+2, its k+1 and k+3, channel 1's, as two int16 in a word. Scaled by multiplier, factor, zero
/// point: results are sums over taps, and the bias, times multiplier / 2^31, halves up, then times
/// -factor / 2^32, halves away from zero, and the zero point, saturated. Seven times a sum has to
/// fit into 32 bits. Per pair of tiles: 160 instructions per four channels and 245 besides. Takes
/// 548 bytes of stack.
void mcugen_dsp_winograd_products(const McugenWinogradProducts* products);

}  // extern "C"
