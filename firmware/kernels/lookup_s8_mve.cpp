// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "lookup_s8_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/elementwise_s8.h>

namespace mcugen {

void lookup_s8_mve(int32_t count, const int8_t* input, const int8_t* table, int8_t* output) {
  const uint8x16_t zero_point = vdupq_n_u8(128);
  for (; count > 0; count -= 16, input += 16, output += 16) {
    const mve_pred16_t some = vctp8q(static_cast<uint32_t>(count));
    const uint8x16_t at = veorq_u8(vreinterpretq_u8_s8(vldrbq_z_s8(input, some)), zero_point);
    vstrbq_p_s8(output, vldrbq_gather_offset_s8(table, at), some);
  }
}

}  // namespace mcugen
