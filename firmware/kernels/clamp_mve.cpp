// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "clamp_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/clamp_s8.h>

namespace mcugen {

void clamp_s8_mve(int32_t count, const int8_t* input, int8_t min, int8_t max, int8_t* output) {
  const int8x16_t mins = vdupq_n_s8(min);
  const int8x16_t maxs = vdupq_n_s8(max);
  for (; count > 0; count -= 16, input += 16, output += 16) {
    const mve_pred16_t some = vctp8q(static_cast<uint32_t>(count));
    vstrbq_p_s8(output, vminq_s8(vmaxq_s8(vldrbq_z_s8(input, some), mins), maxs), some);
  }
}

}  // namespace mcugen
