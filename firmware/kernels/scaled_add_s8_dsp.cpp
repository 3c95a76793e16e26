// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/clamp_s8.h>
#include <kernels/loops_dsp.h>
#include <kernels/scaled_add_s8.h>

namespace mcugen {

void scaled_add_s8_dsp(const ScaledAddS8Params& p, int32_t count, const int8_t* a, const int8_t* b,
                       int8_t* output) {
  const int32_t whole = count & ~3;
  if (whole != 0) {
    const McugenDspScaledAdd numbers = {p.a_multiplier, p.b_multiplier, p.offset, p.shift};
    mcugen_dsp_scaled_add(a, b, output, output + whole, &numbers);
    if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
      clamp_s8_scalar(whole, output, static_cast<int8_t>(p.activation_min),
                      static_cast<int8_t>(p.activation_max), output);
    }
  }
  scaled_add_s8_scalar(p, count - whole, a + whole, b + whole, output + whole);
}

}  // namespace mcugen
