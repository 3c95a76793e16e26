// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// The inner loops in loops_winograd4_dsp.S, which says what Winograd's F(4x4, 3x3) is here: four
/// rows of outputs come of six rows of the image, in tiles of four by four. All follow the AAPCS.

extern "C" {

/// Six rows of an image, four channels of each pixel.
struct McugenDspWinograd4Input {
  /// int8[pixels, in_ch], from the first channel on, in the order 3, 4, 0, 2, 5, 1; any address.
  const int8_t* rows[6];
  uint32_t row_bytes;  ///< pixels * in_ch; not 0.
  uint32_t in_ch;      ///< A multiple of 4.
  /// int16[24] per pixel, where those of the rows go; word-aligned.
  int16_t* inside;
  /// int16[24] per column of the tiles, the first: kept are those that are not inside.
  const int16_t* columns;
  uint32_t pairs;  ///< Of tiles, of eight columns each, and two columns behind the last.
  /// Per pair of tiles, position and four channels k, 16 bytes: tile 0's k and k+2, its k+1 and
  /// k+3, tile 1's, as two int16 in a word. Of the first of the four channels. Word-aligned.
  int16_t* tiles;
};

/// For each channel 12 instructions per column and 90 per tile. Takes 96 bytes of stack.
void mcugen_dsp_winograd4_input(const McugenDspWinograd4Input* input);

/// Bytes of McugenDspWinograd4Products::block.
constexpr int32_t kMcugenDspWinograd4Block = 704;

/// Two output channels of pairs of tiles side by side.
struct McugenDspWinograd4Products {
  const int16_t* tiles;
  const int16_t* tiles_end;
  const int32_t* weights;  ///< Of a pair of channels: see packed_conv2d_s8.h. Word-aligned.
  int8_t* out;             ///< Of the first tile and channel 0; channel 1 follows it.
  int32_t pixel_step;      ///< Bytes from a pixel to the next.
  int32_t row_bytes;       ///< Bytes from a row to the next.
  uint32_t in_ch;          ///< A multiple of 4, at most 64.
  uint8_t* block;          ///< Working memory; word-aligned.
};

/// Per pair of tiles 360 instructions per four input channels and 970 besides, 128 more where what
/// is negative is corrected.
/// Takes 228 bytes of stack.
void mcugen_dsp_winograd4_products(const McugenDspWinograd4Products* products);

}  // extern "C"
