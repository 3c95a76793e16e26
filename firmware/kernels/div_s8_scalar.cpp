// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/elementwise_s8.h>
#include <kernels/requantize.h>

namespace mcugen {

void div_s8_scalar(const DivS8Params& p, int32_t count, const int8_t* a, int32_t a_step,
                   const int8_t* b, int32_t b_step, int8_t* output) {
  // Rounding and clamping to integers commute, so clamp first: then the rounding is in range.
  const float min = static_cast<float>(INT8_MIN - p.output_zero_point);
  const float max = static_cast<float>(INT8_MAX - p.output_zero_point);
  for (; count > 0; --count, a += a_step, b += b_step) {
    const int32_t divisor = *b - p.b_zero_point;
    float value = 0.0f;
    if (divisor != 0) {
      value = static_cast<float>(*a - p.a_zero_point) / static_cast<float>(divisor);
      value = value * p.output_scale;
    }
    value = value < min ? min : value > max ? max : value;
    *output++ = static_cast<int8_t>(round_half_even(value) + p.output_zero_point);
  }
}

}  // namespace mcugen
