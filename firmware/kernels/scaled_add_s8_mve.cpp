// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "scaled_add_s8_mve.cpp needs a core with Helium"
#endif

#include <kernels/loops_mve.h>
#include <kernels/scaled_add_s8.h>

namespace mcugen {

void scaled_add_s8_mve(const ScaledAddS8Params& p, int32_t count, const int8_t* a, const int8_t* b,
                       int8_t* output) {
  const MveScaledAdd args = {
      a,        b,       output,           count,           p.a_multiplier, p.b_multiplier,
      p.offset, p.shift, p.activation_min, p.activation_max};
  mve_scaled_add(&args);
}

}  // namespace mcugen
