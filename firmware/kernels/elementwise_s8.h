// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Elementwise kernels over one run of `count` elements. Binary ones read their operands at a
/// step (in elements): 1 for a row, 0 for a value that repeats along it. Outputs are contiguous
/// and may be one of the operands if that has step 1.

namespace mcugen {

/// How one operand of add_s8 is brought to the common fixed-point scale.
struct AddS8Operand {
  int32_t zero_point;
  int32_t multiplier;  ///< May be negative: subtraction.
  int32_t shift;
};

struct AddS8Params {
  AddS8Operand a, b;
  int32_t output_zero_point;
  int32_t output_multiplier;
  int32_t output_shift;
  int32_t activation_min, activation_max;
};

/// output = clamp(requantize(A + B) + output_zero_point), where
/// A = requantize((a - zero_point) * 2^20). Wraps at 32 bits.
void add_s8_scalar(const AddS8Params& params, int32_t count, const int8_t* a, int32_t a_step,
                   const int8_t* b, int32_t b_step, int8_t* output);

/// The same with one instruction for a product and its rounding. Takes the scalar form for shifts
/// above 0 and below -30.
void add_s8_dsp(const AddS8Params& params, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output);

/// The same for cores without the DSP extension: operands by 32-bit products. Takes the scalar form
/// for a shift above 0 or below -30.
void add_s8_mla(const AddS8Params& params, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output);

/// The same by Helium. Takes the scalar form for shifts above 0.
void add_s8_mve(const AddS8Params& params, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output);

struct MulS8Params {
  int32_t a_zero_point;  ///< Any int32: hardswish leaves values far outside of int8 here.
  int32_t b_zero_point;
  int32_t output_zero_point;
  int32_t output_multiplier;
  int32_t output_shift;
};

/// output = clamp(requantize((a - a_zero_point) * (b - b_zero_point)) + output_zero_point) to int8.
void mul_s8_scalar(const MulS8Params& params, int32_t count, const int8_t* a, int32_t a_step,
                   const int8_t* b, int32_t b_step, int8_t* output);

/// The same, four elements at a time, with one instruction for a product and its rounding. Takes
/// the scalar form for shifts above -1 and below -22, steps other than 0 and 1, and zero points
/// beyond 16000.
void mul_s8_dsp(const MulS8Params& params, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output);

/// The same with one rounding shift that adds the zero point, too, for cores without the DSP
/// extension. Takes the scalar form for such shifts and zero points, too.
void mul_s8_mla(const MulS8Params& params, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output);

/// The same by Helium. Takes the scalar form for a shift above 0.
void mul_s8_mve(const MulS8Params& params, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output);

struct DivParams {
  int32_t a_zero_point;
  int32_t b_zero_point;
  int32_t output_zero_point;
  float output_scale;  ///< scale of a / (scale of b * scale of the output)
};

/// output = round_half_even((a - a_zero_point) / (b - b_zero_point) * output_scale)
///          + output_zero_point, clamped to the type; a division by zero counts as 0. Float
///          arithmetic.
void div_s8_scalar(const DivParams& params, int32_t count, const int8_t* a, int32_t a_step,
                   const int8_t* b, int32_t b_step, int8_t* output);
void div_s16_scalar(const DivParams& params, int32_t count, const int16_t* a, int32_t a_step,
                    const int16_t* b, int32_t b_step, int16_t* output);

/// output = table[input + 128]. @param[in] table int8[256].
void lookup_s8_scalar(int32_t count, const int8_t* input, const int8_t* table, int8_t* output);

/// The same by Helium.
void lookup_s8_mve(int32_t count, const int8_t* input, const int8_t* table, int8_t* output);

}  // namespace mcugen
