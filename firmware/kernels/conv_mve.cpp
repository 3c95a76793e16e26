// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "conv_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/conv_mve.h>

namespace mcugen {

bool shifts_right_mve(const int32_t* shifts, int32_t count) {
  int32_t max = INT32_MIN;
  for (; count > 0; count -= 4, shifts += 4) {
    const mve_pred16_t some = vctp32q(static_cast<uint32_t>(count));
    max = vmaxvq_p_s32(max, vldrwq_z_s32(shifts, some), some);
  }
  return max < 0;
}

MveRounding rounding_mve(int32_t output_zero_point, int32_t activation_min,
                         int32_t activation_max) {
  if (activation_min != INT8_MIN || activation_max != INT8_MAX) {
    return MveRounding::kClamped;
  }
  return output_zero_point == INT8_MIN ? MveRounding::kPlain : MveRounding::kAwayFromZero;
}

}  // namespace mcugen
