// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Inner loops for Helium in assembler (loops_mve.S), which GCC's registers do not suffice for.
/// They follow the procedure call standard, need no alignment of int8 data and read nothing but
/// what their arguments name. Field offsets are known to the assembler source.

namespace mcugen {

/// How int32 results become int8, the cheapest that is right. All need shifts of kMinShift to -1.
enum class MveRounding : int32_t {
  kPlain,  ///< For a clamp to int8 and an output zero point of -128: halves go up, which differs
           ///< from requantize() below 0 only.
  kAwayFromZero,  ///< For a clamp to int8.
  kClamped,       ///< Any.
};

/// Dot products of pixels with output channels, over the rows of a convolution window.
struct MveDot {
  /// The first pixel's first tap. 16 * chunks - lead bytes are read from there, and from every
  /// other kernel row (lead 0) and pixel.
  const int8_t* in;
  int32_t in_pixel;     ///< From one pixel to the next, in bytes; 0 if there is but one.
  int32_t in_row;       ///< From the first pixel of a row to that of the next.
  int32_t chunks;       ///< Of 16 taps in a kernel row: at most 16 unless it is one row.
  int32_t lead;         ///< What the first chunk lacks of 16 taps; or 0, then the last one does.
  int32_t kernel_rows;  ///< At least 1; 1 where there is a lead.
  int32_t kernel_row;   ///< From one row of taps to the next, in bytes.
  int32_t rows;         ///< Of pixels, at least 1.
  int32_t pixels;       ///< In a row, at least 2 unless it is the only row.
  int8_t* output;       ///< int8[rows, pixels, channels], pixels `out_pixel` bytes apart.
  int32_t out_pixel;    ///< 4 to 21844
  int32_t output_zero_point;
  int32_t activation_min, activation_max;  ///< Read for kClamped only.
  MveRounding rounding;
  int32_t channels;       ///< At least 4.
  const int8_t* weights;  ///< int8[channels, kernel_rows, run], `depth` bytes from one to the next.
  int32_t depth;
  int32_t run;                 ///< Taps in a kernel row, at least 1.
  const int32_t* bias;         ///< int32[channels] or null
  const int32_t* multipliers;  ///< int32[channels]
  const int32_t* shifts;       ///< int32[channels]
  int32_t input_zero_point;
  int8_t* packed;        ///< 64 * kernel_rows * chunks bytes to work with, on a word
  int32_t out_row;       ///< From one row of the output to the next, in bytes.
  int8_t* sums;          ///< 16 * (block + 1) bytes to work with, on a word
  int32_t block;         ///< Pixels whose sums become outputs together, at least 2.
  int32_t apart;         ///< Whether `out_row` is not pixels * out_pixel.
  void (*neighbours)();  ///< mve_neighbours(), or null.
};

/// Two tiles of 2x2 outputs, the second two rows below the first; or a single one.
struct MveTile {
  const int8_t* window;  ///< Of its first output, in the plane.
  int8_t* output;        ///< Of channel 0.
};

/// A 3x3 depthwise convolution with stride 1 or 2 over a strip of an image: its pixels lie in a
/// plane with a border, the channels one after the other.
struct MveDepthwise3x3 {
  int8_t kernel[32];      ///< Zeros.
  uint16_t taps[16];      ///< Offsets of the weights that the kernel's bytes 8 to 23 hold,
  uint32_t taps_used[2];  ///< and which of them do, as predicates of 8 halfwords.
  union {
    uint16_t pixels[8];        ///< Offsets of 8 pixels,
    uint8_t pixels_by_16[16];  ///< or of 16.
  };
  uint8_t gather[16];     ///< Offsets of a window's 16 pixels; what is not a pixel has weight 0.
  uint16_t outputs[8];    ///< Offsets of 4 outputs of each tile in turn; with channels, 16 bits.
  const int8_t* input;    ///< The strip's first pixel.
  const int8_t* weights;  ///< int8[3, 3, channels]
  int32_t in_8_pixels;    ///< From one pixel to the eighth after it, in bytes.
  int32_t in_row;
  int32_t columns;  ///< Of the image in the strip; with `places`, the number of pixels.
  int32_t rows;     ///< The same.
  const uint16_t*
      places;      ///< Null, or where pixels, which follow one another, lie from `inside` on.
  int8_t* inside;  ///< Where the image begins in the plane, whose border is filled.
  int32_t plane_row;
  int32_t channels;            ///< At least 1.
  const int32_t* bias;         ///< int32[channels] or null
  const int32_t* multipliers;  ///< int32[channels]
  const int32_t* shifts;       ///< int32[channels]
  int32_t input_zero_point;
  int32_t output_zero_point;
  int32_t window;  ///< From a window to the next below: two rows of the plane.
  int32_t activation_min, activation_max;
  int32_t step;          ///< 0 for stride 1, 2 for stride 2; 1 more unless the rounding is kPlain.
  const MveTile* tiles;  ///< Pairs, then singles.
  int32_t pairs;
  int32_t singles;
  int32_t by_16;  ///< Whether rows of pixels are read by 16; without `places` only.
};

/// Fully connected, for rows of weights in fours.
struct MveLinear {
  const int8_t* input;         ///< int8[depth]
  const int8_t* weights;       ///< int8[4 * quads, depth]
  int32_t depth;               ///< At least 1.
  int32_t quads;               ///< At least 1.
  const int32_t* bias;         ///< int32[4 * quads]
  int8_t* output;              ///< int8[4 * quads]
  const int32_t* multipliers;  ///< int32[4 * quads], or null for one of all rows:
  const int32_t* shifts;       ///< int32[4 * quads]
  int32_t multiplier, shift;
  int32_t output_zero_point;
  int32_t activation_min, activation_max;
  MveRounding rounding;  ///< kClamped is as kAwayFromZero.
};

/// Fully connected, with weights as packed_linear_blocks_s8.h has them, eight rows by 16 inputs.
struct MvePackedLinear {
  const int8_t* input;    ///< int8[in_ch]
  const int32_t* groups;  ///< Of 8 rows.
  int8_t* output;         ///< int8[out_ch]
  int32_t in_ch, out_ch;  ///< At least 1.
  int32_t output_zero_point;
  MveRounding rounding;  ///< kClamped is as kAwayFromZero.
  int32_t activation_min, activation_max;
};

/// A sum of two rows, of which the first sets the scale: its multiplier is 1/2, its shift 0.
struct MveAdd {
  const int8_t* scaled;
  const int8_t* other;
  int8_t* output;                     ///< May be one of the two.
  int32_t count;                      ///< At least 1.
  int32_t scaled_start, other_start;  ///< -8 and -16 times the zero points
  int32_t multiplier, shift;          ///< Of the other.
  int32_t output_multiplier, output_shift;
  int32_t output_zero_point;
  int32_t activation_min, activation_max;
};

/// ScaledAddS8Params with its operands.
struct MveScaledAdd {
  const int8_t* a;
  const int8_t* b;
  int8_t* output;  ///< May be a or b.
  int32_t count;
  int32_t a_multiplier, b_multiplier;
  int32_t offset, shift;
  int32_t activation_min, activation_max;
};

extern "C" {

/// Fills `count` bytes, which may be 0.
void mve_fill(int8_t* to, int32_t count, int32_t value);

/// Copies `count` bytes, which may be 0.
void mve_copy(int8_t* to, const int8_t* from, int32_t count);

/// Copies `count` bytes apart: those of each `from_step` (at most 16) bytes go `to_step` further
/// than those before, byte i of them to offsets[i]. Of 16 bytes the ones behind from_step must be
/// at home at their offsets, too.
/// @param[in] offsets uint8[16]
void mve_scatter(int8_t* to, const int8_t* from, int32_t count, const uint8_t* offsets,
                 int32_t to_step, int32_t from_step);

/// output = requantize(bias + sum of (in - input zero point) * weights) + output zero point,
/// clamped. For two pixels and four channels 14 instructions per chunk, 15 (2 more unless kPlain),
/// and 5 per further kernel row; for four channels about 110 and 13 per chunk; about 40 per block.
/// Uses 292 bytes of stack.
void mve_dot(const MveDot* args);

/// A part of mve_dot() that an image may do without, and not to be called: the loops for 3x3
/// windows of 16, 32 or 64 channels, whose neighbours share columns. 13 instructions per chunk and
/// up to one per column.
void mve_neighbours();

/// The whole strip. A pair takes 27 instructions at stride 1 and 31 at stride 2; a channel about 60
/// and 5 per 8 pixels. Uses 148 bytes of stack.
void mve_depthwise_3x3(MveDepthwise3x3* args);

/// output = requantize(bias + sum of input * weights) + output zero point, clamped. For four rows 9
/// instructions per 16 inputs and about 30. Uses 132 bytes of stack.
void mve_linear(const MveLinear* args);

/// packed_linear_8x16_s8_scalar() for one row of inputs. For eight rows 17 instructions per 16
/// inputs and about 25. Uses 116 bytes of stack.
void mve_packed_linear(const MvePackedLinear* args);

/// output = add_s8_scalar(), but that halves of the last rounding all go up. Shifts are 0 or below,
/// that of the output -1 or below. 30 instructions for 8 elements. Uses 100 bytes of stack.
void mve_add(const MveAdd* args);

/// scaled_add_s8_scalar(). 9 instructions for 4 elements. Uses 100 bytes of stack.
void mve_scaled_add(const MveScaledAdd* args);

}  // extern "C"

}  // namespace mcugen
