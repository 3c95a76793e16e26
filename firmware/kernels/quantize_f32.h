// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// @returns clamp(round_half_even(value * inverse_scale) + zero_point, min, max), with any int32
///     zero point and min <= max. The product is rounded to float, the rest is exact. Infinities
///     saturate; NaN gives 0 within the limits.
int32_t quantize_f32_scalar(float value, float inverse_scale, int32_t zero_point, int32_t min,
                            int32_t max);

/// @returns (value - zero_point) * scale: the difference is exact, then rounded to float.
float dequantize_f32_scalar(int32_t value, float scale, int32_t zero_point);

}  // namespace mcugen
