// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "add_s8_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/elementwise_s8.h>
#include <kernels/loops_mve.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

constexpr int32_t kHalf = 1 << 30;  // a multiplier of 1/2

/// requantize() for shifts of 0 and below.
inline int32x4_t rescale(int32x4_t value, int32_t multiplier, int32_t shift, int32_t signs) {
  const int32x4_t product = vqrdmulhq_n_s32(value, multiplier);
  const int32x4_t sign = vandq_s32(vshrq_n_s32(product, 31), vdupq_n_s32(signs));
  return vrshlq_n_s32(vaddq_s32(product, sign), shift);
}

/// Of the usual case, where one operand sets the scale.
void add_to_scaled(const AddS8Params& p, int32_t count, const AddS8Operand& scaled, const int8_t* a,
                   const AddS8Operand& other, const int8_t* b, int8_t* output) {
  const MveAdd args = {a,
                       b,
                       output,
                       count,
                       -8 * scaled.zero_point,
                       -16 * other.zero_point,
                       other.multiplier,
                       other.shift,
                       p.output_multiplier,
                       p.output_shift,
                       p.output_zero_point,
                       p.activation_min,
                       p.activation_max};
  mve_add(&args);
}

}  // namespace

void add_s8_mve(const AddS8Params& p, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output) {
  if (p.a.shift > 0 || p.b.shift > 0 || p.output_shift > 0 || a_step < 0 || a_step > 1 ||
      b_step < 0 || b_step > 1) {
    add_s8_scalar(p, count, a, a_step, b, b_step, output);
    return;
  }
  const bool halves_count = p.output_shift != 0 && p.output_zero_point > p.activation_min;
  if (a_step == 1 && b_step == 1 && count >= 64 && p.output_shift < 0 && !halves_count) {
    if (p.a.multiplier == kHalf && p.a.shift == 0) {
      add_to_scaled(p, count, p.a, a, p.b, b, output);
      return;
    }
    if (p.b.multiplier == kHalf && p.b.shift == 0) {
      add_to_scaled(p, count, p.b, b, p.a, a, output);
      return;
    }
  }
  const int32_t a_signs = p.a.shift == 0 ? 0 : -1;
  const int32_t b_signs = p.b.shift == 0 ? 0 : -1;
  const int32_t signs = p.output_shift == 0 ? 0 : -1;
  for (; count > 0; count -= 4) {
    const mve_pred16_t some = vctp32q(static_cast<uint32_t>(count));
    int32x4_t left_values = a_step == 0 ? vdupq_n_s32(*a) : vldrbq_z_s32(a, some);
    int32x4_t right_values = b_step == 0 ? vdupq_n_s32(*b) : vldrbq_z_s32(b, some);
    left_values = vshlq_n_s32(vsubq_n_s32(left_values, p.a.zero_point), 20);
    right_values = vshlq_n_s32(vsubq_n_s32(right_values, p.b.zero_point), 20);
    int32x4_t sum = vaddq_s32(rescale(left_values, p.a.multiplier, p.a.shift, a_signs),
                              rescale(right_values, p.b.multiplier, p.b.shift, b_signs));
    sum =
        vaddq_n_s32(rescale(sum, p.output_multiplier, p.output_shift, signs), p.output_zero_point);
    sum = vmaxq_s32(sum, vdupq_n_s32(p.activation_min));
    sum = vminq_s32(sum, vdupq_n_s32(p.activation_max));
    vstrbq_p_s32(output, sum, some);
    a += 4 * a_step;
    b += 4 * b_step;
    output += 4;
  }
}

}  // namespace mcugen
