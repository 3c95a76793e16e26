// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/image.h>
#include <kernels/quantize_f32.h>
#include <kernels/requantize.h>

namespace mcugen {

int32_t quantize_f32_scalar(float value, float inverse_scale, int32_t zero_point, int32_t min,
                            int32_t max) {
  constexpr float kWhole = 4194304.0f;      // 2^22: round_half_even() goes so far;
  constexpr float kHalves = 8388608.0f;     // from 2^23 on floats are integers, between the two
                                            // they have halves.
  constexpr float kFar = 1099511627776.0f;  // 2^40 is out of reach of any zero point
  value *= inverse_scale;
  int64_t rounded = 0;
  if (value == value) {
    const float size = value < 0 ? -value : value;
    if (size <= kWhole) {
      rounded = round_half_even(value);
    } else {
      rounded = static_cast<int64_t>(size < kFar ? size : kFar);
      if (size < kHalves && static_cast<float>(rounded) != size) {
        rounded += rounded & 1;
      }
      rounded = value < 0 ? -rounded : rounded;
    }
    rounded += zero_point;
  }
  return static_cast<int32_t>(rounded < min ? min : rounded > max ? max : rounded);
}

float dequantize_f32_scalar(int32_t value, float scale, int32_t zero_point) {
  return one_nan(static_cast<float>(int64_t{value} - zero_point) * scale);
}

}  // namespace mcugen
