// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "mul_s8_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/elementwise_s8.h>
#include <kernels/requantize.h>

namespace mcugen {

void mul_s8_mve(const MulS8Params& p, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output) {
  if (p.output_shift > 0 || a_step < 0 || a_step > 1 || b_step < 0 || b_step > 1) {
    mul_s8_scalar(p, count, a, a_step, b, b_step, output);
    return;
  }
  const int32x4_t signs = vdupq_n_s32(p.output_shift == 0 ? 0 : -1);
  for (; count > 0; count -= 4) {
    const mve_pred16_t some = vctp32q(static_cast<uint32_t>(count));
    const int32x4_t left = a_step == 0 ? vdupq_n_s32(*a) : vldrbq_z_s32(a, some);
    const int32x4_t right = b_step == 0 ? vdupq_n_s32(*b) : vldrbq_z_s32(b, some);
    int32x4_t product =
        vmulq_s32(vsubq_n_s32(left, p.a_zero_point), vsubq_n_s32(right, p.b_zero_point));
    product = vqrdmulhq_n_s32(product, p.output_multiplier);
    product = vaddq_s32(product, vandq_s32(vshrq_n_s32(product, 31), signs));
    product = vaddq_n_s32(vrshlq_n_s32(product, p.output_shift), p.output_zero_point);
    product = vminq_s32(vmaxq_s32(product, vdupq_n_s32(INT8_MIN)), vdupq_n_s32(INT8_MAX));
    vstrbq_p_s32(output, product, some);
    a += 4 * a_step;
    b += 4 * b_step;
    output += 4;
  }
}

}  // namespace mcugen
