// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/elementwise_s8.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

int32_t rescale(const AddS8Operand& operand, int32_t value) {
  constexpr int32_t kHeadroom = 1 << 20;  // as the exporter assumes when it derives multipliers
  return requantize(wrapping_mul(wrapping_sub(value, operand.zero_point), kHeadroom),
                    operand.multiplier, operand.shift);
}

}  // namespace

void add_s8_scalar(const AddS8Params& p, int32_t count, const int8_t* a, int32_t a_step,
                   const int8_t* b, int32_t b_step, int8_t* output) {
  for (; count > 0; --count, a += a_step, b += b_step) {
    const int32_t sum = wrapping_add(rescale(p.a, *a), rescale(p.b, *b));
    const int32_t scaled = requantize(sum, p.output_multiplier, p.output_shift);
    *output++ = static_cast<int8_t>(
        clamp(wrapping_add(scaled, p.output_zero_point), p.activation_min, p.activation_max));
  }
}

}  // namespace mcugen
