// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/elementwise_s8.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

/// Whether products of differences from such zero points are less than 2^29.
bool fits(int32_t zero_point) { return zero_point >= -16'000 && zero_point <= 16'000; }

}  // namespace

void mul_s8_mla(const MulS8Params& p, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output) {
  const int32_t shift = -p.output_shift;
  if (shift < 1 || shift > 22 || !fits(p.a_zero_point) || !fits(p.b_zero_point)) {
    mul_s8_scalar(p, count, a, a_step, b, b_step, output);
    return;
  }
  const int32_t a_zero_point = p.a_zero_point;
  const int32_t b_zero_point = p.b_zero_point;
  const int32_t multiplier = p.output_multiplier;
  // Half of what is shifted out, and the zero point: less than 2^30.
  const int32_t offset = (1 << (shift - 1)) + p.output_zero_point * (1 << shift);
  for (int8_t* const end = output + count; output != end; a += a_step, b += b_step) {
    const int32_t product =
        doubling_high_mul((*a - a_zero_point) * (*b - b_zero_point), multiplier);
    // Halves of a negative product are rounded away from zero by taking one from it first.
    const int32_t scaled = (product + (product >> 31) + offset) >> shift;
    *output++ = static_cast<int8_t>(clamp(scaled, INT8_MIN, INT8_MAX));
  }
}

}  // namespace mcugen
