// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

struct QuantizeParams {
  float inverse_scale;           ///< reciprocal(scale), rounded to float.
  int32_t zero_point;            ///< Of the quantized type.
  int32_t quant_min, quant_max;  ///< Of the quantized type, quant_min <= quant_max.
};

/// output = clamp(round_half_even(input * inverse_scale) + zero_point, quant_min, quant_max).
/// Infinities saturate; NaN gives 0, as torch does on the host.
void quantize_f32_s8_scalar(const QuantizeParams& params, int32_t count, const float* input,
                            int8_t* output);
void quantize_f32_s16_scalar(const QuantizeParams& params, int32_t count, const float* input,
                             int16_t* output);

/// output = (input - zero_point) * scale, in float.
void dequantize_s8_f32_scalar(float scale, int32_t zero_point, int32_t count, const int8_t* input,
                              float* output);
void dequantize_s16_f32_scalar(float scale, int32_t zero_point, int32_t count, const int16_t* input,
                               float* output);

/// @returns 1 / value, correctly rounded to double, without double arithmetic (no Cortex-M here
///     has it, and the library's division is larger than this).
/// @param[in] value Positive, 2^-1000 to 2^1000.
///
/// The reference divides in double and only then rounds to float: one division in float differs
/// for scales that are not floats.
double reciprocal(double value);

}  // namespace mcugen
