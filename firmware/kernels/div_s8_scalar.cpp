// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/elementwise_s8.h>
#include <kernels/requantize.h>

#include <limits>

namespace mcugen {
namespace {

template <typename T>
void div(const DivParams& p, int32_t count, const T* a, int32_t a_step, const T* b, int32_t b_step,
         T* output) {
  // Rounding and clamping to integers commute, so clamp first: then the rounding is in range.
  const float min = static_cast<float>(std::numeric_limits<T>::min() - p.output_zero_point);
  const float max = static_cast<float>(std::numeric_limits<T>::max() - p.output_zero_point);
  for (; count > 0; --count, a += a_step, b += b_step) {
    int32_t divisor = *b - p.b_zero_point;
    int32_t dividend = *a - p.a_zero_point;
    if (divisor == 0) {
      dividend = 0;
      divisor = 1;
    }
    // Keeps both conversions unconditional: for Cortex-M55, GCC 12 would write "vcvtne.f32.s32",
    // which its assembler takes for another instruction and refuses.
    asm("" : "+r"(dividend), "+r"(divisor));
    float value = static_cast<float>(dividend) / static_cast<float>(divisor);
    value = value * p.output_scale;
    value = value < min ? min : value > max ? max : value;
    *output++ = static_cast<T>(round_half_even(value) + p.output_zero_point);
  }
}

}  // namespace

void div_s8_scalar(const DivParams& p, int32_t count, const int8_t* a, int32_t a_step,
                   const int8_t* b, int32_t b_step, int8_t* output) {
  div(p, count, a, a_step, b, b_step, output);
}

void div_s16_scalar(const DivParams& p, int32_t count, const int16_t* a, int32_t a_step,
                    const int16_t* b, int32_t b_step, int16_t* output) {
  div(p, count, a, a_step, b, b_step, output);
}

}  // namespace mcugen
