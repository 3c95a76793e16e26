// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/elementwise_s8.h>
#include <kernels/requantize.h>

namespace mcugen {

void mul_s8_scalar(const MulS8Params& params, int32_t count, const int8_t* a, int32_t a_step,
                   const int8_t* b, int32_t b_step, int8_t* output) {
  const MulS8Params p = params;  // which bytes of the output cannot change
  for (; count > 0; --count, a += a_step, b += b_step) {
    const int32_t product =
        wrapping_mul(wrapping_sub(*a, p.a_zero_point), wrapping_sub(*b, p.b_zero_point));
    const int32_t scaled = requantize(product, p.output_multiplier, p.output_shift);
    *output++ =
        static_cast<int8_t>(clamp(wrapping_add(scaled, p.output_zero_point), INT8_MIN, INT8_MAX));
  }
}

}  // namespace mcugen
