// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/requantize.h>
#include <kernels/scaled_add_s8.h>

namespace mcugen {

void scaled_add_s8_scalar(const ScaledAddS8Params& p, int32_t count, const int8_t* a,
                          const int8_t* b, int8_t* output) {
  for (int8_t* const end = output + count; output != end; ++a, ++b, ++output) {
    const int32_t sum = wrapping_add(wrapping_add(wrapping_mul(*a, p.a_multiplier), p.offset),
                                     wrapping_mul(*b, p.b_multiplier));
    *output = static_cast<int8_t>(
        clamp(clamp(sum >> p.shift, INT8_MIN, INT8_MAX), p.activation_min, p.activation_max));
  }
}

}  // namespace mcugen
